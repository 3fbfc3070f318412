/* cli: runs one command line. `hookswitch number list` is GET /v1/numbers: commands.c has the
 * table of words and requests, invocation.c reads the words, print.c shows the answer. A tool is a
 * command that takes more than one request. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "base/exit_code.h"
#include "cli/backup.h"
#include "cli/client/client.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "daemon/daemon.h"
#include "cli/declared.h"
#include "play/demo.h"
#include "cli/doctor/doctor.h"
#include "cli/invocation.h"
#include "cli/listen.h"
#include "cli/client/pages.h"
#include "cli/print.h"

enum { JSON_MAX = 256 * 1024, PATH_MAX_ = 8192 };

/* ---- the tools ---- */

static int print_config(int argc, char **argv)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    config_print_example(&b);
    fwrite(b.p, 1, b.n, stdout);
    buf_fini(&b);
    return 0;
}

static int print_version(int argc, char **argv)
{
    puts("hookswitch " HOOKSWITCH_VERSION);
    return 0;
}

static const struct tool tools[] = {
    {"serve", "[--config FILE] [--set KEY=VALUE]...", "runs the daemon", serve_run},
    {"demo", "", "shows it at work, on a temporary store", demo_run},
    {"listen", "[--forward-to URL]", "shows your events live, and POSTs each to a URL", listen_run,
     .helps_itself = true},
    {"apply", "FILE.json [--dry-run] [--prune]", "makes the settings what the file says",
     apply_run},
    {"export", "", "prints the settings as such a file", export_run},
    {"doctor", "[--sip-peer HOST]", "checks this machine", doctor_run},
    {"backup", "FILE [--config FILE]", "copies the store into a file, while the daemon runs",
     backup_run},
    {"restore", "FILE [--config FILE]", "puts such a copy back, while it does not run",
     restore_run},
    {"completion", "bash|zsh|fish",
     "prints a script for the shell: source <(hookswitch completion bash)", completion_run},
    {"config", "", "prints a commented configuration file with all defaults", print_config},
    {"version", "", "prints the version", print_version},
};
enum { N_TOOLS = sizeof tools / sizeof *tools };

const struct tool *tool_at(size_t i)
{
    return i < N_TOOLS ? &tools[i] : NULL;
}

static void print_usage(FILE *f)
{
    fputs("usage: hookswitch COMMAND\n\n", f);
    for (size_t i = 0; i < N_TOOLS; i++)
        fprintf(f, "  %s %-*s %s\n", tools[i].name, 43 - (int)strlen(tools[i].name), tools[i].words,
                tools[i].help);
    fputs("\nThe API from the shell; `hookswitch number --help` says more:\n\n", f);
    nouns_print(f);
    fputs("\n"
          "  --url URL     the daemon's API          (HOOKSWITCH_URL, http://127.0.0.1:8080)\n"
          "  --key KEY     the API key               (HOOKSWITCH_KEY)\n"
          "  --ca-file F   certificates to trust besides the system's (HOOKSWITCH_CA_FILE)\n"
          "  --json        answers as JSON, for programs\n"
          "\n"
          "Exit codes: 0 ok, 2 usage, 3 not found, 4 key, 5 unreachable, 6 conflict, 1 other.\n",
          f);
}

/* ---- the answer ---- */

static const char *failure_advice(int status)
{
    switch (status) {
    case 401: return "give a valid key with --key or HOOKSWITCH_KEY";
    case 403: return "use a key with the scope for it: `hookswitch key list` shows them";
    case 404: return "`list` shows the ones that there are";
    case 412: return "read it again, then change it";
    case 429:
    case 503: return "try again in a few seconds";
    case 507: return "free some disk space; nothing was lost";
    default: return NULL;
    }
}

static void print_failure(const struct command *c, int status, const struct json *doc)
{
    struct str detail, code;
    const char *advice = failure_advice(status);
    fprintf(stderr, "hookswitch %s %s: ", c->noun, c->verb);
    if (json_str(json_get(doc, "detail"), &detail))
        print_safe(stderr, detail);
    else
        fprintf(stderr, "the answer was %d", status);
    if (json_str(json_get(doc, "code"), &code)) {
        fputs(" (", stderr);
        print_safe(stderr, code);
        fputc(')', stderr);
    }
    fputc('\n', stderr);
    if (advice)
        fprintf(stderr, "  %s\n", advice);
}

static void print_answer(const struct invocation *v, const struct command *c, int status,
                         struct str body)
{
    struct json *doc = NULL;
    struct str next;
    bool failed = status < 200 || status > 299;
    size_t width = terminal_width(stdout);
    enum err err = json_parse(str_trim(body), &doc, NULL, 0);
    const struct json *data = json_get(doc, "data");
    if (failed) {
        print_failure(c, status, doc);
    } else if (v->json || (err != OK && body.n)) {
        fwrite(body.p, 1, body.n, stdout);
        fputs(body.n ? "\n" : "", stdout);
    } else if (doc && c->print) {
        c->print(stdout, doc, width);
    } else if (data) {
        print_table(stdout, data, c->columns, width);
        if (width && !json_len(data))
            puts("none");
        if (json_str(json_get(doc, "next_cursor"), &next)) {
            fputs("There is more: add cursor=", stderr);
            print_safe(stderr, next);
            fputc('\n', stderr);
        }
    } else if (doc) {
        print_object(stdout, doc, width);
    }
    json_free(doc);
}

/* ---- the request ---- */

