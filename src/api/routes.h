/* Inside api/: finds the handler of a path and method, and checks the asker's rights. */
#pragma once
#include "api/http/server.h"

void api_handle(struct http_request *r);
struct route_facts {
    const char *method, *path; /* with {} in it */
    const char *scope;         /* that its key needs; "": none */
    const char *query;         /* the parameters that it knows, by blanks */
    bool reserved;             /* only who may make numbers may ask */
};
bool api_route(size_t i, struct route_facts *ret); /* false: there are no more */
