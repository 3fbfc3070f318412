/* Inside api/: memory that goes with a request. */
#pragma once
#include "api/core/request.h"

/* Zeroed memory that goes with the request. NULL: there is none. One thread at a time. */
void *request_take(struct request *r, size_t n);
/* The same as r->room, for what the handler and its jobs share. */
void *request_room(struct request *r, size_t n);
void room_free(struct request *r); /* all of it */
