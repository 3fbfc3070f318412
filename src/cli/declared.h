/* Settings as a file declares them: what `export` writes and `apply` compares. */
#pragma once
#include "base/json.h"
#include "cli/client/client.h"

struct setting_list {
    const char *member;        /* of the file: "numbers" */
    const char *noun;          /* for people: "number" */
    const char *collection;    /* "/v1/numbers" */
    const char *key;           /* the member that says which it is, within its account */
    bool operator_only;        /* left out for keys that may not see it */
    const char *const *unsaid; /* members of answers that are not settings; NULL-terminated */
    const char *const *secret; /* never shown: written at creation, not compared */
};
enum { DECLARED_KINDS = 5 };
extern const struct setting_list declared_kinds[DECLARED_KINDS]; /* in the order to apply */

struct setting_lists { /* the daemon's settings of one kind */
    size_t n, cap;
    struct declared_one {
        char *id;
        struct json *doc; /* as a file would say it; `account` is a name, absent for `default` */
        bool matched;
    } * at;
};

/* All of them, page by page. ERR_DENIED: this key may not see them; otherwise said on stderr;
 * *ret_code is then the exit code. */
MUST_USE enum err declared_read(const struct client *c, const struct setting_list *k,
                                struct setting_lists *ret, int *ret_code);
void declared_fini(struct setting_lists *d);
/* The first that is not matched yet with the same key and account; NULL: there is none. */
struct declared_one *declared_find(struct setting_lists *d, const struct setting_list *k,
                                   const struct json *wanted);
bool declared_is_one_of(const char *const *names, struct str name);

/* One request; anything but 2xx is said on stderr, *ret_code then set. `ret` may be NULL; where it
 * is not, a 403 is ERR_DENIED and left to the caller to say. */
MUST_USE enum err declared_request(const struct client *c, const char *method, const char *path,
                                   struct str body, struct json **ret, int *ret_code);

int export_run(int argc, char **argv); /* exit codes */
int apply_run(int argc, char **argv);
