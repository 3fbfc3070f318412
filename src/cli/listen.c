/* listen: shows the event stream to a developer. Events come over the stream of the daemon, wait
 * in a short queue, and are POSTed one after another to the URL, signed with a secret of this
 * session. When the queue is full the stream is not read, and the daemon holds our place. Events
 * are printed on standard output; with --json everything else goes to standard error. Main thread.
 */
#include "cli/listen.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/exit_code.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/poster.h"
#include "cli/invocation.h"
#include "cli/print.h"
#include "cli/client/stream_client.h"

enum { QUEUE_FULL = 64, QUEUE_LOW = 16, TURN_MS = 100 };

struct queue_entry {
    struct queue_entry *next;
    char *id, *event;
    struct str payload; /* behind the struct */
    char bytes[];
};

struct listen {
    struct invocation v;
    const char *forward_to, *secret_text, *number, *type, *call_id, *since, *last_id, *format;
    const char *count_text;
    bool sip_headers;
    struct loop *loop;
    struct stream_client *stream;
    struct poster *poster;
    struct queue_entry *head, **tail;
    size_t n_waiting;
    FILE *talk;
    char path[4096], done_id[80];
    uint64_t count, n_events, n_good, n_bad;
    bool was_connected, told_waiting, over;
    int code;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
    interrupted = 1;
}

/* ---- printing ---- */

static struct str payload_member(const struct json *doc, const char *name, const char * or)
{
    struct str s;
    if (json_str(json_get(doc, name), &s) || json_str(json_get(doc, or), &s))
        return s;
    return STR("-");
}

static void padded_put(struct str s, size_t width)
{
    size_t used = print_width(s);
    print_safe(stdout, s);
    printf("%*s", used < width ? (int)(width - used) : 0, "");
}

static void print_json(const struct queue_entry *w, const struct post_outcome *f)
{
    struct buf b;
    struct json_writer j = {&b, false};
    buf_init(&b, 8 << 20);
    json_obj(&j, NULL);
    json_put_str(&j, "last_event_id", str_of(w->id));
    json_put_str(&j, "event", str_of(w->event));
    if (f) {
        if (f->status)
            json_put_i64(&j, "status", f->status);
        else
            json_put_null(&j, "status");
        json_put_str(&j, "error", f->err == OK ? (struct str){0} : str_of(f->detail));
        json_put_i64(&j, "duration_ms", f->duration_ms);
        json_put_i64(&j, "attempt", f->attempt);
    }
    json_put_raw(&j, "payload", w->payload);
    json_end_obj(&j);
    buf_putc(&b, '\n');
    fwrite(b.p, 1, b.n, stdout);
    buf_fini(&b);
}

static void print_text(const struct queue_entry *w, const struct post_outcome *f)
{
    char at[16];
    time_t now = time(NULL);
    struct tm tm;
    struct json *doc = NULL;
    strftime(at, sizeof at, "%H:%M:%S", localtime_r(&now, &tm));
    (void)!json_parse(w->payload, &doc, NULL, 0);
    printf("%s  ", at);
    padded_put(str_of(w->event), 20);
    padded_put(payload_member(doc, "caller_id", "from"), 14);
    fputs(" > ", stdout);
    padded_put(payload_member(doc, "did_number", "to"), 14);
    if (f && f->status)
        printf("  %3d %6lld ms", f->status, (long long)f->duration_ms);
    else if (f) {
        fputs("  ", stdout);
        print_safe(stdout, str_of(f->detail));
    }
    fputs("  ", stdout);
    print_safe(stdout, payload_member(doc, "id", "id"));
    if (!f) {
        fputs("\n    ", stdout);
        print_safe(stdout, w->payload);
    }
    fputc('\n', stdout);
    json_free(doc);
}

static void print_event(const struct listen *l, const struct queue_entry *w,
                        const struct post_outcome *f)
{
    (l->v.json ? print_json : print_text)(w, f);
    fflush(stdout);
}

/* ---- the queue ---- */

