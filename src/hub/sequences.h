/* What each endpoint of a call, or of what else goes in order, was sent. */
#pragma once
#include <stdint.h>

#include "base/err.h"

/* How many events of this call each endpoint got: a call carries one through its life. It grows
 * with the endpoints that want them, of which the API lets ENDPOINTS_PER_EVENT_MAX be made; a store
 * that has more gets them counted all the same. */
struct sequences {
    uint32_t n, cap;
    struct {
        uint32_t endpoint, count;
    } * at; /* heap */
};
void sequences_fini(struct sequences *s);
/* The next number for that endpoint: 1, 2, 3 … ERR_NOMEM. NULL: the store looks it up (UINT_MAX).
 */
MUST_USE enum err sequence_next(struct sequences *s, uint64_t endpoint, unsigned *ret);
