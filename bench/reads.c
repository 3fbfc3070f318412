/* reads: measures every list and every filter of the API on a store with many events, for
 * `./dev bench api`: answers a second and the time of each, over a few connections, closed loop. It
 * fills the store first, through the API (fill).
 *
 *   bench_reads pid= http= hook= dir= events= connections= ms=      ms: for each line
 *
 * A page may be shorter than its limit while there is more. Then a line says how many pages along
 * `next_cursor` it takes until a page's rows are together or the list ends.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "asker.h"
#include "base/clock.h"
#include "figures.h"
#include "fill.h"
#include "traffic.h"

enum { BAR_MS = 50, PAGE_ROWS = 50, PAGES_MAX = 2000, WHOLE_MAX_US = 3000000, EMPTY = 1 };

/* Letters of a path that stand for another value in each request: */
enum value {
    NUMBER = 'N',  /* one of the account's */
    PEER = 'P',    /* a caller or sender */
    CALL = 'C',    /* a call that was posted */
    EVENT = 'E',   /* an event */
    ORDER = 'O',   /* the text of one message alone */
    TAKER = 'T',   /* the endpoint that takes all */
    IDLE = 'I',    /* the endpoint that got nothing */
    SINCE = 'S',   /* the last hundredth of the time */
    MIDDLE = 'M',  /* half of it */
    UNTIL = 'U',   /* the first hundredth */
    DEEP = 'D',    /* a cursor in the middle */
    OF_CALLS = 'K' /* a call that /v1/calls has */
};

static const struct list {
    const char *path, *row; /* row: a member that each row has once */
} events = {"/v1/events", "\"occurred_at\":"}, event = {"/v1/events/", "\"occurred_at\":"},
  calls = {"/v1/calls", "\"started_at\":"}, call = {"/v1/calls/", "\"started_at\":"},
  messages = {"/v1/messages", "\"received_at\":"},
  threads = {"/v1/messages/threads", "\"last_at\":"};

static const struct list_read {
    const struct list *list;
    const char *more; /* behind the path; "@N": a value */
    unsigned account; /* the account whose key is used */
    bool empty_too;   /* the same for an account that has nothing */
} looks[] = {
    {&events, "", FILL_BIG, EMPTY},
    {&events, "?limit=500", FILL_BIG, 0},
    {&events, "?cursor=@D", FILL_BIG, 0},
    {&events, "?number=@N", FILL_BIG, EMPTY},
    {&events, "?type=sms_received", FILL_BIG, EMPTY},
    {&events, "?type=call_transferred", FILL_BIG, EMPTY},
    {&events, "?call_id=call_@C", FILL_BIG, EMPTY},
    {&events, "?endpoint=@T", FILL_BIG, EMPTY},
    {&events, "?endpoint=@I", FILL_BIG, EMPTY},
    {&events, "?state=delivered", FILL_BIG, EMPTY},
    {&events, "?state=pending", FILL_BIG, EMPTY},
    {&events, "?state=given_up", FILL_BIG, EMPTY},
    {&events, "?state=canceled", FILL_BIG, EMPTY},
    {&events, "?state=pending&endpoint=@T", FILL_BIG, EMPTY},
    {&events, "?since=@S", FILL_BIG, EMPTY},
    {&events, "?until=@U", FILL_BIG, EMPTY},
    {&events, "?since=@U&until=@M", FILL_BIG, EMPTY},
    {&events, "?q=line%20active", FILL_BIG, EMPTY},
    {&events, "?q=order%20is%20@O.", FILL_BIG, EMPTY},
    {&events, "?q=zebra", FILL_BIG, EMPTY},
    {&events, "?q=zebra&number=@N", FILL_BIG, EMPTY},
    {&events, "?number=@N&type=call_transferred", FILL_BIG, EMPTY},
    {&events, "", FILL_SMALL, 0},
    {&events, "?type=call_transferred", FILL_SMALL, 0},
    {&events, "?state=delivered", FILL_SMALL, 0},
    {&events, "?since=@U&until=@M", FILL_SMALL, 0},
    {&events, "?q=zebra", FILL_SMALL, 0},
    {&event, "evt_@E", FILL_BIG, 0},
    {&calls, "", FILL_BIG, EMPTY},
    {&calls, "?number=@N", FILL_BIG, EMPTY},
    {&calls, "?since=@S", FILL_BIG, EMPTY},
    {&calls, "?until=@U", FILL_BIG, EMPTY},
    {&call, "@K", FILL_BIG, 0},
    {&messages, "", FILL_BIG, EMPTY},
    {&messages, "?number=@N", FILL_BIG, EMPTY},
    {&messages, "?peer=@P", FILL_BIG, EMPTY},
    {&messages, "?number=@N&peer=@P", FILL_BIG, EMPTY},
    {&messages, "?since=@S", FILL_BIG, EMPTY},
    {&messages, "?until=@U", FILL_BIG, EMPTY},
    {&messages, "?q=line%20active", FILL_BIG, EMPTY},
    {&messages, "?q=zebra", FILL_BIG, EMPTY},
    {&threads, "", FILL_BIG, EMPTY},
    {&threads, "?number=@N", FILL_BIG, EMPTY},
    {&events, "", FILL_ACCOUNTS, 0}, /* the operator */
    {&events, "?account=account%204", FILL_ACCOUNTS, 0},
    {&events, "?state=given_up", FILL_ACCOUNTS, 0},
    {&events, "?q=zebra", FILL_ACCOUNTS, 0},
    {&messages, "", FILL_ACCOUNTS, 0},
    {&threads, "", FILL_ACCOUNTS, 0},
};

