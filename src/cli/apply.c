/* apply: makes the daemon's settings what a file says. It finds each object by its key. A missing
 * object is created; one that differs is changed, in the members that differ alone; an equal one
 * is left alone. So the second run of a file changes nothing. Nothing is deleted unless --prune
 * asks for it. Main thread. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/declared.h"
#include "base/exit_code.h"
#include "cli/invocation.h"
#include "cli/print.h"

enum { FILE_MAX = 64 << 20, BODY_MAX = 256 * 1024 };

struct apply_run {
    struct invocation v;
    bool dry_run, prune;
    struct json *file;
    unsigned created, changed, deleted, same;
    int code;
};

/* ---- saying ---- */

static void print_key(const struct setting_list *k, const struct json *doc)
{
    struct str key = STR("?"), account;
    json_str(json_get(doc, k->key), &key);
    print_safe(stdout, key);
    if (json_str(json_get(doc, "account"), &account)) {
        fputs(" (", stdout);
        print_safe(stdout, account);
        fputc(')', stdout);
    }
}

static void print_value(const struct json *v)
{
    struct buf b;
    buf_init(&b, BODY_MAX);
    if (v)
        buf_put_json(&b, v);
    print_safe(stdout, v ? str_slice(buf_str(&b), 0, 200) : STR("nothing"));
    buf_fini(&b);
}

static void apply_print(const struct apply_run *a, const char *sign, const struct setting_list *k,
                        const struct json *doc)
{
    struct str key = STR("");
    static const char *const action[] = {"create", "change", "delete"};
    if (a->v.json) {
        struct buf b;
        buf_init(&b, BODY_MAX);
        struct json_writer w = {&b, false};
        json_str(json_get(doc, k->key), &key);
        json_obj(&w, NULL);
        json_put_str(&w, "action", str_of(action[*sign == '+' ? 0 : *sign == '~' ? 1 : 2]));
        json_put_str(&w, "kind", str_of(k->noun));
        json_put_str(&w, "key", key);
        json_end_obj(&w);
        printf("%.*s\n", STR_FMT(buf_str(&b)));
        buf_fini(&b);
        return;
    }
    printf("%s %s ", sign, k->noun);
    print_key(k, doc);
    fputc('\n', stdout);
}

/* ---- doing ---- */

static enum err apply_request(struct apply_run *a, const char *method, const char *path,
                              struct str body)
{
    if (a->dry_run)
        return OK;
    return declared_request(&a->v.client, method, path, body, NULL, &a->code);
}

static enum err setting_create(struct apply_run *a, const struct setting_list *k,
                               const struct json *wanted)
{
    struct buf b;
    apply_print(a, "+", k, wanted);
    buf_init(&b, BODY_MAX);
    buf_put_json(&b, wanted);
    enum err err = b.err == OK ? apply_request(a, "POST", k->collection, buf_str(&b)) : b.err;
    buf_fini(&b);
    a->created += err == OK;
    return err;
}

static bool member_is_absent(const struct json *v)
{
    return !v || json_kind(v) == JSON_IS_NULL;
}

static bool setting_differs(const struct json *a, const struct json *b)
{
    return member_is_absent(a) || member_is_absent(b) ? member_is_absent(a) != member_is_absent(b)
                                                      : !json_same(a, b);
}

/* The path of an endpoint has its id, that of a number the number itself, whose + is escaped. */
static void setting_path(const struct setting_list *k, const struct declared_one *one,
                         char out[512])
{
    const char *id = one->id;
    snprintf(out, 512, "%s/%s%s", k->collection, *id == '+' ? "%2B" : "", id + (*id == '+'));
}

static enum err setting_change(struct apply_run *a, const struct setting_list *k,
                               const struct declared_one *now, const struct json *wanted)
{
    char path[512];
    void *it = NULL;
    struct str name;
    const struct json *v;
    struct buf b;
    unsigned changes = 0;
    buf_init(&b, BODY_MAX);
    struct json_writer w = {&b, false};
    json_obj(&w, NULL);
    while (json_next(wanted, &it, &name, &v)) {
        char member[256];
        if (declared_is_one_of(k->secret, name) || str_eq(name, STR("account")) ||
            str_copy(name, member, sizeof member) != OK ||
            !setting_differs(json_get(now->doc, member), v))
            continue;
        if (changes++ == 0)
            apply_print(a, "~", k, wanted);
        if (!a->v.json) {
            fputs("    ", stdout);
            print_safe(stdout, name);
            fputs(": ", stdout);
            print_value(json_get(now->doc, member));
            fputs(" -> ", stdout);
            print_value(v);
            fputc('\n', stdout);
        }
        json_put_raw(&w, member, STR(""));
        buf_put_json(&b, v);
    }
    json_end_obj(&w);
    setting_path(k, now, path);
    enum err err = b.err;
    if (err == OK && changes)
        err = apply_request(a, "PATCH", path, buf_str(&b));
    buf_fini(&b);
    a->changed += err == OK && changes;
    a->same += changes == 0;
    return err;
}

