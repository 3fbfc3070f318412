/* room: keeps a request's arena, which the first piece makes. One thread at a time. */
#include "api/core/room.h"

#include <string.h>

#include "base/arena.h"

enum { MORE_BYTES = 1024 }; /* beside the first piece */

void *request_take(struct request *r, size_t n)
{
    if (!r->arena && !(r->arena = arena_new(n + MORE_BYTES)))
        return NULL;
    void *room = arena_take(r->arena, n);
    return room ? memset(room, 0, n) : NULL;
}

void *request_room(struct request *r, size_t n)
{
    return r->room = request_take(r, n);
}

void room_free(struct request *r)
{
    arena_free(r->arena);
    r->arena = NULL;
}
