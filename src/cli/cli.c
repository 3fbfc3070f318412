/* cli: the API from the shell. `hookswitch number list` is GET /v1/numbers; the table below says
 * which words mean which request. Where the daemon is and who asks: --url and --key, or
 * HOOKSWITCH_URL and HOOKSWITCH_KEY. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/json.h"
#include "cli/client.h"
#include "cli/options.h"

static const char usage[] =
    "usage: hookswitch COMMAND\n"
    "\n"
    "  serve [--config FILE] [--set KEY=VALUE]...   the daemon\n"
    "  demo                                         see it work, on a temporary store\n"
    "  doctor [--sip-peer HOST]                     is this machine fit for it?\n"
    "  backup FILE | restore FILE [--config FILE]   the store as one file, and back\n"
    "  number   list | get E164 | create JSON | set E164 JSON | delete E164\n"
    "           forward E164 [JSON]                 read, or set, where its calls go\n"
    "           erase E164                          its events, deliveries and ended calls\n"
    "  endpoint list | get ID | create JSON | set ID JSON | delete ID\n"
    "           test ID | enable ID | rotate-secret ID\n"
    "           recover ID JSON | recoveries ID     {since, until, dry_run}: sends again what it "
    "missed\n"
    "  recovery get ID | cancel ID\n"
    "  erasure  get ID\n"
    "  trunk    list | get ID | create JSON | set ID JSON | delete ID\n"
    "  smpp-link list | get ID | create JSON | set ID JSON | delete ID\n"
    "  event    list [QUERY] | get ID | resend ID [JSON]\n"
    "  call     list [QUERY] | get ID | hangup ID\n"
    "  key      list | create JSON | delete ID\n"
    "  account  list | get ID | create JSON | set ID JSON\n"
    "  config   a commented configuration file with all defaults\n"
    "  version\n"
    "\n"
    "  --url URL     the daemon's API          (HOOKSWITCH_URL, http://127.0.0.1:8080)\n"
    "  --key KEY     who asks                  (HOOKSWITCH_KEY)\n"
    "  --json        answers as JSON, for programs\n";

/* noun, verb, method, path ({} is the first argument), takes a body (2: may), takes a query */
static const struct command {
    const char *noun, *verb, *method, *path;
    int body;
    bool query;
} commands[] = {
    {"number", "list", "GET", "/v1/numbers", 0, true},
    {"number", "get", "GET", "/v1/numbers/{}", 0, false},
    {"number", "create", "POST", "/v1/numbers", 1, false},
    {"number", "set", "PATCH", "/v1/numbers/{}", 1, false},
    {"number", "delete", "DELETE", "/v1/numbers/{}", 0, false},
    {"number", "forward", "PUT", "/v1/numbers/{}/forward", 2, false},
    {"number", "erase", "DELETE", "/v1/numbers/{}/data", 0, false},
    {"erasure", "get", "GET", "/v1/erasures/{}", 0, false},
    {"endpoint", "list", "GET", "/v1/endpoints", 0, true},
    {"endpoint", "get", "GET", "/v1/endpoints/{}", 0, false},
    {"endpoint", "create", "POST", "/v1/endpoints", 1, false},
    {"endpoint", "set", "PATCH", "/v1/endpoints/{}", 1, false},
    {"endpoint", "delete", "DELETE", "/v1/endpoints/{}", 0, false},
    {"endpoint", "test", "POST", "/v1/endpoints/{}/test", 0, false},
    {"endpoint", "enable", "POST", "/v1/endpoints/{}/enable", 0, false},
    {"endpoint", "rotate-secret", "POST", "/v1/endpoints/{}/rotate-secret", 0, false},
    {"endpoint", "recover", "POST", "/v1/endpoints/{}/recover", 1, false},
    {"endpoint", "recoveries", "GET", "/v1/endpoints/{}/recoveries", 0, true},
    {"recovery", "get", "GET", "/v1/recoveries/{}", 0, false},
    {"recovery", "cancel", "POST", "/v1/recoveries/{}/cancel", 0, false},
    {"trunk", "list", "GET", "/v1/trunks", 0, true},
    {"trunk", "get", "GET", "/v1/trunks/{}", 0, false},
    {"trunk", "create", "POST", "/v1/trunks", 1, false},
    {"trunk", "set", "PATCH", "/v1/trunks/{}", 1, false},
    {"trunk", "delete", "DELETE", "/v1/trunks/{}", 0, false},
    {"smpp-link", "list", "GET", "/v1/smpp-links", 0, true},
    {"smpp-link", "get", "GET", "/v1/smpp-links/{}", 0, false},
    {"smpp-link", "create", "POST", "/v1/smpp-links", 1, false},
    {"smpp-link", "set", "PATCH", "/v1/smpp-links/{}", 1, false},
    {"smpp-link", "delete", "DELETE", "/v1/smpp-links/{}", 0, false},
    {"event", "list", "GET", "/v1/events", 0, true},
    {"event", "get", "GET", "/v1/events/{}", 0, false},
    {"event", "resend", "POST", "/v1/events/{}/resend", 2, false},
    {"call", "list", "GET", "/v1/calls", 0, true},
    {"call", "get", "GET", "/v1/calls/{}", 0, false},
    {"call", "hangup", "POST", "/v1/calls/{}/hangup", 0, false},
    {"key", "list", "GET", "/v1/keys", 0, true},
    {"key", "create", "POST", "/v1/keys", 1, false},
    {"key", "delete", "DELETE", "/v1/keys/{}", 0, false},
    {"account", "list", "GET", "/v1/accounts", 0, true},
    {"account", "get", "GET", "/v1/accounts/{}", 0, false},
    {"account", "create", "POST", "/v1/accounts", 1, false},
    {"account", "set", "PATCH", "/v1/accounts/{}", 1, false},
};

