/* tenants: what the benchmarks ask of the API besides the load itself. A wrong answer ends the
 * process with the answer, since no figure after it would mean anything. */
#include "tenants.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "figures.h"

static int port_connect(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int api_call(int port, const char *method, const char *path, const char *key, const char *body,
             struct buf *out)
{
    struct buf request, answer;
    int fd = port_connect(port), status = 0;
    if (fd < 0)
        return 0;
    buf_init(&request, 1 << 20);
    buf_init(&answer, 8 << 20);
    buf_printf(&request,
               "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
               "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n%s",
               method, path, key ? key : "", body ? strlen(body) : 0, body ? body : "");
    bool sent = send(fd, request.p, request.n, MSG_NOSIGNAL) == (ssize_t)request.n;
    for (ssize_t k = 1; sent && k > 0;) {
        char *room = buf_room(&answer, 65536);
        k = room ? recv(fd, room, 65536, 0) : 0;
        answer.n += k > 0 ? (size_t)k : 0;
    }
    const char *end = answer.n ? memmem(answer.p, answer.n, "\r\n\r\n", 4) : NULL;
    if (end) {
        status = atoi(answer.p + 9);
        if (out) {
            buf_reset(out);
            buf_put(out, end + 4, answer.n - (size_t)(end + 4 - answer.p));
        }
    }
    close(fd);
    buf_fini(&request);
    buf_fini(&answer);
    return status;
}

void answer_member(const struct buf *answer, const char *name, char *out, size_t cap)
{
    char look[64];
    struct str value, rest;
    snprintf(look, sizeof look, "\"%s\":\"", name);
    const char *p = answer->n ? memmem(answer->p, answer->n, look, strlen(look)) : NULL;
    if (p) {
        str_cut(str_from(buf_str(answer), (size_t)(p - answer->p) + strlen(look)), '"', &value,
                &rest);
        if (str_copy(value, out, cap) == OK)
            return;
    }
    fprintf(stderr, "no \"%s\" in: %.*s\n", name, STR_FMT(buf_str(answer)));
    exit(1);
}

void api_create(int port, const char *key, const char *path, const struct buf *body,
                struct buf *ret_answer)
{
    char text[4096];
    struct buf answer;
    buf_init(&answer, 65536);
    (void)!str_copy(buf_str(body), text, sizeof text);
    int status = api_call(port, "POST", path, key, text, &answer);
    if (status != 201) {
        fprintf(stderr, "POST %s %s: %d %.*s\n", path, text, status, STR_FMT(buf_str(&answer)));
        exit(1);
    }
    if (ret_answer) {
        buf_reset(ret_answer);
        buf_put_str(ret_answer, buf_str(&answer));
    }
    buf_fini(&answer);
}

static void tenant_create(const struct tenants *t, const char *path, const struct buf *body,
                          struct buf *answer)
{
    api_create(t->port, t->admin_key, path, body, answer);
}

void tenants_make(struct tenants *t, const struct ledger *l, int port, unsigned from,
                  const char *admin_key)
{
    struct buf body, answer;
    *t = (struct tenants){.port = port, .admin_key = admin_key, .n = l->accounts, .from = from};
    buf_init(&body, 4096);
    buf_init(&answer, 65536);
    for (unsigned i = 0; i < t->n; i++) {
        buf_reset(&body);
        buf_printf(&body, "{\"name\":\"account %u\"}", from + i);
        tenant_create(t, "/v1/accounts", &body, &answer);
        buf_reset(&body);
        buf_printf(&body,
                   "{\"name\":\"pbx\",\"scopes\":[\"ingest\",\"read\"],\"account\":\"account %u\"}",
                   from + i);
        tenant_create(t, "/v1/keys", &body, &answer);
        answer_member(&answer, "key", t->key[i], KEY_SIZE);
    }
    buf_fini(&body);
    buf_fini(&answer);
}

/* An endpoint may name its account's numbers alone. It may be there from an endpoint before. */
static void json_put_number(const struct tenants *t, unsigned account, const char *number)
{
    char text[160];
    snprintf(text, sizeof text, "{\"number\":\"%s\",\"account\":\"account %u\"}", number,
             t->from + account);
    int status = api_call(t->port, "POST", "/v1/numbers", t->admin_key, text, NULL);
    if (status != 201 && status != 409) {
        fprintf(stderr, "POST /v1/numbers %s: %d\n", text, status);
        exit(1);
    }
}

void tenants_endpoint(const struct tenants *t, const struct ledger *l,
                      const struct endpoint_make *m, char id[ENDPOINT_ID_SIZE])
{
    struct buf body, answer;
    char number[24];
    buf_init(&body, 4096);
    buf_init(&answer, 65536);
    buf_printf(&body, "{\"url\":\"%s\",\"account\":\"account %u\"", m->url, t->from + m->account);
    ledger_print_number(l, m->account, m->number, number);
    if (!l->to_all) {
        json_put_number(t, m->account, number);
        buf_printf(&body, ",\"numbers\":[\"%s\"]", number);
    }
    if (m->concurrency)
        buf_printf(&body, ",\"concurrency\":%u", m->concurrency);
    buf_printf(&body, "%s}", m->more ? m->more : "");
    tenant_create(t, "/v1/endpoints", &body, &answer);
    if (id)
        answer_member(&answer, "id", id, ENDPOINT_ID_SIZE);
    buf_fini(&body);
    buf_fini(&answer);
}

void server_wait(int port, int pid)
{
    while (api_call(port, "POST", "/v1/events", "hsk_", "[]", NULL) == 0) {
        if (resident_kb(pid) < 0) {
            fprintf(stderr, "the server of port %d is gone\n", port);
            exit(1);
        }
        usleep(10000);
    }
}

void metrics_take(int port, struct buf *out)
{
    if (api_call(port, "GET", "/metrics", NULL, NULL, out) == 200)
        return;
    fprintf(stderr, "the daemon does not answer /metrics\n");
    exit(1);
}

double metrics_one(int port, const char *name)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    metrics_take(port, &text);
    double v = metric_value(buf_str(&text), name);
    buf_fini(&text);
    return v;
}
