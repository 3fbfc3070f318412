/* invocation: reads a command line. All commands share --url, --key, --ca-file, --json and --help;
 * a command adds its own. Main thread. */
#include "cli/invocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns 1 when argv[*i] is that option and has its value, 0 when it is another, -1 when the
 * value is missing. */
static int option_take(const struct option *o, int argc, char **argv, int *i)
{
    const char *word = argv[*i];
    size_t n = strlen(o->name);
    if (strncmp(word, o->name, n) != 0 || (word[n] != '\0' && word[n] != '='))
        return 0;
    if (!o->value && word[n] == '=')
        return 0;
    if (o->flag)
        *o->flag = true;
    if (!o->value)
        return 1;
    if (word[n] == '=') {
        *o->value = word + n + 1;
        return 1;
    }
    if (*i + 1 >= argc)
        return -1;
    *o->value = argv[++*i];
    return 1;
}

static int option_take_any(const struct option *o, size_t n, int argc, char **argv, int *i)
{
    int took = 0;
    for (size_t k = 0; k < n && took == 0; k++)
        took = option_take(&o[k], argc, argv, i);
    return took;
}

bool invocation_parse(int argc, char **argv, const struct option *own, size_t n_own,
                      struct invocation *v)
{
    const char *url = getenv("HOOKSWITCH_URL");
    const struct option all[] = {{"--url", &v->client.url, NULL},
                                 {"--key", &v->client.key, NULL},
                                 {"--ca-file", &v->client.ca_file, NULL},
                                 {"--json", NULL, &v->json},
                                 {"--help", NULL, &v->help},
                                 {"-h", NULL, &v->help}};
    *v = (struct invocation){.client = {.url = url && *url ? url : "http://127.0.0.1:8080",
                                        .key = getenv("HOOKSWITCH_KEY"),
                                        .ca_file = getenv("HOOKSWITCH_CA_FILE")}};
    for (int i = 1; i < argc; i++) {
        int took = option_take_any(all, sizeof all / sizeof *all, argc, argv, &i);
        if (took == 0)
            took = option_take_any(own, n_own, argc, argv, &i);
        if (took > 0)
            continue;
        if (took < 0) {
            fprintf(stderr, "hookswitch: %s needs a value\n", argv[i]);
            return false;
        }
        bool is_option = argv[i][0] == '-' && argv[i][1] != '\0';
        if (is_option || v->n == WORDS_MAX) {
            fprintf(stderr, "hookswitch: %s \"%s\"; --help lists the options\n",
                    is_option ? "unknown option" : "one word too many:", argv[i]);
            return false;
        }
        v->word[v->n++] = argv[i];
    }
    return true;
}

const char *invocation_word(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-')
            return argv[i];
        if (!strcmp(argv[i], "--url") || !strcmp(argv[i], "--key") || !strcmp(argv[i], "--ca-file"))
            i++;
    }
    return "";
}
