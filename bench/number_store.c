/* number_store: fills a store in jobs of JOB_ROWS settings, without a daemon: a million takes a
 * minute that way. The documents are what the API would have stored. */
#include "number_store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/settings.h"
#include "store/rows/settings.h"
#include "tenants.h"

enum { JOB_ROWS = 10000, POLL_US = 1000, START_MAX_US = 120 * 1000000 };

struct fill_job {
    struct store_job job;
    const struct number_store *s;
    int hook;
    uint64_t account;
    size_t from, to;
    struct buf doc;
};

static void must(enum err err, const char *what)
{
    if (err == OK)
        return;
    fprintf(stderr, "bench_numbers: %s: %s\n", what, err_text(err));
    exit(1);
}

void number_text(size_t i, char out[NUMBER_TEXT_SIZE])
{
    snprintf(out, NUMBER_TEXT_SIZE, "+4479%08u", (unsigned)(i % 100000000));
}

void number_endpoint_id(const struct number_store *s, size_t i, char out[ID_SIZE])
{
    snprintf(out, ID_SIZE, "ep_%026zu", s->one_for_all ? 0 : i);
}

static enum err put_account(struct fill_job *f, struct db *db)
{
    struct account a = {.name = "default"};
    buf_reset(&f->doc);
    account_print(&a, &f->doc);
    struct setting s = {.kind = SETTING_ACCOUNT,
                        .id = STR("acc_00000000000000000000000000"),
                        .key = STR("default"),
                        .doc = buf_str(&f->doc)};
    enum err err = setting_put(db, &s);
    f->account = s.n;
    return err;
}

static enum err put_number(struct fill_job *f, struct db *db, size_t i)
{
    static const struct forward nothing;
    char label[32];
    struct did d = {.voice = true,
                    .sms = true,
                    .given_voice = true,
                    .given_sms = true,
                    .country = "GB",
                    .label = label,
                    .type = "mobile",
                    .monthly_cost = "",
                    .setup_fee = "",
                    .forward = &nothing};
    char text[NUMBER_TEXT_SIZE];
    number_text(i, text);
    must(str_copy(str_of(text), d.e164, sizeof d.e164), text);
    snprintf(label, sizeof label, "Customer %zu", i);
    buf_reset(&f->doc);
    did_print(&d, &f->doc);
    struct setting s = {.kind = SETTING_NUMBER,
                        .id = str_of(d.e164),
                        .key = str_of(d.e164),
                        .account = f->account,
                        .doc = buf_str(&f->doc)};
    return setting_put(db, &s);
}

static enum err put_endpoint(struct fill_job *f, struct db *db, size_t i)
{
    char url[96], id[ID_SIZE], secret[SECRET_SIZE], text[NUMBER_TEXT_SIZE], number[1][NUMBER_SIZE];
    struct endpoint e = {.url = url,
                         .fallback_url = "",
                         .events = event_mask_default(),
                         .secret = {secret, ""},
                         .disabled_why = "",
                         .control_timeout_ms = 3000,
                         .concurrency = 8};
    number_text(i, text);
    must(str_copy(str_of(text), number[0], NUMBER_SIZE), text);
    if (!f->s->one_for_all) {
        e.numbers = (const char(*)[NUMBER_SIZE])number;
        e.n_numbers = 1;
    }
    secret_new(secret);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/h/%zu", f->hook, i);
    number_endpoint_id(f->s, i, id);
    buf_reset(&f->doc);
    endpoint_print(&e, &f->doc);
    struct setting s = {.kind = SETTING_ENDPOINT,
                        .id = str_of(id),
                        .key = str_of(id),
                        .account = f->account,
                        .doc = buf_str(&f->doc)};
    return setting_put(db, &s);
}

static enum err fill_run(struct store_job *job, struct db *db)
{
    struct fill_job *f = (struct fill_job *)job;
    enum err err = f->from ? OK : put_account(f, db);
    for (size_t i = f->from; err == OK && i < f->to; i++) {
        err = put_number(f, db, i);
        if (err == OK && (i == 0 || !f->s->one_for_all))
            err = put_endpoint(f, db, i);
    }
    return err;
}

void number_store_fill(const struct number_store *s, int hook)
{
    char url[256], why[256] = "";
    struct store *store;
    struct fill_job f = {.job.run = fill_run, .s = s, .hook = hook};
    mkdir(s->dir, 0700);
    snprintf(url, sizeof url, "sqlite:%s/hookswitch.db", s->dir);
    const struct store_config c = {.url = url};
    must(store_open(&c, &store, why, sizeof why), why);
    buf_init(&f.doc, 1 << 20);
    for (; f.from < s->n; f.from = f.to) {
        f.to = f.from + JOB_ROWS < s->n ? f.from + JOB_ROWS : s->n;
        must(store_write_now(store, &f.job), "filling");
    }
    buf_fini(&f.doc);
    store_close(store);
}

/* ---- its daemon ---- */

static void be_daemon(const struct number_store *s)
{
    char data[256], http[64], sip[64];
    const char *bin = getenv("bin");
    snprintf(data, sizeof data, "data_dir=%s", s->dir);
    snprintf(http, sizeof http, "http.listen=127.0.0.1:%d", s->http);
    snprintf(sip, sizeof sip, "sip.listen=udp:127.0.0.1:%d", s->sip);
    if (bin)
        execl(bin, bin, "serve", "--set", data, "--set", http, "--set", sip, "--set",
              "http_client.allow=127.0.0.0/8", "--set", "bootstrap.admin_key=hsk_bench", "--set",
              "log.level=error", (char *)NULL);
    perror(bin ? bin : "$bin is not set");
    _exit(127);
}

double number_store_start(struct number_store *s)
{
    int64_t start = clock_mono_us(), now = start;
    s->pid = fork();
    if (s->pid == 0)
        be_daemon(s);
    while (api_call(s->http, "GET", "/readyz", NULL, NULL, NULL) != 200) {
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid || now - start > START_MAX_US) {
            fprintf(stderr, "the daemon of %s did not start\n", s->dir);
            exit(1);
        }
        usleep(POLL_US);
        now = clock_mono_us();
    }
    return (double)(clock_mono_us() - start) / 1e3;
}

void number_store_kill(struct number_store *s)
{
    if (!s->pid)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}
