/* Fuzzes an HTTP answer, whole and in pieces: the same outcome, and bounded. The first byte gives
 * the length of the pieces. */
#include <stdlib.h>
#include <string.h>

#include "deliver/http/conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum err feed(struct http_answer *a, struct str s, size_t piece)
{
    enum err err = OK;
    size_t rest;
    answer_start(a);
    while (err == OK && s.n && !a->in.complete) {
        size_t k = piece < s.n ? piece : s.n;
        err = answer_feed(a, str_slice(s, 0, k), &rest);
        s = str_from(s, k);
    }
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct http_answer whole, pieces;
    if (n < 2)
        return 0;
    struct str s = {(const char *)data + 1, n - 1};
    enum err a = feed(&whole, s, s.n), b = feed(&pieces, s, data[0] % 16 + 1);
    if (whole.kept_n > HTTP_BODY_KEPT || pieces.kept_n > HTTP_BODY_KEPT)
        abort();
    if (pieces.in.fed_bytes > HTTP_HEAD_MAX + HTTP_BODY_MAX + 16 ||
        pieces.in.body_bytes > n + HTTP_BODY_MAX)
        abort();
    if (n < HTTP_HEAD_MAX / 2 &&
        (a != b || whole.in.complete != pieces.in.complete)) /* no bound is near */
        abort();
    if (a == OK && b == OK && whole.in.complete && pieces.in.complete &&
        whole.in.status != pieces.in.status)
        abort();
    return 0;
}