static void queue_drop_first(struct listen *l)
{
    struct queue_entry *w = l->head;
    (void)!str_copy(str_of(w->id), l->done_id, sizeof l->done_id);
    l->head = w->next;
    if (!l->head)
        l->tail = &l->head;
    l->n_waiting--;
    free(w);
    l->n_events++;
    l->over |= l->count && l->n_events == l->count;
    if (l->n_waiting <= QUEUE_LOW)
        stream_client_pause(l->stream, false);
}

static void queue_post_next(struct listen *l)
{
    while (l->head && !l->over) {
        if (!l->poster) {
            print_event(l, l->head, NULL);
            queue_drop_first(l);
        } else if (poster_post(l->poster, l->head->payload) == OK) {
            return;
        } else {
            fputs("hookswitch listen: not an event, ignored: ", stderr);
            print_safe(stderr, str_of(l->head->id));
            fputc('\n', stderr);
            l->n_bad++;
            queue_drop_first(l);
        }
    }
}

static void on_event_posted(void *arg, const struct post_outcome *f)
{
    struct listen *l = arg;
    if (f->again) {
        if (!l->told_waiting) {
            fprintf(stderr, "%s: ", l->forward_to);
            print_safe(stderr, str_of(f->detail));
            fputs("; waiting for it, events wait too\n", stderr);
        }
        l->told_waiting = true;
        return;
    }
    l->told_waiting = false;
    l->n_good += f->status >= 200 && f->status < 300;
    l->n_bad += f->status < 200 || f->status > 299;
    print_event(l, l->head, f);
    queue_drop_first(l);
    queue_post_next(l);
}

static void on_stream_event(void *arg, struct str event, struct str id, struct str data)
{
    struct listen *l = arg;
    struct queue_entry *w = malloc(sizeof *w + data.n + id.n + event.n + 2);
    if (!w)
        memory_gone("listen");
    struct buf b;
    buf_wrap(&b, w->bytes, data.n + id.n + event.n + 2);
    buf_put_str(&b, data);
    w->id = w->bytes + b.n;
    buf_put_str(&b, id);
    buf_putc(&b, '\0');
    w->event = w->bytes + b.n;
    buf_put_str(&b, event);
    buf_putc(&b, '\0');
    w->payload = str_of_bytes(w->bytes, data.n);
    w->next = NULL;
    *l->tail = w;
    l->tail = &w->next;
    if (++l->n_waiting == QUEUE_FULL)
        stream_client_pause(l->stream, true);
    if (l->n_waiting == 1)
        queue_post_next(l);
}

/* ---- the stream ---- */

static void print_detail(FILE *f, struct str text)
{
    struct json *doc = NULL;
    struct str detail;
    if (json_parse(text, &doc, NULL, 0) == OK && json_str(json_get(doc, "detail"), &detail))
        text = detail;
    print_safe(f, text);
    json_free(doc);
}

static void on_stream_news(void *arg, enum stream_news news, int status, int64_t again_ms,
                           struct str text)
{
    struct listen *l = arg;
    switch (news) {
    case STREAM_CONNECTED:
        fprintf(l->talk, "%s to %s%s\n", l->was_connected ? "connected again" : "connected",
                l->v.client.url,
                l->was_connected ? ", from where it was" : "; events come as they happen");
        l->was_connected = true;
        break;
    case STREAM_LOST:
        fprintf(stderr, "%s: ", l->v.client.url);
        print_detail(stderr, text);
        if (l->was_connected || status) {
            fprintf(stderr, "; again in %.1f s\n", (double)again_ms / 1000);
            break;
        }
        fputs("\n  is the daemon running there? (--url or HOOKSWITCH_URL)\n", stderr);
        l->code = EXIT_UNREACHABLE;
        l->over = true;
        break;
    case STREAM_REFUSED:
        fputs("hookswitch listen: ", stderr);
        print_detail(stderr, text);
        fputc('\n', stderr);
        if (status == 401)
            fputs("  give a valid key with --key or HOOKSWITCH_KEY\n", stderr);
        l->code = client_exit_code(OK, status);
        l->over = true;
    }
    fflush(l->talk);
}