struct read_run {
    struct fill *fill;
    const struct list_read *look;
    const char *key;
};

/* Returns an event of the big account, another one for each k. */
static size_t event_nth(const struct fill *f, size_t k)
{
    size_t e = k * 2654435761u % f->n;
    while (fill_account_of(e) != FILL_BIG)
        e = (e + FILL_BATCH) % f->n;
    return e;
}

static void value_put(const struct fill *f, enum value v, size_t k, struct buf *out)
{
    char text[24];
    size_t e = event_nth(f, k);
    switch (v) {
    case NUMBER:
        ledger_print_number(NULL, FILL_BIG, traffic_number_of(e), text);
        buf_printf(out, "%%2B%s", text + 1);
        break;
    case PEER:
        traffic_print_peer(e, text);
        buf_printf(out, "%%2B%s", text + 1);
        break;
    case CALL: buf_printf(out, "%026zu", e / TRAFFIC_TURN); break;
    case EVENT: buf_printf(out, "%026zu", e); break;
    case ORDER: buf_printf(out, "%zu", e / TRAFFIC_TURN * TRAFFIC_TURN + TRAFFIC_TURN - 1); break;
    case TAKER: buf_puts(out, f->taker); break;
    case IDLE: buf_puts(out, f->idle); break;
    case SINCE: buf_put_i64(out, f->at_ms[99]); break;
    case MIDDLE: buf_put_i64(out, f->at_ms[50]); break;
    case UNTIL: buf_put_i64(out, f->at_ms[1]); break;
    case DEEP: buf_puts(out, f->deep); break;
    case OF_CALLS: buf_puts(out, f->call_id[k % f->n_calls]); break;
    }
}

static void print_path(const struct read_run *r, size_t k, struct buf *out)
{
    buf_puts(out, r->look->list->path);
    for (const char *c = r->look->more; *c; c++)
        if (*c == '@')
            value_put(r->fill, (enum value) * ++c, k, out);
        else
            buf_putc(out, *c);
}

static void print_request(void *arg, size_t k, struct buf *out)
{
    const struct read_run *r = arg;
    buf_puts(out, "GET ");
    print_path(r, k, out);
    buf_printf(out, " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", r->key);
}

/* ---- what one answer has ---- */

static size_t rows_count(const struct buf *in, const char *what)
{
    size_t n = 0, at = 0, length = strlen(what);
    const char *p;
    for (; (p = memmem(in->p + at, in->n - at, what, length)); n++)
        at = (size_t)(p - in->p) + length;
    return n;
}

struct page {
    size_t rows, pages;
    int64_t took_us;
    bool ends; /* there is nothing behind it */
};

/* Reads on along next_cursor until there are PAGE_ROWS rows, each page over a connection of its
 * own. */
static void list_read_on(const struct read_run *r, struct page *ret)
{
    struct buf path, answer;
    char cursor[64] = "";
    int64_t start = clock_mono_us();
    *ret = (struct page){0};
    buf_init(&path, 1024);
    buf_init(&answer, 32 << 20);
    while (ret->rows < PAGE_ROWS && !ret->ends && ret->pages < PAGES_MAX &&
           clock_mono_us() - start < WHOLE_MAX_US) {
        buf_reset(&path);
        print_path(r, 0, &path);
        if (cursor[0])
            buf_printf(&path, "%ccursor=%s", strchr(r->look->more, '?') ? '&' : '?', cursor);
        buf_putc(&path, '\0');
        if (api_call(r->fill->http, "GET", path.p, r->key, NULL, &answer) != 200) {
            fprintf(stderr, "GET %s: %.*s\n", path.p, STR_FMT(buf_str(&answer)));
            exit(1);
        }
        ret->rows += rows_count(&answer, r->look->list->row);
        ret->pages++;
        ret->ends = !rows_count(&answer, "\"next_cursor\":\"");
        if (!ret->ends)
            answer_member(&answer, "next_cursor", cursor, sizeof cursor);
    }
    ret->took_us = clock_mono_us() - start;
    buf_fini(&path);
    buf_fini(&answer);
}

