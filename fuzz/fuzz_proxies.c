/* Fuzzes lines of X-Forwarded-For or Forwarded from a trusted peer: with any content, the client
 * is the peer, or an address that one of them ends in. */
#include <stdlib.h>

#include "net/proxies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct proxies p;
    struct addr peer;
    struct hops h = {0};
    struct str rest, line;
    if (n == 0)
        return 0;
    enum forwarded kind = data[0] & 1 ? FORWARDED_RFC7239 : FORWARDED_X_FOR;
    if (proxies_parse(STR("10.0.0.0/8, 127.0.0.1, ::1, fd00::/8"), &p) != OK ||
        addr_parse(STR("127.0.0.1"), 0, &peer) != OK)
        abort();
    for (rest = str_of_bytes(data + 1, n - 1); rest.n;) {
        str_cut(rest, '\n', &line, &rest);
        hops_put(&h, kind, line);
    }
    struct addr client = proxies_client(&p, &peer, &h);
    bool known = addr_eq_host(&client, &peer);
    for (size_t i = 0; i < HOPS_MAX && i < h.n; i++)
        known |= h.at[i].family && addr_eq_host(&client, &h.at[i]);
    /* The client never comes from text that the peer did not vouch for: the last entry of the peer
     * is trusted or is the client. */
    const struct addr *last = h.n ? &h.at[(h.n - 1) % HOPS_MAX] : &peer;
    if (!known || (last->family && !proxies_has(&p, last) && !addr_eq_host(&client, last)) ||
        (h.n && !last->family && !addr_eq_host(&client, &peer)))
        abort();
    struct proxies any;
    (void)!proxies_parse(str_of_bytes(data, n), &any);
    return 0;
}
