#include "api_kit.h"

#include <string.h>
#include <unistd.h>

#include "api/core/access.h"
#include "api/core/bootstrap.h"
#include "api/core/hasher.h"
#include "api/core/key_uses.h"
#include "api/core/logins.h"
#include "api/core/throttle.h"
#include "api/core/work.h"
#include "api/http/server_inside.h"
#include "api/routes.h"
#include "hub/endpoint_room.h"
#include "store/cursor_key.h"

enum { TEXT_MAX = 64 * 1024 };

struct api api_kit;
char api_kit_operator[] = "hsk_0123456789abcdef0123456789abcdef01234567";
unsigned api_kit_nudged;
struct stored_events api_kit_stored;
static char dir[64];
static struct server server;
static struct worker worker; /* its loop is turned by the test, and opens all mail */
static bool is_answered;
static struct exchange *x;
static struct answer answered;

static void nudge(void *arg, uint64_t endpoint)
{
    api_kit_nudged++;
}

static void on_stored(void *arg, const struct stored *s)
{
    api_kit_stored.n++;
    api_kit_stored.n_deliveries = s->n_deliveries;
}

struct key_job {
    struct store_job job; /* first */
};

static enum err key_run(struct store_job *job, struct db *db)
{
    return cursor_key_get(db, api_kit.cursor_key);
}

