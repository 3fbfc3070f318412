/* Messages that are stored, of which their carrier never heard so: he sends each again, with
 * nothing in it that tells it from a second equal one. What is remembered here is taken for that
 * repeat, once. One thread. */
#pragma once
#include "base/str.h"

struct unanswered;

/* The last UNANSWERED_MAX of each link, for UNANSWERED_MS. Older ones go first. */
enum { UNANSWERED_MAX = 4096, UNANSWERED_MS = 3600 * 1000 };

/* Messages from before a restart, of which nobody knows by which link they came. */
enum { UNANSWERED_ANY_LINK = 0 };

MUST_USE enum err unanswered_new(struct unanswered **ret);
void unanswered_free(struct unanswered *u); /* NULL-safe */
/* `what` names the content. Out of memory: it is forgotten, and its repeat is a second message. */
void unanswered_put(struct unanswered *u, uint64_t link, uint64_t what, int64_t now_ms);
/* True: it was there (by this link or by any) and is there no more. */
bool unanswered_take(struct unanswered *u, uint64_t link, uint64_t what, int64_t now_ms);
size_t unanswered_count(const struct unanswered *u); /* those too old are still counted */
