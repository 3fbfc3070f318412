/* Stores with many numbers, and the daemons that run on them: for `./dev bench numbers`. A failure
 * ends the process. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/id.h"

enum { NUMBER_TEXT_SIZE = 24 };

struct number_store { /* numbers 0 to n - 1 of the account "default" */
    size_t n;
    bool one_for_all; /* one endpoint wants all numbers; else each number has its own */
    int http, sip;    /* ports of its daemon */
    char dir[200];
    int pid; /* of its daemon; 0: it does not run */
};

/* Writes the settings by the store's own code. `hook`: the port that endpoints post to. */
void number_store_fill(const struct number_store *s, int hook);
/* Starts the daemon, and waits until /readyz says 200. Returns how long that took. */
double number_store_start(struct number_store *s);
void number_store_kill(struct number_store *s);

void number_text(size_t i, char out[NUMBER_TEXT_SIZE]);
/* The endpoint that number i's events go to. */
void number_endpoint_id(const struct number_store *s, size_t i, char out[ID_SIZE]);