/* ---- the command ---- */

static void print_usage(FILE *f)
{
    fputs("usage: hookswitch listen [--forward-to URL] [OPTIONS]\n"
          "\n"
          "Prints your account's events as they come. With --forward-to it POSTs each there, one "
          "after\n"
          "another, as a webhook is: same body, same headers, signed. Where nobody answers it "
          "waits.\n"
          "\n"
          "  --forward-to URL      e.g. http://localhost:3000/hooks\n"
          "  --secret whsec_…      the secret that signs (HOOKSWITCH_WEBHOOK_SECRET); else a new "
          "one\n"
          "  --format json|form    of the body that is POSTed (json)\n"
          "  --sip-headers         keep the sip_header_x_… members\n"
          "  --number E164  --type EVENT  --call-id ID      only these\n"
          "  --since TIME          begin with the events that occurred since then "
          "(2026-11-24T08:00:00Z)\n"
          "  --last-event-id ID    go on behind that event\n"
          "  --count N             end after N events\n"
          "  --json                a line of JSON for each event\n"
          "  --url URL  --key KEY  --ca-file FILE           the daemon's API, who asks, whom to "
          "trust\n"
          "\n"
          "Ctrl-C ends it, with a summary and the id to go on from.\n",
          f);
}

static int print_complaint(const char *option, const char *why)
{
    fprintf(stderr, "hookswitch listen: %s: %s\n", option, why);
    return EXIT_USAGE;
}

static void query_put(struct buf *b, const char *name, const char *value, char *sep)
{
    if (!value)
        return;
    buf_putc(b, *sep);
    buf_puts(b, name);
    buf_putc(b, '=');
    client_put_escaped(b, value, "-._~:");
    *sep = '&';
}

static int stream_path_make(struct listen *l)
{
    struct buf b;
    char sep = '?';
    buf_wrap(&b, l->path, sizeof l->path - 1);
    buf_puts(&b, "/v1/events/stream");
    query_put(&b, "number", l->number, &sep);
    query_put(&b, "type", l->type, &sep);
    query_put(&b, "call_id", l->call_id, &sep);
    query_put(&b, "since", l->since, &sep);
    if (b.err != OK)
        return print_complaint("--number, --type, --call-id, --since", "too long");
    l->path[b.n] = '\0';
    if (l->count_text &&
        (str_to_u64(str_of(l->count_text), INT64_MAX, &l->count) != OK || !l->count))
        return print_complaint("--count", "a whole number from 1 on");
    return 0;
}

/* Takes the secret of --secret, else that of the shell, else makes a new one and shows it. */
static int secret_choose(struct listen *l, char ret[SECRET_SIZE])
{
    char made[SECRET_SIZE];
    struct secret parsed;
    const char *text = l->secret_text ? l->secret_text : getenv("HOOKSWITCH_WEBHOOK_SECRET");
    bool is_new = !text || !*text;
    if (is_new) {
        secret_new(made);
        text = made;
    }
    if (secret_parse(str_of(text), &parsed) != OK || str_copy(str_of(text), ret, SECRET_SIZE) != OK)
        return print_complaint("--secret", "whsec_ and the base64 of 24 to 64 bytes");
    if (is_new)
        fprintf(l->talk,
                "Events are signed with this secret. For the shell of your program:\n\n"
                "export HOOKSWITCH_WEBHOOK_SECRET=%s\n\n",
                made);
    return 0;
}

