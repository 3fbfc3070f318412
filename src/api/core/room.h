/* Inside api/: gives memory that is freed with a request. */
#pragma once
#include "api/core/request.h"

/* Gives zeroed memory that is freed with the request. NULL: there is none. One thread at a time. */
void *request_take(struct request *r, size_t n);
/* Does the same for r->room, which the handler and its jobs share. */
void *request_room(struct request *r, size_t n);
void room_free(struct request *r); /* all of it */