struct invocation {
    struct client client;
    bool json;
    const char *word[8];
    size_t n;
};

static bool invocation_parse(int argc, char **argv, struct invocation *v)
{
    const char *url = getenv("HOOKSWITCH_URL");
    *v = (struct invocation){
        .client = {.url = url ? url : "http://127.0.0.1:8080", .key = getenv("HOOKSWITCH_KEY")}};
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json")) {
            v->json = true;
        } else if (!strcmp(argv[i], "--url") && i + 1 < argc) {
            v->client.url = argv[++i];
        } else if (!strcmp(argv[i], "--key") && i + 1 < argc) {
            v->client.key = argv[++i];
        } else if (argv[i][0] == '-' || v->n == 8) {
            fprintf(stderr, "hookswitch: unknown option or one word too many: \"%s\"\n", argv[i]);
            return false;
        } else {
            v->word[v->n++] = argv[i];
        }
    }
    return true;
}

/* Text of the network on a terminal: nothing that could drive it. */
static void print_safe(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t n = str_utf8_at(s, i);
        unsigned char c = (unsigned char)s.p[i];
        bool control = n == 0 || c < 0x20 || c == 0x7f || (n == 2 && c == 0xc2);
        if (control)
            fputc('?', stdout);
        else
            fwrite(s.p + i, 1, n, stdout);
        i += n ? n : 1;
    }
}

static void print_value(const struct json *v)
{
    struct str s;
    struct buf b;
    if (json_str(v, &s)) {
        print_safe(s);
        return;
    }
    buf_init(&b, 1 << 20);
    buf_put_json(&b, v);
    print_safe(buf_str(&b));
    buf_fini(&b);
}

static void print_object(const struct json *o, bool one_line)
{
    void *it = NULL;
    struct str key;
    const struct json *v;
    bool first = true;
    while (json_next(o, &it, &key, &v)) {
        if (one_line) {
            fputs(first ? "" : "  ", stdout);
            print_value(v);
        } else {
            printf("%-16.*s ", STR_FMT(key));
            print_value(v);
            fputc('\n', stdout);
        }
        first = false;
    }
    if (one_line)
        fputc('\n', stdout);
}

