#include "did_kit.h"

char did_token[128];

void did_kit_log_in(void)
{
    char account[64], body[256];
    struct answer *a = api_kit_must(201, "POST", "/v1/accounts", "{\"name\":\"acme\"}");
    snprintf(account, sizeof account, "%s", answer_text(a, "id"));
    snprintf(body, sizeof body,
             "{\"username\":\"ann\",\"password\":\"correct "
             "horse\",\"role\":\"owner\",\"account\":\"%s\"}",
             account);
    api_kit_must(201, "POST", "/v1/users", body);
    a = api_kit_ask("POST", "/api/login", NULL, "",
                    "{\"username\":\"Ann\",\"password\":\"correct horse\"}");
    assert_int_equal(a->status, 200);
    snprintf(did_token, sizeof did_token, "%s", answer_text(a, "account_token"));
}

struct answer *did(const char *verb, const char *members)
{
    char path[64], body[4096];
    snprintf(path, sizeof path, "/api/did/%s", verb);
    snprintf(body, sizeof body, "{\"token\":\"%s\"%s%s}", did_token, *members ? "," : "", members);
    return api_kit_ask("POST", path, NULL, "", body);
}

bool did_is_good(const struct answer *a)
{
    bool status = false;
    return json_bool(json_get(a->json, "status"), &status) && status;
}

void did_pool_has(const char *e164, const char *country)
{
    char body[256];
    snprintf(body, sizeof body, "{\"number\":\"%s\",\"country\":\"%s\",\"account\":\"pool\"}", e164,
             country);
    api_kit_must(201, "POST", "/v1/numbers", body);
}