static enum err settings_prune(struct apply_run *a, const struct setting_list *k,
                               struct setting_lists *now)
{
    char path[512];
    enum err err = OK;
    for (size_t i = 0; err == OK && i < now->n; i++) {
        if (now->at[i].matched)
            continue;
        apply_print(a, "-", k, now->at[i].doc);
        setting_path(k, &now->at[i], path);
        err = apply_request(a, "DELETE", path, (struct str){0});
        a->deleted += err == OK;
    }
    return err;
}

static enum err apply_kind(struct apply_run *a, const struct setting_list *k,
                           const struct json *wanted)
{
    struct setting_lists now;
    enum err err = declared_read(&a->v.client, k, &now, &a->code);
    if (err == ERR_DENIED)
        fprintf(stderr, "hookswitch apply: this key may not read %s\n", k->member);
    for (size_t i = 0; err == OK && i < json_len(wanted); i++) {
        const struct json *one = json_at(wanted, i);
        struct declared_one *there = declared_find(&now, k, one);
        if (there)
            there->matched = true;
        err = there ? setting_change(a, k, there, one) : setting_create(a, k, one);
    }
    if (err == OK && a->prune)
        err = settings_prune(a, k, &now);
    declared_fini(&now);
    return err;
}

/* ---- the file ---- */

PRINTF_LIKE(2, 3) static enum err refuse(const char *file, const char *fmt, ...)
{
    va_list args;
    fprintf(stderr, "hookswitch apply: %s: ", file);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return ERR_INVALID;
}

/* Checks the whole file before anything is changed. */
static enum err file_check(const struct apply_run *a, const char *file)
{
    void *it = NULL;
    struct str name, key;
    const struct json *v;
    if (json_kind(a->file) != JSON_IS_OBJECT)
        return refuse(file, "an object is needed, as `hookswitch export` prints it");
    while (json_next(a->file, &it, &name, &v)) {
        const struct setting_list *k = NULL;
        for (size_t i = 0; i < DECLARED_KINDS; i++)
            if (str_eq(name, str_of(declared_kinds[i].member)))
                k = &declared_kinds[i];
        if (!k) {
            name = str_slice(name, 0, 60);
            return refuse(file,
                          "\"%.*s\" is none of trunks, smpp_links, numbers, extensions, endpoints",
                          STR_FMT(name));
        }
        if (json_kind(v) != JSON_IS_ARRAY)
            return refuse(file, "%s: an array is needed", k->member);
        for (size_t i = 0; i < json_len(v); i++)
            if (json_kind(json_at(v, i)) != JSON_IS_OBJECT ||
                !json_str(json_get(json_at(v, i), k->key), &key))
                return refuse(file, "%s[%zu]: an object with \"%s\" is needed", k->member, i,
                              k->key);
    }
    return OK;
}

static enum err file_read(const char *name, struct json **ret)
{
    char where[160] = "it cannot be read";
    FILE *f = strcmp(name, "-") ? fopen(name, "r") : stdin;
    struct buf b;
    buf_init(&b, FILE_MAX);
    while (f && b.err == OK && !feof(f) && !ferror(f)) {
        char *room = buf_room(&b, 65536);
        if (room)
            b.n += fread(room, 1, 65536, f);
    }
    enum err err = !f || ferror(f) ? ERR_NOT_FOUND : b.err;
    if (err == OK)
        err = json_parse(str_trim(buf_str(&b)), ret, where, sizeof where);
    if (err != OK)
        fprintf(stderr, "hookswitch apply: %s: %s\n", name, where);
    if (f && f != stdin)
        fclose(f);
    buf_fini(&b);
    return err;
}

int apply_run(int argc, char **argv)
{
    struct apply_run a = {0};
    const struct option own[] = {{"--dry-run", NULL, &a.dry_run}, {"--prune", NULL, &a.prune}};
    if (!invocation_parse(argc, argv, own, 2, &a.v))
        return EXIT_USAGE;
    if (a.v.n != 2) {
        fputs("usage: hookswitch apply FILE.json [--dry-run] [--prune] (- is standard input)\n",
              stderr);
        return EXIT_USAGE;
    }
    enum err err = file_read(a.v.word[1], &a.file);
    if (err == OK)
        err = file_check(&a, a.v.word[1]);
    if (err != OK) {
        json_free(a.file);
        return err == ERR_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_USAGE;
    }
    for (size_t i = 0; err == OK && i < DECLARED_KINDS; i++) {
        const struct json *wanted = json_get(a.file, declared_kinds[i].member);
        if (wanted)
            err = apply_kind(&a, &declared_kinds[i], wanted);
    }
    json_free(a.file);
    if (!a.v.json)
        printf("%s%u created, %u changed, %u deleted, %u the same\n", a.dry_run ? "dry run: " : "",
               a.created, a.changed, a.deleted, a.same);
    return err == OK ? 0 : a.code ? a.code : 1;
}