static void print_answer(const struct invocation *v, struct str body, bool failed)
{
    struct json *doc = NULL;
    struct str detail;
    const struct json *data;
    if (json_parse(str_trim(body), &doc, NULL, 0) != OK || (v->json && !failed)) {
        fwrite(body.p, 1, body.n, stdout);
        if (body.n)
            fputc('\n', stdout);
    } else if (failed) {
        fputs("hookswitch: ", stderr);
        if (json_str(json_get(doc, "detail"), &detail))
            fprintf(stderr, "%.*s\n", STR_FMT(detail));
    } else if ((data = json_get(doc, "data"))) {
        for (size_t i = 0; i < json_len(data); i++)
            print_object(json_at(data, i), true);
    } else {
        print_object(doc, false);
    }
    json_free(doc);
}

static void put_escaped(struct buf *b, const char *s)
{
    for (; *s; s++)
        if ((*s >= '0' && *s <= '9') || ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z') ||
            strchr("-._~", *s))
            buf_putc(b, *s);
        else
            buf_printf(b, "%%%02X", (unsigned char)*s);
}

static int run(const struct invocation *v, const struct command *c)
{
    char path[2048];
    struct buf b;
    struct client_answer a = {0};
    size_t next = 2;
    const char *method = c->method;
    buf_wrap(&b, path, sizeof path - 1);
    for (const char *p = c->path; *p; p++) {
        if (*p != '{') {
            buf_putc(&b, *p);
            continue;
        }
        if (next >= v->n) {
            fprintf(stderr, "hookswitch %s %s: which one? an id is needed\n", c->noun, c->verb);
            return EXIT_USAGE;
        }
        put_escaped(&b, v->word[next++]);
        p++;
    }
    if (c->query && next < v->n)
        buf_printf(&b, "?%s", v->word[next++]);
    if (c->body == 1 && next >= v->n) {
        fprintf(stderr, "hookswitch %s %s: a JSON object is needed\n", c->noun, c->verb);
        return EXIT_USAGE;
    }
    struct str body = c->body && next < v->n ? str_of(v->word[next]) : (struct str){0};
    if (c->body == 2 && !body.p && !strcmp(method, "PUT"))
        method = "GET";
    if (b.err != OK)
        return EXIT_USAGE;
    path[b.n] = '\0';
    if (!body.p && !strcmp(method, "POST"))
        body = STR("{}");
    enum err err = client_request(&v->client, method, path, body, &a);
    int code = client_exit_code(err, a.status);
    if (err != OK)
        fprintf(stderr,
                "hookswitch: %s: %s. Is the daemon running there? (--url, HOOKSWITCH_URL)\n",
                v->client.url, err_text(err));
    else
        print_answer(v, buf_str(&a.body), code != 0);
    buf_fini(&a.body);
    return code;
}

static int print_config(void)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    config_print_example(&b);
    fwrite(b.p, 1, b.n, stdout);
    buf_fini(&b);
    return 0;
}

int cli_run(int argc, char **argv)
{
    struct invocation v;
    if (!invocation_parse(argc, argv, &v))
        return EXIT_USAGE;
    if (v.n == 1 && !strcmp(v.word[0], "version")) {
        puts("hookswitch " HOOKSWITCH_VERSION);
        return 0;
    }
    if (v.n == 1 && !strcmp(v.word[0], "config"))
        return print_config();
    for (size_t i = 0; v.n >= 2 && i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(v.word[0], commands[i].noun) && !strcmp(v.word[1], commands[i].verb))
            return run(&v, &commands[i]);
    if (v.n)
        fprintf(stderr, "hookswitch: unknown command \"%s%s%s\"\n\n", v.word[0], v.n > 1 ? " " : "",
                v.n > 1 ? v.word[1] : "");
    fputs(usage, stderr);
    return EXIT_USAGE;
}
