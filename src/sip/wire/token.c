/* token: writes and reads 128 bits as 26 digits of 5 bits, the highest first. Pure. */
#include "sip/wire/token.h"

static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

void token_print(handle h, uint64_t random, char out[TOKEN_SIZE])
{
    for (int i = 12; i >= 0; i--, h >>= 5)
        out[i] = digits[h & 31];
    for (int i = 25; i >= 13; i--, random >>= 5)
        out[i] = digits[random & 31];
    out[26] = '\0';
}

static bool half_parse(const char *p, uint64_t *ret)
{
    uint64_t v = 0;
    for (int i = 0; i < 13; i++) {
        char c = p[i];
        unsigned d;
        if (c >= '0' && c <= '9')
            d = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'v')
            d = (unsigned)(c - 'a' + 10);
        else
            return false;
        if (i == 0 && d > 15)
            return false;
        v = v << 5 | d;
    }
    *ret = v;
    return true;
}

bool token_parse(struct str text, handle *ret, uint64_t *ret_random)
{
    return text.n >= 26 && half_parse(text.p, ret) && half_parse(text.p + 13, ret_random);
}
