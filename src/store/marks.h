/* Gives marks to settings that a program without marks wrote. */
#pragma once
#include "store/store.h"

/* Fills in the marks of all settings, in the transaction that adds the column. */
MUST_USE enum err marks_fill(struct db *db);
