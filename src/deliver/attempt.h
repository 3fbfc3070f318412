/* Inside deliver/: one delivery's one try. */
#pragma once
#include "deliver/lane.h"
#include "deliver/post.h"

/* The lane is busy and has a slot, which the attempt gives back. */
void attempt_start(struct lane *l);
/* The same for a lane whose first post is under way already, or answered. */
void attempt_adopt(struct lane *l, struct post **post);
/* What has not ended in time is not written down: it is tried again after the start. */
void attempts_cancel(struct courier *c);
void attempts_free(struct courier *c);
