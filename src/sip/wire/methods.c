/* methods: the methods that pass between the legs of a call, or that we answer ourselves on each. */
#include "sip/wire/methods.h"

#include "sip/wire/print.h"

static const enum sip_method passes[] = {SIP_INVITE,  SIP_ACK,    SIP_CANCEL, SIP_BYE,
                                         SIP_OPTIONS, SIP_PRACK,  SIP_UPDATE, SIP_INFO,
                                         SIP_REFER,   SIP_NOTIFY, SIP_MESSAGE};
enum { N_PASSES = sizeof passes / sizeof *passes };

bool method_passes(enum sip_method method)
{
    for (size_t i = 0; i < N_PASSES; i++)
        if (passes[i] == method)
            return true;
    return false;
}

bool method_is_of_dialogs(enum sip_method method)
{
    return method != SIP_REGISTER && method != SIP_PUBLISH;
}

/* Writes those with their bits set, in our order. */
static void put_allow(struct buf *b, uint32_t methods)
{
    char list[128];
    struct buf l;
    buf_wrap(&l, list, sizeof list);
    for (size_t i = 0; i < N_PASSES; i++)
        if (methods >> passes[i] & 1)
            buf_printf(&l, "%s%s", l.n ? ", " : "", sip_method_name(passes[i]));
    if (l.n)
        sip_put(b, SIP_H_ALLOW, buf_str(&l));
}

void methods_put_allow(struct buf *b, struct str value)
{
    struct str one;
    uint32_t named = 0;
    while (value_next(&value, &one))
        named |= 1u << sip_method_of(one);
    put_allow(b, named);
}

void methods_put_all(struct buf *b)
{
    put_allow(b, UINT32_MAX);
}
