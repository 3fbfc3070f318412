/* Makes one attempt of one delivery. Inside deliver/. */
#pragma once
#include "deliver/lane.h"
#include "deliver/post.h"

/* Starts the attempt of a busy lane, whose slot it gives back at its end. */
void attempt_start(struct lane *l);
/* Takes over the first post of a lane when it is under way already, or answered. */
void attempt_adopt(struct lane *l, struct post **post);
/* Cancels the attempts that have not ended in time. They are not written down, so the next start
 * makes them again. */
void attempts_cancel(struct courier *c);
void attempts_free(struct courier *c);
