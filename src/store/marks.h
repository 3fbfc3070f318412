/* Marks of settings that a program wrote which knew none. */
#pragma once
#include "store/store.h"

/* Of all settings; in the transaction that gives the table its column. */
MUST_USE enum err marks_fill(struct db *db);
