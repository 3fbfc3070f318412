/* The words and options of one command line. */
#pragma once
#include "base/str.h"
#include "cli/client/client.h"

struct option {         /* an option of one command, besides those that all take */
    const char *name;   /* "--number" */
    const char **value; /* where its value goes; NULL: it has none */
    bool *flag;         /* set when it is given; may be NULL beside a value */
};

enum { WORDS_MAX = 64 };

struct invocation {
    struct client client; /* --url, --key, --ca-file, or HOOKSWITCH_URL … */
    bool json, help;
    const char *word[WORDS_MAX];
    size_t n;
};

/* A value is the next word, or follows after `=`. Prints unknown options on standard error. */
bool invocation_parse(int argc, char **argv, const struct option *own, size_t n_own,
                      struct invocation *ret);
/* Returns the first word that is neither an option nor its value: the command; "" without one. */
const char *invocation_word(int argc, char **argv);
