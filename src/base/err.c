/* err: gives names, texts and classes from the one list in err.h, and ends the process when an
 * assertion fails. Any thread. */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
    const char *name, *text;
    enum err_class class;
} table[] = {
#define X(name, class, text) [name] = {#name, text, ERR_CLASS_##class},
    ERR_LIST(X)
#undef X
};

const char *err_name(enum err e)
{
    return (unsigned)e < ERR_COUNT_ ? table[e].name : "ERR_?";
}

const char *err_text(enum err e)
{
    return (unsigned)e < ERR_COUNT_ ? table[e].text : "unknown error";
}

enum err_class err_class(enum err e)
{
    return (unsigned)e < ERR_COUNT_ ? table[e].class : ERR_CLASS_BUG;
}

bool err_is_final(enum err e)
{
    enum err_class class = err_class(e);
    return class == ERR_CLASS_REFUSED || class == ERR_CLASS_BUG || e == ERR_TOO_BIG ||
           e == ERR_NOT_FOUND;
}

_Noreturn void assert_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "assertion failed: %s (%s:%d)\n", what, file, line);
    abort();
}

_Noreturn void memory_gone(const char *part)
{
    fprintf(stderr, "%s: out of memory: ending now; what was accepted is stored\n", part);
    _exit(70);
}
