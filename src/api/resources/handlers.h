/* Inside api/: declares the handlers of the resources, for the table of routes. */
#pragma once
#include "api/core/kind.h"

/* clang-format off */
#define HANDLERS(X) \
    X(numbers_list) X(numbers_create) X(numbers_get) X(numbers_patch) X(numbers_delete) \
    X(forward_get) X(forward_put) X(endpoints_list) X(endpoints_create) X(endpoints_get) \
    X(endpoints_patch) X(endpoints_delete) X(endpoints_rotate) X(endpoints_enable) \
    X(endpoints_test) X(trunks_list) X(trunks_create) X(trunks_get) X(trunks_patch) \
    X(trunks_delete) X(keys_list) X(keys_create) X(keys_get) X(keys_delete) X(accounts_list) \
    X(accounts_create) X(accounts_get) X(accounts_patch) X(endpoints_recover) X(recoveries_list) \
    X(recoveries_get) X(recoveries_cancel) X(numbers_erase) X(erasures_get) X(events_list) \
    X(events_get) X(events_resend) X(events_ingest) X(events_stream) X(calls_list) X(calls_get) \
    X(calls_trace) X(calls_hangup) X(health_get) X(ready_get) X(metrics_get) X(home_get) \
    X(openapi_get) X(smpp_links_list) X(smpp_links_create) X(smpp_links_get) X(smpp_links_patch) \
    X(smpp_links_delete) X(simulate_create) X(messages_list) X(threads_list) X(ingest_sms) \
    X(extensions_list) X(extensions_create) X(extensions_get) X(extensions_patch) \
    X(extensions_delete) X(users_list) X(users_create) X(users_get) X(users_patch) \
    X(users_delete) X(keys_patch) X(accounts_delete) X(audits_list) X(setup_page) \
    X(setup_create)
/* clang-format on */
#define X(name) void name(struct request *r);
HANDLERS(X)
#undef X

/* Kinds of settings that nobody else makes. */
extern const struct resource trunks, accounts, smpp_links, users, extensions;
