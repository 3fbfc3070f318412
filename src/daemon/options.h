/* Reads the options of commands that use the daemon's configuration themselves. */
#pragma once
#include "daemon/config.h"
#include "base/exit_code.h"

struct config_options {
    const char *file; /* NULL: none */
    const char *sets[64];
    size_t n_sets;
    const char *word[4]; /* words that are no options */
    size_t n_words;
};

/* The whole command line; behind the command's name "[--config FILE] [--set KEY=VALUE]…" and at
 * most `max_words` words. 0, or EXIT_USAGE after a line
 * on stderr: `usage` is what follows "hookswitch ". */
MUST_USE int config_options_parse(int argc, char **argv, size_t max_words, const char *usage,
                                  struct config_options *ret);
/* Prints on stderr what is wrong. */
MUST_USE enum err config_options_load(const struct config_options *o, struct config **ret);
/* store.url, or the one in data_dir. ERR_TOO_BIG. */
MUST_USE enum err config_store_url(const struct config *c, char *out, size_t cap);