static int listen_open_poster(struct listen *l)
{
    char text[2300];
    const char *why;
    struct poster_config c = {.loop = l->loop,
                              .sip_headers = l->sip_headers,
                              .ca_file = l->v.client.ca_file,
                              .on_posted = on_event_posted,
                              .arg = l};
    int n = snprintf(text, sizeof text, "%s%s", strstr(l->forward_to, "://") ? "" : "http://",
                     l->forward_to);
    if (n < 0 || (size_t)n >= sizeof text || url_parse(str_of(text), &c.url, &why) != OK)
        return print_complaint("--forward-to", "an http or https URL is needed");
    if (l->format && !body_format_parse(str_of(l->format), &c.format))
        return print_complaint("--format", "json or form");
    int code = secret_choose(l, c.secret);
    if (code)
        return code;
    enum err err = poster_open(&c, &l->poster);
    return err == OK ? 0 : print_complaint("--forward-to", err_text(err));
}

static int listen_open(struct listen *l)
{
    const char *why = "";
    struct stream_client_config c = {.key = l->v.client.key,
                                     .path = l->path,
                                     .last_id = l->last_id ? l->last_id : "",
                                     .ca_file = l->v.client.ca_file,
                                     .on_news = on_stream_news,
                                     .on_event = on_stream_event,
                                     .arg = l};
    if (url_parse(str_of(l->v.client.url), &c.url, &why) != OK)
        return print_complaint("--url", why);
    int code = stream_path_make(l);
    if (code)
        return code;
    enum err err = loop_new(&l->loop, "listen", 1024);
    if (err == OK && l->forward_to && (code = listen_open_poster(l)) != 0)
        return code;
    c.loop = l->loop;
    if (err == OK)
        err = stream_client_open(&c, &l->stream);
    if (err != OK)
        return print_complaint("it cannot begin", err_text(err));
    return 0;
}

static void print_summary(const struct listen *l)
{
    fprintf(l->talk, "\n%llu events", (unsigned long long)l->n_events);
    if (l->forward_to)
        fprintf(l->talk, ": %llu answered with 2xx, %llu not; %zu were still to be sent",
                (unsigned long long)l->n_good, (unsigned long long)l->n_bad, l->n_waiting);
    fputc('\n', l->talk);
    if (l->done_id[0]) {
        fputs("to go on from here: hookswitch listen --last-event-id ", l->talk);
        print_safe(l->talk, str_of(l->done_id));
        fputc('\n', l->talk);
    }
    fflush(l->talk);
}

static void listen_close(struct listen *l)
{
    stream_client_close(l->stream);
    poster_close(l->poster);
    while (l->head) {
        struct queue_entry *w = l->head;
        l->head = w->next;
        free(w);
    }
    if (l->loop)
        loop_free(l->loop);
}

static bool listen_parse_options(struct listen *l, int argc, char **argv)
{
    const struct option own[] = {
        {"--forward-to", &l->forward_to, NULL}, {"--secret", &l->secret_text, NULL},
        {"--format", &l->format, NULL},         {"--sip-headers", NULL, &l->sip_headers},
        {"--number", &l->number, NULL},         {"--type", &l->type, NULL},
        {"--call-id", &l->call_id, NULL},       {"--since", &l->since, NULL},
        {"--last-event-id", &l->last_id, NULL}, {"--count", &l->count_text, NULL}};
    if (!invocation_parse(argc, argv, own, sizeof own / sizeof *own, &l->v))
        return false;
    if (l->v.n > 1)
        print_complaint(l->v.word[1], "one word too many; --help shows what there is");
    return l->v.n <= 1;
}

int listen_run(int argc, char **argv)
{
    struct listen l = {.talk = stdout};
    struct sigaction act = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    l.tail = &l.head;
    if (!listen_parse_options(&l, argc, argv))
        return EXIT_USAGE;
    if (l.v.help) {
        print_usage(stdout);
        return 0;
    }
    if (l.v.json)
        l.talk = stderr;
    log_level_set(LOG_ERROR);
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    if (crypto_start() != OK)
        return print_complaint("it cannot begin", "no randomness");
    int code = listen_open(&l);
    fflush(l.talk);
    while (code == 0 && !l.over && !interrupted && !ferror(stdout))
        loop_turn(l.loop, TURN_MS);
    if (code == 0 && l.was_connected)
        print_summary(&l);
    listen_close(&l);
    return code ? code : l.code;
}
