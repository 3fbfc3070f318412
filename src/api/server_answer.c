/* server_answer: the headers of an answer, from what the handler left in the request. On the
 * connection's thread. */
#include <stdio.h>

#include "api/server_inside.h"

/* RateLimit headers as most clients read them: limit, what is left, seconds until all is. */
static void put_rate(struct MHD_Response *answer, const struct rate *l)
{
    const struct {
        const char *name;
        unsigned value;
    } header[] = {{"RateLimit-Limit", l->per_sec},
                  {"RateLimit-Remaining", l->remaining},
                  {"RateLimit-Reset", l->full_in_sec},
                  {"Retry-After", l->retry_in_sec}};
    char text[16];
    for (size_t i = 0; i < (l->allowed ? 3u : 4u); i++) {
        snprintf(text, sizeof text, "%u", header[i].value);
        MHD_add_response_header(answer, header[i].name, text);
    }
}

void answer_put_headers(const struct request *r, struct MHD_Response *answer)
{
    if (r->status != 204 && r->status != 304)
        MHD_add_response_header(answer, "Content-Type", r->content_type);
    MHD_add_response_header(answer, "Cache-Control", "no-store");
    MHD_add_response_header(answer, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(answer, "Content-Security-Policy",
                            "default-src 'self'; style-src 'self' 'unsafe-inline'");
    if (r->etag[0])
        MHD_add_response_header(answer, "ETag", r->etag);
    if (r->allow[0])
        MHD_add_response_header(answer, "Allow", r->allow);
    if (r->location[0])
        MHD_add_response_header(answer, "Location", r->location);
    if (r->rate.per_sec)
        put_rate(answer, &r->rate);
    if (r->replayed)
        MHD_add_response_header(answer, "Idempotent-Replayed", "true");
    if (r->retry_after_s) {
        char text[16];
        snprintf(text, sizeof text, "%u", r->retry_after_s);
        MHD_add_response_header(answer, "Retry-After", text);
    } else if ((r->status == 429 && r->rate.allowed) || r->status == 503 || r->status == 507) {
        MHD_add_response_header(answer, "Retry-After", "5");
    }
    if (r->status == 401)
        MHD_add_response_header(answer, "WWW-Authenticate", r->challenge ? r->challenge : "Bearer");
}
