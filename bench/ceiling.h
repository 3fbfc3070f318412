/* Figures to compare ours with: the same requests from a bare epoll loop that stores nothing, and
 * the price of one signature. */
#pragma once
#include <stdbool.h>

struct ceiling {
    double per_sec, cpu_us_each; /* the client's alone */
};
/* `connections` keep-alive connections to 127.0.0.1:port, one request under way on each. */
void ceiling_run(int port, bool tls, unsigned connections, double seconds, struct ceiling *ret);
double signing_us(void); /* one webhook-signature over one of the requests' bodies */
