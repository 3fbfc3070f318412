/* The housekeeper: one thread for the work that nobody waits for: recoveries, erasures, retention,
 * messages that will not get whole. Each kind is a chore (hub/chores/chore.h), which finds its next
 * piece on a reader, does it on the writer in one small transaction, and rests in proportion, so
 * that the writer is others' most of the time. How far a chore came is in the store, so that a
 * restart goes on there. */
#pragma once
#include "hub/chores/config.h"

struct housekeeper;

MUST_USE enum err housekeeper_start(const struct housekeeper_config *c, struct housekeeper **ret);
/* Ends the piece of work under way; before deliver and the store stop. NULL-safe. */
void housekeeper_stop(struct housekeeper *hk);
/* There is something new to do (after its commit). NULL-safe; any thread. */
void housekeeper_wake(struct housekeeper *hk);
