/* The configuration: one table of keys (daemon/config_keys.h), filled by file, environment and
 * --set. An unknown key is an error that suggests the near one. A value that is not allowed is an
 * error that says which values are. Immutable after loading; a reload makes a new one. */
#pragma once
#include "base/buf.h"
#include "daemon/config_keys.h"

enum config_key {
#define X(id, ...) CONFIG_##id,
    CONFIG_LIST(X)
#undef X
        CONFIG_COUNT_
};

struct config;

/* Reads the defaults, then `file` (NULL: none), then the environment, then `sets`
 * ("section.key=value"). Each value is checked by the type and range of its key. On error *ret_why
 * (at most `why_cap` bytes with NUL) says where, which key, and what is wrong. */
MUST_USE enum err config_load(const char *file, char *const *environ_list, const char *const *sets,
                              size_t n_sets, struct config **ret, char *ret_why, size_t why_cap);
void config_free(struct config *c);
const char *config_get(const struct config *c, enum config_key key); /* never NULL */
int64_t config_number(const struct config *c, enum config_key key);  /* of a NUMBER */
bool config_is_on(const struct config *c, enum config_key key);      /* of a SWITCH */
const char *config_name(enum config_key key);                        /* "http.listen" */
/* Prints the commented example file, with every key, its range, unit and default. */
void config_print_example(struct buf *out);
