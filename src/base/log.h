/* Writes log lines to standard error: time, level, part, text. Bytes that are not printable are
 * written as \xNN, so that text from the network cannot forge a line or drive a terminal.
 * Thread-safe. */
#pragma once
#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_level_set(enum log_level min);
enum log_level log_level_get(void);
/* `part` names the folder or file that logs: "sip", "store". */
void log_write(enum log_level level, const char *part, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_debug(part, ...)                                                                       \
    (log_level_get() <= LOG_DEBUG ? log_write(LOG_DEBUG, part, __VA_ARGS__) : (void)0)
#define log_info(part, ...)  log_write(LOG_INFO, part, __VA_ARGS__)
#define log_warn(part, ...)  log_write(LOG_WARN, part, __VA_ARGS__)
#define log_error(part, ...) log_write(LOG_ERROR, part, __VA_ARGS__)
/* Writes at most one line in `every_ms` per place in the code: the limit for lines that the network
 * can cause. */
#define log_sparse(level, every_ms, part, ...)                                                     \
    do {                                                                                           \
        static _Atomic long long log_sparse_at_;                                                   \
        if (log_sparse_due(&log_sparse_at_, every_ms))                                             \
            log_write(level, part, __VA_ARGS__);                                                   \
    } while (0)
int log_sparse_due(_Atomic long long *last_mono_ms, long long every_ms);
