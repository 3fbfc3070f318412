/* Memory for the books of a run. */
#pragma once
#include <stddef.h>

/* Zeroes, whose pages come when they are touched; the caller frees. No memory ends the process,
 * with whose it should have been. */
void *room_make(size_t n, size_t size, const char *whose);