/* Reads the cursor behind the newest event of the first half. */
static void value_find_deep(struct fill *f)
{
    static const struct list_read middle = {&events, "?limit=1&until=@M", FILL_BIG, 0};
    struct read_run r = {f, &middle, f->tenants.key[FILL_BIG]};
    struct buf path, answer;
    size_t rows = 0;
    buf_init(&path, 1024);
    buf_init(&answer, 1 << 20);
    for (int pages = 0; !rows && pages < PAGES_MAX; pages++) {
        buf_reset(&path);
        print_path(&r, 0, &path);
        if (f->deep[0])
            buf_printf(&path, "&cursor=%s", f->deep);
        buf_putc(&path, '\0');
        if (api_call(f->http, "GET", path.p, r.key, NULL, &answer) != 200)
            break;
        rows = rows_count(&answer, events.row);
        answer_member(&answer, "next_cursor", f->deep, sizeof f->deep);
    }
    if (!rows) {
        fprintf(stderr, "no event in the first half: %.*s\n", STR_FMT(buf_str(&answer)));
        exit(1);
    }
    buf_fini(&path);
    buf_fini(&answer);
}

/* ---- the lines ---- */

static unsigned met, all;

static const char *key_of(const struct fill *f, unsigned account)
{
    return account < FILL_ACCOUNTS ? f->tenants.key[account] : f->tenants.admin_key;
}

static const char *asker_of(unsigned account)
{
    return account == FILL_BIG     ? ""
           : account == FILL_EMPTY ? "  has nothing: "
           : account == FILL_SMALL ? "  3 %: "
                                   : "  operator: ";
}

static void list_read(struct fill *f, const struct list_read *look, unsigned account, char **argv)
{
    struct asker_answer a;
    struct page page;
    char name[160];
    struct read_run r = {f, look, key_of(f, account)};
    struct asker_config c = {.port = f->http,
                             .connections = (unsigned)arg_int(argv, "connections", 4),
                             .run_us = arg_int(argv, "ms", 1000) * 1000,
                             .print = print_request,
                             .arg = &r,
                             .status = 200};
    ask(&c, &a);
    list_read_on(&r, &page);
    double p99 = asked_ms(&a, 0.99);
    bool good = p99 <= BAR_MS;
    snprintf(name, sizeof name, "%s%s%s", asker_of(account), look->list->path, look->more);
    say(name, "p99 %.2f ms: %s; p50 %.2f ms, %.0f reads/s, %zu rows", p99, good ? "met" : "NOT met",
        asked_ms(&a, 0.5), asked_per_sec(&a), page.rows);
    if (page.pages > 1)
        say("", "rows %s: %zu pages, %.1f ms",
            page.rows >= PAGE_ROWS ? "of a page"
            : page.ends            ? "of all"
                                   : "after 3 s, NOT all",
            page.pages, (double)page.took_us / 1e3);
    met += good;
    all++;
    free(a.answer_us);
}

static void print_store(const struct fill *f, const char *dir)
{
    struct stat st;
    char path[512];
    snprintf(path, sizeof path, "%s/hookswitch.db", dir);
    double mib = stat(path, &st) == 0 ? (double)st.st_size / (1 << 20) : 0;
    say("the store's file", "%.0f MiB; %ld MiB resident in the daemon", mib,
        resident_kb(f->pid) / 1024);
}

int main(int argc, char **argv)
{
    static struct fill f;
    signal(SIGPIPE, SIG_IGN);
    f.http = (int)arg_int(argv, "http", 7182);
    f.hook = (int)arg_int(argv, "hook", 7190);
    f.pid = (int)arg_int(argv, "pid", 0);
    fill_make(&f, (size_t)arg_int(argv, "events", 1000000));
    print_store(&f, arg_text(argv, "dir", "."));
    value_find_deep(&f);
    say_title("reads, %lld connections; bar: p99 at most %d ms",
              (long long)arg_int(argv, "connections", 4), BAR_MS);
    for (const struct list_read *l = looks; l < looks + sizeof looks / sizeof *looks; l++) {
        list_read(&f, l, l->account, argv);
        if (l->empty_too)
            list_read(&f, l, FILL_EMPTY, argv);
    }
    say("lines that met the bar", "%u of %u", met, all);
    print_store(&f, arg_text(argv, "dir", "."));
    return 0;
}
