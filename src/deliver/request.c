/* request: what stands above the body of a signed POST. Pure but for the secrets it signs with.
 * Callers: post.c, and the command that plays the daemon to a local URL. */
#include "deliver/request.h"

static void put_line(struct buf *b, const char *name, struct str value)
{
    buf_puts(b, name);
    buf_puts(b, ": ");
    buf_put_str(b, value);
    buf_puts(b, "\r\n");
}

void request_put_headers(struct buf *b, const struct book_endpoint *ep, const struct event *e,
                         unsigned attempt, int64_t now_ms, struct str body)
{
    int64_t now_sec = now_ms / 1000;
    put_line(b, "Content-Type", str_of(body_content_type(ep->set->format)));
    buf_puts(b, "User-Agent: hookswitch/" HOOKSWITCH_VERSION "\r\nAccept: */*\r\n");
    put_line(b, "webhook-id", e->id);
    buf_printf(b, "webhook-timestamp: %lld\r\nwebhook-attempt: %u\r\nwebhook-signature: ",
               (long long)now_sec, attempt);
    size_t n = ep->n_secrets;
    if (n == 2 && ep->set->secret_old_until_ms <= now_ms)
        n = 1; /* the rotation ended since the book was made */
    signature_print(ep->secret, n, e->id, now_sec, body, b);
    buf_puts(b, "\r\n");
    for (size_t i = 0; i < ep->set->n_headers; i++)
        put_line(b, ep->set->header[i][0], str_of(ep->set->header[i][1]));
}
