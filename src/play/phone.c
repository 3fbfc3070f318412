/* phone: has the socket of the telephone and finds the call of each packet by its Call-ID.
 * phone_dial.c and phone_answer.c play the two sides. Caller: play/demo. Thread: the loop it was
 * opened on. */
#include "play/phone.h"

#include <stdlib.h>
#include <string.h>

#include "play/phone_call.h"

static void on_packet(struct phone *p, const struct packet *in)
{
    struct sip_msg m;
    char mem[SIP_MESSAGE_MAX + 1];
    if (in->bytes.n > SIP_MESSAGE_MAX)
        return;
    memcpy(mem, in->bytes.p, in->bytes.n);
    mem[in->bytes.n] = '\0';
    if (sip_parse(mem, in->bytes.n, &m) != OK)
        return;
    struct phone_call *c = map_get(p->calls, m.call_id);
    if (!m.is_request) {
        if (c)
            phone_on_response(c, &m);
    } else if (c)
        phone_on_request(c, &m, &in->from);
    else if (m.method == SIP_INVITE && !m.to.tag.p && p->c.answer)
        phone_on_invite(p, &m, &in->from, in->bytes);
    else if (m.method == SIP_OPTIONS)
        phone_reply(p, &m, &in->from, 200, STR("phone"));
    else if (m.method != SIP_ACK)
        phone_reply(p, &m, &in->from, 481, STR("phone"));
}

static void on_batch(void *arg, const struct packet *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        on_packet(arg, &in[i]);
}

enum err phone_open(struct loop *l, const struct phone_config *c, struct phone **ret)
{
    enum err err = ERR_NOMEM;
    struct phone *p = calloc(1, sizeof *p);
    if (!p || !(p->calls = map_new()))
        goto out;
    p->c = *c;
    p->loop = l;
    if ((err = datagram_open(l, &c->at, on_batch, p, &p->socket)) != OK)
        goto out;
    *ret = p;
    return OK;
out:
    if (p)
        map_free(p->calls);
    free(p);
    return err;
}

void phone_close(struct phone *p)
{
    struct phone_call *c;
    if (!p)
        return;
    for (size_t i = 0; (c = map_next(p->calls, &i));)
        phone_call_free(c);
    map_free(p->calls);
    datagram_close(p->socket);
    free(p);
}

struct addr phone_local(const struct phone *p)
{
    return datagram_local(p->socket);
}

size_t phone_calls(const struct phone *p)
{
    size_t n = 0;
    struct phone_call *c;
    for (size_t i = 0; (c = map_next(p->calls, &i));)
        n += c->state != OVER;
    return n;
}
