/* Fuzzes a SIP message from the wire: parsed, framed, answered. The answer must be readable and
 * ours. */
#include <stdlib.h>
#include <string.h>

#include "sip/core/identity.h"
#include "sip/wire/print.h"
#include "sip/wire/relayed.h"
#include "sip/call/x_headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_message(bool ok)
{
    if (!ok)
        abort();
}

/* The first message ends at the same byte, whether all bytes come at once or by sevens. */
static void check_frame(const char *bytes, size_t n)
{
    struct sip_framing whole = {0}, pieces = {0};
    size_t skip, size, from = 0, piece_skip, piece_size;
    enum err framed = sip_frame(&whole, bytes, n, &skip, &size), err = ERR_AGAIN;
    check_message(framed != OK || skip + size <= n);
    for (size_t k = 0; framed == OK && err == ERR_AGAIN && k < n; from += piece_skip) {
        k = n - k > 7 ? k + 7 : n;
        err = sip_frame(&pieces, bytes + from, k - from, &piece_skip, &piece_size);
    }
    check_message(framed != OK || (err == OK && from == skip && piece_size == size));
}

/* The relayed message is a whole message, and has nothing of an identity that is withheld. */
static void check_relayed(const struct sip_msg *m, char *out, size_t cap)
{
    struct secrets s = {0};
    struct buf b;
    bool cut;
    secrets_read(m, &s);
    for (int hidden = 0; hidden < 2; hidden++) {
        buf_wrap(&b, out, cap);
        relayed_put(&b, m, hidden ? &s : NULL);
        check_message(b.err == OK && b.n >= strlen("Content-Length: 0\r\n\r\n"));
        check_message(!hidden || !memmem(b.p, b.n, "\r\nP-Asserted-Identity:", 22));
        buf_reset(&b);
        x_headers_read(m, hidden ? &s : NULL, &b, &cut);
        check_message(b.err == OK);
        check_message(!hidden || secrets_find(&s, buf_str(&b), &(size_t){0}) == b.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sip_msg m, a;
    static char out[1 << 18];
    struct addr from = {.family = 4, .port = 5060, .ip = {192, 0, 2, 1}};
    struct trunk trunk = {
        .called_from = {0, 1, 2, 3, 4}, .n_called_from = 5, .trust_identity = true};
    const struct book_trunk row = {.set = &trunk};
    const struct party party = {PARTY_TRUNK, &row};
    struct caller caller;
    char number[NUMBER_SIZE], sender[CALLER_SIZE];
    struct buf b;
    char *bytes = malloc(n + 1);
    if (!bytes)
        return 0;
    memcpy(bytes, data, n);
    bytes[n] = 0;
    check_frame(bytes, n);
    if (sip_parse(bytes, n, &m) == OK) {
        check_message(m.size <= n);
        check_relayed(&m, out, sizeof out);
        if (m.is_request) {
            (void)!identity_called(&m, &party, number);
            identity_caller(&m, &party, &caller);
            identity_sender(&m, &party, sender);
            check_message(*sender && str_is_utf8(str_of(sender)));
            buf_wrap(&b, out, sizeof out);
            sip_put_reply(&b, &m, &from, 200, STR("OK"), STR("ourtag"), true);
            sip_put_body(&b, (struct str){0});
            check_message(b.err == OK);
            if (!memchr(out, 0, b.n)) { /* a quoted NUL is dropped on the way out */
                check_message(sip_parse(out, b.n, &a) == OK);
                check_message(str_eq(a.call_id, m.call_id) && a.cseq == m.cseq && a.status == 200);
            }
        }
    }
    free(bytes);
    return 0;
}
