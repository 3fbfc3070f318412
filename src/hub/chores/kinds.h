/* The kinds of chores there are. */
#pragma once
#include "hub/chores/chore.h"

/* Each makes its chore, on the heap, with its job first. NULL: out of memory. */
struct chore *recover_chore(void);
struct chore *erase_chore(void);
struct chore *retention_chore(void);
struct chore *idempotency_chore(void);
struct chore *partial_chore(void);
struct chore *spans_chore(void);
