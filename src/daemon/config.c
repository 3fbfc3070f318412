/* config: reads the configuration from four places in this order: the defaults of the table, the
 * file, the environment, --set. A later place wins. The table checks each value when it is read,
 * so that no caller has to. The main thread reads it once at the start (and at SIGHUP); it is
 * immutable afterwards. */
#include "daemon/config.h"

#include <ctype.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

enum { VALUE_MAX = 4096, KEY_MAX = 64 };
static const char env_prefix[] = "HOOKSWITCH_";

enum type { NUMBER, NUMBER_OR_0, SWITCH, CHOICE, TEXT, SECRET };

static const struct key {
    const char *name, *value, *form, *help;
    enum type type;
    int64_t least, most;
} table[] = {
#define X(id, key, type, value, least, most, form, help)                                           \
    {key, value, form, help, type, least, most},
    CONFIG_LIST(X)
#undef X
};

struct config {
    char *value[CONFIG_COUNT_]; /* NULL: the default */
    /* While loading: */
    char *why;
    size_t why_cap;
    const char *file;
    enum err err;
};

static int edit_distance_min(int a, int b)
{
    return a < b ? a : b;
}

/* Counts the edits (insert, delete, replace, swap of neighbours) between two short words. */
static int edit_distance(const char *a, const char *b)
{
    int row[3][KEY_MAX + 1];
    size_t n = strlen(a), m = strlen(b);
    if (n > KEY_MAX || m > KEY_MAX)
        return KEY_MAX;
    for (size_t k = 0; k <= m; k++)
        row[0][k] = (int)k;
    for (size_t i = 1; i <= n; i++) {
        int *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t k = 1; k <= m; k++) {
            now[k] = edit_distance_min(edit_distance_min(last[k], now[k - 1]) + 1,
                                       last[k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                now[k] = edit_distance_min(now[k], before[k - 2] + 1);
        }
    }
    return row[n % 3][m];
}

static int key_find(const char *name)
{
    for (int i = 0; i < CONFIG_COUNT_; i++)
        if (!strcmp(table[i].name, name))
            return i;
    return -1;
}

/* NULL: none is. */
static const char *key_near(const char *name)
{
    int best = 0;
    for (int i = 1; i < CONFIG_COUNT_; i++)
        if (edit_distance(name, table[i].name) < edit_distance(name, table[best].name))
            best = i;
    return edit_distance(name, table[best].name) <= (int)strlen(name) / 2 ? table[best].name : NULL;
}

static void load_fault(struct config *c, const char *where, const char *name)
{
    const char *near = key_near(name);
    if (c->err != OK)
        return; /* the first one counts */
    c->err = ERR_INVALID;
    if (near)
        snprintf(c->why, c->why_cap, "%sunknown key \"%.64s\"; did you mean \"%s\"?", where, name,
                 near);
    else
        snprintf(c->why, c->why_cap, "%sunknown key \"%.64s\"; `hookswitch config` lists them all",
                 where, name);
}

/* Is it a whole number within the bounds of the key? */
static bool number_parse(const struct key *k, const char *value, int64_t *ret)
{
    uint64_t v;
    if (str_to_u64(str_of(value), (uint64_t)k->most, &v) != OK)
        return false;
    *ret = (int64_t)v;
    return *ret >= k->least || (k->type == NUMBER_OR_0 && *ret == 0);
}

/* Is `value` a word of a list like "debug, info, warn or error"? */
static bool choice_has(const char *choices, const char *value)
{
    size_t n = strcspn(value, ", ");
    if (!n || value[n] || !strcmp(value, "or"))
        return false;
    for (const char *p = choices; (p = strstr(p, value)); p += n)
        if ((p == choices || p[-1] == ' ') && (!p[n] || p[n] == ',' || p[n] == ' '))
            return true;
    return false;
}

static bool value_is_allowed(const struct key *k, const char *value)
{
    int64_t number;
    switch (k->type) {
    case NUMBER:
    case NUMBER_OR_0: return number_parse(k, value, &number);
    case SWITCH: return !strcmp(value, "on") || !strcmp(value, "off");
    case CHOICE: return choice_has(k->form, value);
    case TEXT:
    case SECRET: break;
    }
    return strlen(value) <= (size_t)k->most;
}

static void load_fault_value(struct config *c, const char *where, const struct key *k)
{
    const char *or_0 = k->type == NUMBER_OR_0 ? "0, or " : "";
    c->err = ERR_INVALID;
    switch (k->type) {
    case NUMBER:
    case NUMBER_OR_0:
        snprintf(c->why, c->why_cap, "%s%s: %sa whole number from %lld to %lld is needed", where,
                 k->name, or_0, (long long)k->least, (long long)k->most);
        return;
    case SWITCH: snprintf(c->why, c->why_cap, "%s%s: on or off is needed", where, k->name); return;
    case CHOICE:
        snprintf(c->why, c->why_cap, "%s%s: %s is needed", where, k->name, k->form);
        return;
    case TEXT:
    case SECRET: break;
    }
    snprintf(c->why, c->why_cap, "%s%s: at most %lld bytes are allowed", where, k->name,
             (long long)k->most);
}

static void value_set(struct config *c, const char *where, const char *name, const char *value)
{
    int key = key_find(name);
    if (key < 0) {
        load_fault(c, where, name);
        return;
    }
    if (!value_is_allowed(&table[key], value)) {
        load_fault_value(c, where, &table[key]);
        return;
    }
    free(c->value[key]);
    c->value[key] = str_dup(str_of(value));
    if (!c->value[key])
        c->err = ERR_NOMEM;
}

static int on_ini(void *arg, const char *section, const char *name, const char *value)
{
    struct config *c = arg;
    char key[160];
    snprintf(key, sizeof key, "%s%s%s", section, *section ? "." : "", name);
    value_set(c, "", key, value);
    return c->err == OK;
}

static void load_file(struct config *c)
{
    char reason[256];
    FILE *f = fopen(c->file, "r");
    if (!f) {
        c->err = ERR_NOT_FOUND;
        snprintf(c->why, c->why_cap, "%s: cannot be opened", c->file);
        return;
    }
    int line = ini_parse_file(f, on_ini, c);
    fclose(f);
    if (line == 0 && c->err == OK)
        return;
    snprintf(reason, sizeof reason, "%s",
             c->err == OK ? "not a line of the form key = value" : c->why);
    snprintf(c->why, c->why_cap, "%s:%d: %s", c->file, line, reason);
    if (c->err == OK)
        c->err = ERR_SYNTAX;
}

/* Reads a secret's value from the file that …_FILE names, without its last newline. */
static void value_set_from_file(struct config *c, const char *name, const char *path)
{
    char text[VALUE_MAX];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    bool whole = f && !ferror(f) && feof(f);
    if (f)
        fclose(f);
    if (!whole) {
        c->err = ERR_NOT_FOUND;
        snprintf(c->why, c->why_cap, "%s: cannot be read, or is longer than %d bytes", path,
                 VALUE_MAX - 1);
        return;
    }
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    text[n] = '\0';
    value_set(c, "environment: ", name, text);
    crypto_wipe(text, sizeof text);
}

/* "store.url" → "STORE_URL" */
static void key_env_name(const char *name, char out[KEY_MAX + 1])
{
    size_t i = 0;
    for (; name[i] && i < KEY_MAX; i++)
        out[i] = name[i] == '.' ? '_' : (char)toupper((unsigned char)name[i]);
    out[i] = '\0';
}

/* Is it a variable of the commands? The daemon has no part in it. */
static bool is_command_variable(const char *name)
{
    static const char *const list[] = {"URL",    "KEY",  "CA_FILE", "WEBHOOK_SECRET",
                                       "BINARY", "KILLS"};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (!strcmp(name, list[i]))
            return true;
    return false;
}

/* Is it a variable that Kubernetes sets in every container beside a service called hookswitch? */
static bool is_service_variable(const char *name, const char *value)
{
    return !strncmp(name, "SERVICE_HOST", 12) || !strncmp(name, "SERVICE_PORT", 12) ||
           !strncmp(name, "PORT_", 5) ||
           (!strcmp(name, "PORT") &&
            (!strncmp(value, "tcp://", 6) || !strncmp(value, "udp://", 6)));
}

static void load_variable(struct config *c, const char *variable)
{
    char name[KEY_MAX + 1], known[KEY_MAX + 1], lower[KEY_MAX + 1];
    const char *value = strchr(variable, '=');
    size_t n = value ? (size_t)(value - variable) : 0;
    if (!value || n > KEY_MAX)
        return;
    memcpy(name, variable, n);
    name[n] = '\0';
    if (is_command_variable(name) || is_service_variable(name, value + 1))
        return;
    for (int i = 0; i < CONFIG_COUNT_; i++) {
        key_env_name(table[i].name, known);
        if (!strcmp(name, known)) {
            value_set(c, "environment: ", table[i].name, value + 1);
            return;
        }
        if (!strncmp(name, known, strlen(known)) && !strcmp(name + strlen(known), "_FILE")) {
            value_set_from_file(c, table[i].name, value + 1);
            return;
        }
    }
    char *dot, where[KEY_MAX + 32];
    for (size_t i = 0; i <= n; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    if ((dot = strchr(lower, '_')))
        *dot = '.';
    snprintf(where, sizeof where, "environment: %s%s: ", env_prefix, name);
    load_fault(c, where, lower);
}

static void load_set(struct config *c, const char *text)
{
    char name[KEY_MAX + 1];
    const char *value = strchr(text, '=');
    size_t n = value ? (size_t)(value - text) : 0;
    if (!value || n > KEY_MAX) {
        c->err = ERR_SYNTAX;
        snprintf(c->why, c->why_cap, "--set %.100s: section.key=value is needed", text);
        return;
    }
    memcpy(name, text, n);
    name[n] = '\0';
    value_set(c, "--set: ", name, value + 1);
}

enum err config_load(const char *file, char *const *environ_list, const char *const *sets,
                     size_t n_sets, struct config **ret, char *ret_why, size_t why_cap)
{
    struct config *c = calloc(1, sizeof *c);
    snprintf(ret_why, why_cap, "%s", err_text(ERR_NOMEM));
    if (!c)
        return ERR_NOMEM;
    c->why = ret_why;
    c->why_cap = why_cap;
    c->file = file;
    if (file)
        load_file(c);
    for (; environ_list && *environ_list && c->err == OK; environ_list++)
        if (!strncmp(*environ_list, env_prefix, sizeof env_prefix - 1))
            load_variable(c, *environ_list + sizeof env_prefix - 1);
    for (size_t i = 0; i < n_sets && c->err == OK; i++)
        load_set(c, sets[i]);
    enum err err = c->err;
    if (err == OK) {
        *ret = c;
        *ret_why = '\0';
    } else
        config_free(c);
    return err;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    for (int i = 0; i < CONFIG_COUNT_; i++) {
        if (c->value[i] && table[i].type == SECRET)
            crypto_wipe(c->value[i], strlen(c->value[i]));
        free(c->value[i]);
    }
    free(c);
}

const char *config_get(const struct config *c, enum config_key key)
{
    return c->value[key] ? c->value[key] : table[key].value;
}

const char *config_name(enum config_key key)
{
    return table[key].name;
}

int64_t config_number(const struct config *c, enum config_key key)
{
    int64_t number = 0;
    bool ok = number_parse(&table[key], config_get(c, key), &number);
    ASSERT(table[key].type <= NUMBER_OR_0 && ok); /* it was checked when it was read */
    return number;
}

bool config_is_on(const struct config *c, enum config_key key)
{
    ASSERT(table[key].type == SWITCH);
    return !strcmp(config_get(c, key), "on");
}

/* "1 to 64 threads" */
static void key_put_form(const struct key *k, struct buf *out)
{
    if (k->type == SWITCH)
        buf_puts(out, "on or off");
    else if (k->type <= NUMBER_OR_0)
        buf_printf(out, "%s%lld to %lld %s", k->type == NUMBER_OR_0 ? "0, or " : "",
                   (long long)k->least, (long long)k->most, k->form);
    else
        buf_puts(out, k->form);
}

void config_print_example(struct buf *out)
{
    char name[KEY_MAX + 1];
    struct str section = {0};
    buf_puts(out,
             "# hookswitch: every key with its default. Each can also come from the environment\n"
             "# (store.url: HOOKSWITCH_STORE_URL; with _FILE at the end: from that file) and from\n"
             "# --set store.url=VALUE. The last of these places that has a key wins.\n");
    for (int pass = 0; pass < 2; pass++) /* keys without a section must stand before the first */
        for (int i = 0; i < CONFIG_COUNT_; i++) {
            struct str head, key;
            bool sectioned = str_cut(str_of(table[i].name), '.', &head, &key);
            if (sectioned != (pass == 1))
                continue;
            if (sectioned && !str_eq(head, section)) {
                buf_printf(out, "\n[%.*s]\n", STR_FMT(head));
                section = head;
            }
            key_env_name(table[i].name, name);
            buf_printf(out, "\n# %s\n# ", table[i].help);
            key_put_form(&table[i], out);
            buf_printf(out, "\n# HOOKSWITCH_%s%s\n;%s = %s\n", name,
                       table[i].type == SECRET ? " or _FILE" : "",
                       sectioned ? key.p : table[i].name, table[i].value);
        }
}
