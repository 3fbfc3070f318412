/* options: reads the words of commands that use the daemon's configuration. Main thread. */
#include "daemon/options.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

extern char **environ;

int config_options_parse(int argc, char **argv, size_t max_words, const char *usage,
                         struct config_options *o)
{
    *o = (struct config_options){0};
    for (int i = 2; i < argc; i++) {
        const char **to = NULL;
        bool option = argv[i][0] == '-' && argv[i][1];
        if (!strcmp(argv[i], "--config"))
            to = &o->file;
        else if (!strcmp(argv[i], "--set") && o->n_sets < 64)
            to = &o->sets[o->n_sets++];
        if (!option && o->n_words < max_words) {
            o->word[o->n_words++] = argv[i];
            continue;
        }
        if (!to || i + 1 == argc) {
            fprintf(stderr, "hookswitch: %s \"%s\"\nusage: hookswitch %s\n",
                    to       ? "a value is missing after"
                    : option ? "unknown option"
                             : "one word too many:",
                    argv[i], usage);
            return EXIT_USAGE;
        }
        *to = argv[++i];
    }
    return 0;
}

enum err config_options_load(const struct config_options *o, struct config **ret)
{
    char why[512];
    enum err err = config_load(o->file, environ, o->sets, o->n_sets, ret, why, sizeof why);
    if (err != OK)
        log_error("config", "%s", why);
    return err;
}

enum err config_store_url(const struct config *c, char *out, size_t cap)
{
    const char *set = config_get(c, CONFIG_STORE_URL);
    int n = *set ? snprintf(out, cap, "%s", set)
                 : snprintf(out, cap, "sqlite:%s/hookswitch.db", config_get(c, CONFIG_DATA_DIR));
    return n < 0 || (size_t)n >= cap ? ERR_TOO_BIG : OK;
}
