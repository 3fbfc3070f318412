/* bootstrap: makes the accounts and the operator key that a daemon begins with. Before the API
 * starts, on main's thread; its work on the store's. */
#include "api/core/bootstrap.h"

#include "base/clock.h"
#include "base/crypto.h"

struct operator_search {
    bool found;
    int64_t now_ms;
    enum err err;
};

/* A row that cannot be read counts as no operator, and the search goes on. */
static bool operator_search_on_setting(void *arg, const struct setting *s)
{
    struct operator_search *l = arg;
    struct json *doc = NULL;
    struct api_key *k = NULL;
    struct user *u = NULL;
    struct field_error fault;
    enum err err = json_parse(s->doc, &doc, NULL, 0);
    if (err == OK && s->kind == SETTING_KEY)
        err = api_key_parse(doc, &k, &fault);
    else if (err == OK)
        err = user_parse(doc, &u, &fault);
    if (err == ERR_NOMEM)
        l->err = err;
    l->found = (k && k->operator_ && (!k->expires_at_ms || k->expires_at_ms > l->now_ms)) ||
               (u && u->role == ROLE_OPERATOR);
    api_key_free(k);
    user_free(u);
    json_free(doc);
    return !l->found && l->err == OK;
}

enum err operator_exists(struct db *db, bool *ret)
{
    struct operator_search l = {.now_ms = clock_wall_ms()}; /* keys end on a date */
    enum err err = setting_list(db, SETTING_KEY, 0, 0, 0, operator_search_on_setting, &l);
    if (err == OK && l.err == OK && !l.found)
        err = setting_list(db, SETTING_USER, 0, 0, 0, operator_search_on_setting, &l);
    *ret = l.found;
    return err == OK ? l.err : err;
}

/* ---- the first accounts and key ---- */

struct bootstrap_job {
    struct store_job job; /* first */
    struct books *books;
    const char *key;
    struct setting made[3];
    size_t n;
    char id[3][ID_SIZE], hash[2 * SHA256_SIZE + 1];
    struct buf doc[3], mem;
    uint64_t account;
    bool has_operator;
};

static enum err bootstrap_put(struct bootstrap_job *j, struct db *db, enum setting_kind kind,
                              const char *prefix, struct str key)
{
    struct setting found, *s = &j->made[j->n];
    buf_reset(&j->mem);
    enum err err = setting_get_by_key(db, kind, key, &found, &j->mem);
    if (err == OK && kind == SETTING_ACCOUNT && !j->account)
        j->account = found.n;
    if (err != ERR_NOT_FOUND)
        return err;
    id_new(prefix, j->id[j->n]);
    *s = (struct setting){.kind = kind,
                          .id = str_of(j->id[j->n]),
                          .account = j->account,
                          .key = key,
                          .doc = buf_str(&j->doc[j->n])};
    buf_reset(&j->doc[j->n]);
    if (kind == SETTING_ACCOUNT) {
        struct account a = {0};
        (void)!str_copy(key, a.name, sizeof a.name);
        account_print(&a, &j->doc[j->n]);
    } else {
        struct api_key k = {
            .name = "bootstrap", .read = true, .write = true, .ingest = true, .operator_ = true};
        (void)!str_copy(key, k.hash, sizeof k.hash);
        api_key_print(&k, &j->doc[j->n]);
    }
    s->doc = buf_str(&j->doc[j->n]);
    err = setting_put(db, s);
    if (err == OK && kind == SETTING_ACCOUNT && !j->account)
        j->account = s->n;
    j->n += err == OK;
    return err;
}

static enum err bootstrap_run(struct store_job *job, struct db *db)
{
    struct bootstrap_job *j = (struct bootstrap_job *)job;
    j->n = 0;
    j->account = 0;
    enum err err = bootstrap_put(j, db, SETTING_ACCOUNT, "acc", STR("default"));
    if (err == OK)
        err = bootstrap_put(j, db, SETTING_ACCOUNT, "acc", STR("pool"));
    if (err == OK && j->key[0])
        err = bootstrap_put(j, db, SETTING_KEY, "key", str_of(j->hash));
    return err == OK ? operator_exists(db, &j->has_operator) : err;
}

static void bootstrap_committed(struct store_job *job)
{
    struct bootstrap_job *j = (struct bootstrap_job *)job;
    for (size_t i = 0; i < j->n; i++)
        books_changed(j->books, &j->made[i], false);
}

enum err api_bootstrap(struct store *s, struct books *b, const char *admin_key,
                       bool *ret_has_operator)
{
    uint8_t sum[SHA256_SIZE];
    struct buf hex;
    struct bootstrap_job j = {.job = {.run = bootstrap_run, .committed = bootstrap_committed},
                              .books = b,
                              .key = admin_key};
    crypto_sha256(str_of(admin_key), sum);
    buf_wrap(&hex, j.hash, sizeof j.hash - 1);
    buf_put_hex(&hex, str_of_bytes(sum, sizeof sum));
    for (size_t i = 0; i < 3; i++)
        buf_init(&j.doc[i], 65536);
    buf_init(&j.mem, 1 << 20);
    enum err err = store_write_now(s, &j.job);
    for (size_t i = 0; i < 3; i++)
        buf_fini(&j.doc[i]);
    buf_fini(&j.mem);
    *ret_has_operator = j.has_operator;
    return err;
}
