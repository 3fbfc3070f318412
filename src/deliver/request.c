/* request: what stands above the body of a signed POST. Pure but for the secrets it signs with.
 * Callers: post.c, and the command that plays the daemon to a local URL. */
#include "deliver/request.h"

#include "base/clock.h"
#include "base/crypto.h"

static void put_line(struct buf *b, const char *name, struct str value)
{
    buf_puts(b, name);
    buf_puts(b, ": ");
    buf_put_str(b, value);
    buf_puts(b, "\r\n");
}

/* The secrets that are live: an old one signs beside the new one until its time is over. */
static size_t read_secrets(const struct endpoint *ep, struct secret ret[2])
{
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        bool lapsed = i == 1 && ep->secret_old_until_mono_ms <= clock_mono_ms();
        if (*ep->secret[i] && !lapsed && secret_parse(str_of(ep->secret[i]), &ret[n]) == OK)
            n++;
    }
    return n;
}

void request_put_headers(struct buf *b, const struct endpoint *ep, const struct event *e,
                         unsigned attempt, int64_t now_ms, struct str body)
{
    int64_t now_sec = now_ms / 1000;
    put_line(b, "Content-Type", str_of(body_content_type(ep->format)));
    buf_puts(b, "User-Agent: hookswitch/" HOOKSWITCH_VERSION "\r\nAccept: */*\r\n");
    put_line(b, "webhook-id", e->id);
    buf_printf(b, "webhook-timestamp: %lld\r\nwebhook-attempt: %u\r\nwebhook-signature: ",
               (long long)now_sec, attempt);
    struct secret secret[2];
    size_t n = read_secrets(ep, secret);
    signature_print(secret, n, e->id, now_sec, body, b);
    crypto_wipe(secret, sizeof secret);
    buf_puts(b, "\r\n");
    for (size_t i = 0; i < ep->n_headers; i++)
        put_line(b, ep->header[i][0], str_of(ep->header[i][1]));
}