static int usage_of(const struct command *c, const char *what)
{
    fprintf(stderr, "hookswitch %s %s: %s\nusage: hookswitch %s ", c->noun, c->verb, what, c->noun);
    command_print_words(stderr, c);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

/* Makes path and query of the words after the verb; *ret_next is the first word that is left. */
static bool request_put_path(const struct invocation *v, const struct command *c, struct buf *b,
                             size_t *ret_next)
{
    size_t next = 2;
    for (const char *p = c->path; *p; p++) {
        if (*p != '{') {
            buf_putc(b, *p);
            continue;
        }
        if (next >= v->n)
            return false;
        client_put_escaped(b, v->word[next++], "-._~");
        p++;
    }
    for (char sep = '?'; c->query && next < v->n; sep = '&') {
        buf_putc(b, sep);
        client_put_escaped(b, v->word[next++], "-._~=&%:,");
    }
    *ret_next = next;
    return true;
}

/* Reads "@FILE" and "-"; any other word is the JSON itself. */
static bool request_read_body(const char *word, struct buf *b)
{
    FILE *f = word[0] == '@' ? fopen(word + 1, "r") : !strcmp(word, "-") ? stdin : NULL;
    buf_init(b, JSON_MAX);
    if (!f) {
        if (word[0] == '@')
            fprintf(stderr, "hookswitch: %s cannot be opened\n", word + 1);
        buf_puts(b, word);
        return word[0] != '@';
    }
    char text[4096];
    size_t n;
    while ((n = fread(text, 1, sizeof text, f)) > 0)
        buf_put(b, text, n);
    if (f != stdin)
        fclose(f);
    if (b->err != OK)
        fputs("hookswitch: more than 256 KiB of JSON: the API takes no more\n", stderr);
    return b->err == OK;
}

static int request_make(const struct invocation *v, const struct command *c, const char *path,
                        const char *word)
{
    struct buf body = {0};
    struct client_answer a = {0};
    const char *method = c->body == 2 && !word && !strcmp(c->method, "PUT") ? "GET" : c->method;
    if (word && !request_read_body(word, &body)) {
        buf_fini(&body);
        return EXIT_USAGE;
    }
    struct str sent = word                          ? buf_str(&body)
                      : strcmp(method, "POST") == 0 ? STR("{}")
                                                    : (struct str){0};
    enum err err = client_request(&v->client, method, path, sent, &a);
    if (err == OK && a.status == 200 && c->query && !strcmp(method, "GET"))
        err = pages_complete(&v->client, path, &a);
    if (err != OK)
        client_print_failure(&v->client, err, &a);
    else
        print_answer(v, c, a.status, buf_str(&a.body));
    buf_fini(&body);
    buf_fini(&a.body);
    return client_exit_code(err, a.status);
}

static int command_run(const struct invocation *v, const struct command *c)
{
    char path[PATH_MAX_];
    struct buf b;
    size_t next;
    buf_wrap(&b, path, sizeof path - 1);
    if (!request_put_path(v, c, &b, &next))
        return usage_of(c, "which one?");
    if (b.err != OK)
        return usage_of(c, "that is too long for a request");
    path[b.n] = '\0';
    if (c->body == 1 && next >= v->n)
        return usage_of(c, "a JSON object is needed");
    const char *body = c->body && next < v->n ? v->word[next++] : NULL;
    if (next < v->n)
        return usage_of(c, "one word too many");
    return request_make(v, c, path, body);
}

static int print_unknown(const struct invocation *v)
{
    if (v->n && noun_is(v->word[0])) {
        if (v->n > 1)
            fprintf(stderr, "hookswitch %s: there is no \"%s\"\n\n", v->word[0], v->word[1]);
        noun_print_usage(stderr, v->word[0]);
        return EXIT_USAGE;
    }
    if (v->n)
        fprintf(stderr, "hookswitch: there is no command \"%s\"\n\n", v->word[0]);
    print_usage(stderr);
    return EXIT_USAGE;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return true;
    return false;
}

static int tool_run(const struct tool *t, int argc, char **argv)
{
    if (t->helps_itself || !asks_help(argc, argv))
        return t->run(argc, argv);
    printf("usage: hookswitch %s%s%s\n\n%s\n", t->name, *t->words ? " " : "", t->words, t->help);
    return 0;
}

/* `simulate {…}` means `simulate run {…}`, its only verb. */
static const struct command *command_of_words(struct invocation *v)
{
    const struct command *c = v->n >= 2 ? command_find(v->word[0], v->word[1]) : NULL;
    if (c || v->n < 2 || v->n == WORDS_MAX || !strchr("{@-", v->word[1][0]))
        return c;
    if ((c = command_find(v->word[0], "run"))) {
        memmove(&v->word[2], &v->word[1], (v->n - 1) * sizeof v->word[0]);
        v->word[1] = c->verb;
        v->n++;
    }
    return c;
}

int cli_run(int argc, char **argv)
{
    struct invocation v;
    const char *word = invocation_word(argc, argv);
    if (argc == 2 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")))
        return print_version(argc, argv);
    for (size_t i = 0; i < N_TOOLS; i++)
        if (!strcmp(word, tools[i].name))
            return tool_run(&tools[i], argc, argv);
    if (!invocation_parse(argc, argv, NULL, 0, &v))
        return EXIT_USAGE;
    if (v.n && !strcmp(v.word[0], "help")) { /* `help number` means `number --help` */
        memmove(v.word, v.word + 1, --v.n * sizeof v.word[0]);
        v.help = true;
    }
    if (v.help) {
        if (v.n && noun_is(v.word[0]))
            noun_print_usage(stdout, v.word[0]);
        else
            print_usage(stdout);
        return 0;
    }
    const struct command *c = command_of_words(&v);
    return c ? command_run(&v, c) : print_unknown(&v);
}
