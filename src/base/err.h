/* Errors: one enum from one list, each with a class that says what a caller can do about it.
 *
 * A function that can fail returns `enum err` and is declared with `MUST_USE`. The function that
 * handles an error logs it; a function that passes it on does not. */
#pragma once
#include <stdbool.h>

#define MUST_USE               __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* name, class, text for people */
#define ERR_LIST(X)                                                                                \
    X(OK, NONE, "ok")                                                                              \
    X(ERR_AGAIN, AGAIN, "not now, try again later")                                                \
    X(ERR_TIMEOUT, AGAIN, "timed out")                                                             \
    X(ERR_UNREACHABLE, AGAIN, "the other side cannot be reached")                                  \
    X(ERR_RESET, AGAIN, "the other side closed the connection")                                    \
    X(ERR_DNS, AGAIN, "the name could not be resolved")                                            \
    X(ERR_IO, AGAIN, "input/output error")                                                         \
    X(ERR_TLS, AGAIN, "TLS handshake or certificate failed")                                       \
    X(ERR_STORE, AGAIN, "the store could not write")                                               \
    X(ERR_STORE_FULL, AGAIN, "the disk is full")                                                   \
    X(ERR_SYNTAX, REFUSED, "malformed")                                                            \
    X(ERR_INVALID, REFUSED, "value not allowed")                                                   \
    X(ERR_DENIED, REFUSED, "not allowed")                                                          \
    X(ERR_BLOCKED, REFUSED, "address not allowed")                                                 \
    X(ERR_EXISTS, REFUSED, "exists already")                                                       \
    X(ERR_UNSUPPORTED, REFUSED, "not supported")                                                   \
    X(ERR_FULL, LIMIT, "a queue or table is full")                                                 \
    X(ERR_TOO_BIG, LIMIT, "too large")                                                             \
    X(ERR_NOMEM, LIMIT, "out of memory")                                                           \
    X(ERR_NOT_FOUND, GONE, "not found")                                                            \
    X(ERR_CLOSED, GONE, "closed")                                                                  \
    X(ERR_CANCELED, GONE, "canceled")                                                              \
    X(ERR_STORE_UNSURE, UNSURE, "the commit's outcome is unknown")                                 \
    X(ERR_STORE_BROKEN, BUG, "the store failed to sync; the process must end")                     \
    X(ERR_BUG, BUG, "internal error")

enum err {
#define X(name, class, text) name,
    ERR_LIST(X)
#undef X
        ERR_COUNT_
};

enum err_class {
    ERR_CLASS_NONE,    /* it worked */
    ERR_CLASS_AGAIN,   /* nothing happened; the same call may work later */
    ERR_CLASS_REFUSED, /* the input is at fault; the same call fails again */
    ERR_CLASS_LIMIT,   /* a limit was reached; a smaller or later call may work */
    ERR_CLASS_GONE,    /* the thing is not there (any more) */
    ERR_CLASS_UNSURE,  /* it may have happened: repeat it with the same ids */
    ERR_CLASS_BUG,     /* a fault of ours or of the machine: do not go on */
};

/* All pure. `err_name` gives "ERR_DNS", `err_text` "the name could not be resolved". */
const char *err_name(enum err e);
const char *err_text(enum err e);
enum err_class err_class(enum err e);
/* True when the same call fails again, however often it is made: the input is wrong or too large,
 * or the fault is ours. Nobody tries such a call again. */
bool err_is_final(enum err e);

/* Assertions catch our own bugs and stay on in release builds. They are never used on input from
 * outside. */
_Noreturn void assert_failed(const char *what, const char *file, int line);
#define ASSERT(cond) ((cond) ? (void)0 : assert_failed(#cond, __FILE__, __LINE__))

/* Ends the process (70) where going on without memory would break an order or lose track of
 * something stored. The supervisor starts it again, and recovery reads the rows on the disk. */
_Noreturn void memory_gone(const char *part);
