/* Makes the settings that text messages need: numbers, their endpoints, the carrier's link. A
 * refusal ends the process. */
#pragma once
#include <stdbool.h>

/* Number i of TEXT_NUMBERS is the endpoint's i mod endpoints, each endpoint on a machine of its
 * own, 127.0.1.1 and so on, with the path /h/0 and so on. */
void text_numbers_make(int http, const char *key, int hook, unsigned endpoints);

struct text_link {
    bool listener; /* the carrier binds to us; else we open it to port `smpp` */
    int smpp;
    unsigned window, binds;
};
void text_link_make(int http, const char *key, const struct text_link *l);
