/* server_input: what a request says, as its handler and the server ask for it: header lines, the
 * parameters of its query, who sent it, and whether its head is sound. On the connection's thread,
 * or on another one while it is suspended. */
#include <stdio.h>
#include <string.h>

#include "api/head.h"
#include "api/peers.h"
#include "api/server_inside.h"

struct str request_header(const struct request *r, const char *name)
{
    return str_of(MHD_lookup_connection_value(exchange_of(r)->connection, MHD_HEADER_KIND, name));
}

struct str request_query(const struct request *r, const char *name)
{
    return str_of(
        MHD_lookup_connection_value(exchange_of(r)->connection, MHD_GET_ARGUMENT_KIND, name));
}

struct query_look {
    const char *names;
    uint32_t seen; /* bit i: the i-th name */
    enum query_check found;
    char *other;
    size_t cap;
};

static enum MHD_Result on_parameter(void *arg, enum MHD_ValueKind kind, const char *name,
                                    size_t name_n, const char *value, size_t value_n)
{
    struct query_look *l = arg;
    struct str names = str_of(l->names), one, key = str_of_bytes(name, name_n);
    uint32_t bit = 1;
    l->found = QUERY_UNKNOWN;
    for (; names.n && l->found == QUERY_UNKNOWN; bit <<= 1) {
        str_cut(names, ' ', &one, &names);
        if (str_eq(one, key))
            l->found = l->seen & bit ? QUERY_REPEATED : QUERY_FITS;
        if (l->found == QUERY_FITS)
            l->seen |= bit;
    }
    if (l->found == QUERY_FITS && value && memchr(value, '\0', value_n))
        l->found = QUERY_HAS_NUL;
    if (l->found == QUERY_FITS)
        return MHD_YES;
    snprintf(l->other, l->cap, "%.*s", (int)(name_n < l->cap ? name_n : l->cap), name);
    return MHD_NO;
}

enum query_check request_query_check(const struct request *r, const char *names, char *ret_other,
                                     size_t cap)
{
    struct query_look l = {.names = names, .other = ret_other, .cap = cap};
    MHD_get_connection_values_n(exchange_of(r)->connection, MHD_GET_ARGUMENT_KIND, on_parameter,
                                &l);
    return l.found;
}

/* ---- who asks ---- */

/* IPv6 without brackets: it is for people and tables, not for URLs. */
static void print_address(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
    size_t n = addr_print_host(a, out);
    if (out[0] != '[' || n < 2)
        return;
    memmove(out, out + 1, n - 2);
    out[n - 2] = '\0';
}

struct header_look {
    const char *name;
    enum forwarded kind;
    struct hops *hops;
};

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                 size_t name_n, const char *value, size_t value_n)
{
    const struct header_look *l = arg;
    if (str_eq_nocase(str_of_bytes(name, name_n), str_of(l->name)))
        hops_put(l->hops, l->kind, str_of_bytes(value ? value : "", value_n));
    return MHD_YES;
}

void exchange_find_client(struct exchange *x, struct peers *peers)
{
    struct addr from;
    struct hops hops = {0};
    struct header_look l = {.hops = &hops};
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!peer || !peer->client_addr || !addr_from_sockaddr(peer->client_addr, &from))
        return;
    struct addr client = from;
    if (proxies_has(peers_proxies(peers), &from)) {
        l.kind = peers_header(peers, &l.name);
        MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, on_header, &l);
        client = proxies_client(peers_proxies(peers), &from, &hops);
    }
    print_address(&client, x->r.address);
    if (addr_eq_host(&client, &from))
        return; /* counted by its connections, or a proxy */
    x->crowded = peers_full(peers, &client);
    if (!x->crowded)
        x->client = peers_enter(peers, &client);
}

/* ---- the head ---- */

static enum MHD_Result on_head(void *arg, enum MHD_ValueKind kind, const char *name,
                               const char *value)
{
    head_take(arg, str_of(name), str_of(value));
    return MHD_YES;
}

bool exchange_is_sound(struct exchange *x, const char *version)
{
    struct head h = {.long_path = x->long_path, .has_host = strcmp(version, "HTTP/1.1") != 0};
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, on_head, &h);
    return head_is_sound(&x->r, &h);
}
