/* Memory for the books of a run. */
#pragma once
#include <stddef.h>

/* Returns zeroes, whose pages come when they are touched; the caller frees. Without memory it ends
 * the process and names the owner. */
void *room_make(size_t n, size_t size, const char *whose);
