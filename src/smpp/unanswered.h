/* Remembers messages that are stored, but whose answers the carrier did not get. The carrier sends
 * each again, with nothing in it that tells it from a second equal message. So a message remembered
 * here counts once as that repeat. One thread. */
#pragma once
#include "base/str.h"

struct unanswered;

/* The last UNANSWERED_MAX of each link, for UNANSWERED_MS. Older ones go first. */
enum { UNANSWERED_MAX = 4096, UNANSWERED_MS = 3600 * 1000 };

/* Stands for messages from before a restart, whose link is not known. */
enum { UNANSWERED_ANY_LINK = 0 };

MUST_USE enum err unanswered_new(struct unanswered **ret);
void unanswered_free(struct unanswered *u); /* NULL-safe */
/* `what` names the content. Out of memory: it is forgotten, and its repeat is a second message. */
void unanswered_put(struct unanswered *u, uint64_t link, uint64_t what, int64_t now_ms);
/* Takes the content out; true when it was there (by this link or by any). */
bool unanswered_take(struct unanswered *u, uint64_t link, uint64_t what, int64_t now_ms);
size_t unanswered_count(const struct unanswered *u); /* those too old are still counted */
