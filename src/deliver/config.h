/* Everything delivery is told at the start. Inside deliver/. */
#pragma once
#include "hub/intake.h"
#include "net/guard.h"

struct deliver_config {
    struct store *store;
    struct books *books;
    struct intake *intake; /* for endpoint_disabled */
    const struct guard *guard;
    unsigned couriers;       /* threads; endpoints go to them by number */
    uint32_t timeout_ms;     /* of one exchange */
    const char *ca_file;     /* NULL: the system's certificates only */
    const char *dns_servers; /* NULL: the system's */
    /* Tells the answer to a call's incoming_call (docs/api.md): `asked` is the endpoint of
     * deliver_early, or the value that deliver_ask was given; `status` 0: no answer came, or nobody
     * was asked. Set by the daemon, may be NULL. Courier's thread. */
    void (*on_control)(void *arg, struct str call_id, uint64_t asked, int status, struct str body);
    void *control_arg;
};
