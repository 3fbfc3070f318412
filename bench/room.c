/* room: makes large tables at once, for as many entries as a run can have. */
#include "room.h"

#include <stdio.h>
#include <stdlib.h>

void *room_make(size_t n, size_t size, const char *whose)
{
    void *p = calloc(n, size);
    if (p)
        return p;
    fprintf(stderr, "no memory for %s\n", whose);
    exit(1);
}
