/* Defines the states of a delivery, and the verdict on an attempt. Pure. */
#pragma once
#include "base/err.h"
#include "base/str.h"
#include "model/retry.h"

enum delivery_state { /* stored as numbers: append only */
                      DELIVERY_PENDING,
                      DELIVERY_DELIVERED,
                      DELIVERY_GIVEN_UP,
                      DELIVERY_CANCELED, /* its endpoint was deleted, or its number's data erased */
};
const char *delivery_state_name(enum delivery_state s); /* "pending", "delivered", "given_up", … */
bool delivery_state_parse(struct str name, enum delivery_state *ret);

/* The result of an attempt: a status, or an error before there was one. */
struct outcome {
    int status;              /* 100…599, 0 when there was no answer */
    enum err err;            /* OK when there was a complete answer */
    int64_t retry_after_sec; /* -1: none */
    int64_t duration_ms;
    char detail[120]; /* for people: "connect to 10.0.0.1 blocked: private", "" when nothing */
};

/* Does the answer speak of this event, not of the receiver: 400, 409, 413, 415, 422 …? */
bool outcome_refuses_event(const struct outcome *o);

enum verdict_kind { VERDICT_DELIVERED, VERDICT_RETRY, VERDICT_GIVE_UP };
struct verdict {
    enum verdict_kind kind;
    int64_t wait_ms;       /* VERDICT_RETRY */
    bool disable_endpoint; /* 410 Gone */
};
/* 2xx delivered; everything else retried by the schedule, until it says give up; 410 disables. */
struct verdict verdict_of(const struct outcome *o, const struct retry *r, unsigned attempt,
                          int64_t age_ms, uint64_t random);