void api_kit_begin(void)
{
    char url[128], why[256];
    bool has_operator;
    struct key_job key = {.job.run = key_run};
    snprintf(dir, sizeof dir, "/tmp/hookswitch-api-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    const struct store_config c = {.url = url};
    api_kit = (struct api){.c = {.token_hours = 24, .heartbeat_ms = 1000, .nudge = nudge}};
    api_kit_nudged = 0;
    api_kit_stored = (struct stored_events){0};
    server = (struct server){.c = {.request_size = sizeof(struct request),
                                   .over = request_over,
                                   .refuse = problem_of_refusal,
                                   .arg = &api_kit}};
    assert_ok(store_open(&c, &api_kit.c.store, why, sizeof why));
    assert_ok(books_open(api_kit.c.store, &api_kit.c.books));
    assert_ok(intake_new(api_kit.c.store, on_stored, NULL, &api_kit.c.intake));
    assert_ok(loop_new(&worker.loop, "test", 1 << 16));
    api_kit.home = loop_mailbox(worker.loop);
    assert_ok(store_read_now(api_kit.c.store, &key.job));
    assert_ok(rates_new(0, &api_kit.rates));
    assert_ok(endpoint_room_new(&api_kit.endpoint_room));
    assert_ok(logins_open(api_kit.c.store, &api_kit.logins));
    assert_ok(key_uses_new(api_kit.c.store, api_kit.home, &api_kit.key_uses));
    assert_ok(throttle_new(&api_kit.throttle));
    assert_ok(hasher_start(&api_kit.hasher));
    assert_ok(api_bootstrap(api_kit.c.store, api_kit.c.books, api_kit_operator, &has_operator));
    assert_true(has_operator);
}

/* ---- requests ---- */

static void on_answered(struct mail *m)
{
    is_answered = true;
}

void api_kit_wait(void)
{
    while (!is_answered)
        loop_turn(worker.loop, 1000);
}

static void forget(void)
{
    json_free(answered.json);
    answered = (struct answer){0};
    if (!x)
        return;
    if (atomic_load(&x->turn) == TURN_CALLED)
        api_kit_wait(); /* its mail is on its way */
    request_over(x->r);
    request_reader_fini(&x->in);
    buf_fini(&x->query);
    buf_fini(&x->r->body);
    buf_fini(&x->r->out);
    free(x);
    x = NULL;
}

static bool on_head(struct request_reader *in)
{
    struct exchange *e = in->arg;
    return exchange_read_head(e);
}

static struct request *read_request(const char *method, const char *path, const char *lines,
                                    const char *body)
{
    static char text[TEXT_MAX];
    forget();
    int n = snprintf(text, sizeof text,
                     "%s %s HTTP/1.1\r\nHost: x\r\n%s%s%sContent-Length: %zu\r\n\r\n%s", method,
                     path, lines, "", "", body ? strlen(body) : 0, body ? body : "");
    assert_in_range(n, 1, sizeof text - 1);
    x = calloc(1, sizeof *x + sizeof(struct request));
    assert_non_null(x);
    x->r = (struct http_request *)x->request;
    x->worker = &worker;
    x->r->server = &server;
    x->r->exchange = x;
    x->r->method = "GET";
    x->r->raw_path = x->r->path;
    x->r->content_type = "application/json";
    assert_ok(str_copy(STR("192.0.2.7"), x->r->address, sizeof x->r->address));
    buf_init(&x->r->body, REQUEST_BODY_MAX);
    buf_init(&x->r->out, ANSWER_MAX);
    request_reader_init(&x->in, &x->r->body, on_head, x);
    struct str bytes = str_of_bytes(text, (size_t)n);
    assert_int_equal(request_reader_feed(&x->in, &bytes), HTTP_READ_WHOLE);
    atomic_store(&x->turn, TURN_WAITS); /* http_done sends mail, from whatever thread */
    x->mail.open = on_answered;
    is_answered = false;
    return request_of(x->r);
}

struct answer *api_kit_ask(const char *method, const char *path, const char *key, const char *lines,
                           const char *body)
{
    static char all[4096];
    snprintf(all, sizeof all, "%s%s%s%s", key ? "Authorization: Bearer " : "", key ? key : "",
             key ? "\r\n" : "", lines);
    struct request *r = read_request(method, path, all, body);
    api_handle(&r->http);
    api_kit_wait();
    buf_putc(&r->http.out, '\0');
    answered = (struct answer){.status = r->http.status,
                               .body = r->http.out.p,
                               .etag = r->http.etag,
                               .location = r->http.location,
                               .more_header = r->http.more_header};
    if (json_parse(str_of(answered.body), &answered.json, NULL, 0) != OK)
        answered.json = NULL;
    return &answered;
}

struct answer *api_kit_must(int status, const char *method, const char *path, const char *body)
{
    struct answer *a = api_kit_ask(method, path, api_kit_operator, "", body);
    if (a->status != status)
        fail_msg("%s %s: %d %s", method, path, a->status, a->body);
    return a;
}

const char *answer_text(const struct answer *a, const char *member)
{
    static char text[8][1024];
    static unsigned n;
    struct str s = {0};
    char *out = text[n++ % 8];
    (void)json_str(json_get(a->json, member), &s);
    assert_ok(str_copy(s, out, sizeof text[0]));
    return out;
}

struct request *api_kit_request(const char *method, const char *path, const char *lines,
                                const char *body)
{
    struct request *r = read_request(method, path, lines, body);
    request_begin(r, &api_kit);
    r->book = book_take(api_kit.c.books);
    r->is_operator = r->can_read = r->can_write = true;
    r->asker = (struct asker){.id = "key_test", .name = "test", .rights = RIGHTS_ALL};
    r->account = book_account_named(r->book, STR("default"))->n;
    if (body && json_parse(buf_str(&r->http.body), &r->json, NULL, 0) != OK)
        r->json = NULL;
    return r;
}

struct work_job {
    struct store_job job; /* first */
    struct request *r;
    enum err (*work)(struct request *r, struct db *db);
};

static enum err work_run(struct store_job *job, struct db *db)
{
    struct work_job *w = (struct work_job *)job;
    w->r->db = db;
    w->r->n_audits = 0;
    return w->work(w->r, db);
}

enum err api_kit_read(struct request *r, enum err (*work)(struct request *r, struct db *db))
{
    struct work_job w = {.job.run = work_run, .r = r, .work = work};
    return store_read_now(api_kit.c.store, &w.job);
}

enum err api_kit_write(struct request *r, enum err (*work)(struct request *r, struct db *db))
{
    struct work_job w = {.job.run = work_run, .r = r, .work = work};
    return store_write_now(api_kit.c.store, &w.job);
}

/* ---- the end ---- */

void api_kit_end(void)
{
    char path[128];
    static const char *const file[] = {"t.db", "t.db-wal", "t.db-shm", "t.db.lock"};
    forget();
    hasher_stop(api_kit.hasher);
    key_uses_flush(api_kit.key_uses);
    loop_turn(worker.loop, 0);
    throttle_free(api_kit.throttle);
    key_uses_free(api_kit.key_uses);
    logins_free(api_kit.logins);
    endpoint_room_free(api_kit.endpoint_room);
    rates_free(api_kit.rates);
    store_close(api_kit.c.store);
    loop_turn(worker.loop, 0);
    loop_free(worker.loop);
    intake_free(api_kit.c.intake);
    books_close(api_kit.c.books);
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, file[i]);
        unlink(path);
    }
    rmdir(dir);
}
