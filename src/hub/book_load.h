/* Inside hub/: reads the first book of a process. */
#pragma once
#include "hub/book_own.h"

/* Reads all settings of the store into a book that has nothing yet; an unreadable row is logged and
 * left out. Waits; the store's readers do the work. After an error the book may have some. */
MUST_USE enum err book_load(struct book *b, struct store *s);
