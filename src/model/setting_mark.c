/* setting_mark: finds the mark in a document. store/ calls it for each setting that it writes, and
 * once for each that an older program wrote. */
#include "model/setting_mark.h"

#include <stdio.h>

static void mark_of_text(const struct json *v, char out[MARK_SIZE])
{
    struct str s;
    if (!json_str(v, &s) || str_copy(s, out, MARK_SIZE) != OK)
        out[0] = '\0';
}

static void mark_of_row(const struct json *v, char out[MARK_SIZE])
{
    int64_t n;
    if (json_int(v, &n) && n > 0)
        snprintf(out, MARK_SIZE, "%lld", (long long)n);
}

void setting_mark(enum setting_kind kind, const struct json *doc, char out[MARK_SIZE])
{
    const struct json *numbers;
    out[0] = '\0';
    switch (kind) {
    case SETTING_NUMBER: mark_of_text(json_get(doc, "country"), out); break;
    case SETTING_KEY: mark_of_row(json_get(doc, "user"), out); break;
    case SETTING_ENDPOINT:
        numbers = json_get(doc, "numbers");
        if (numbers && json_kind(numbers) == JSON_IS_ARRAY && json_len(numbers) == 1)
            mark_of_text(json_at(numbers, 0), out);
        break;
    default: break;
    }
}

enum err setting_mark_of_text(enum setting_kind kind, struct str text, char out[MARK_SIZE])
{
    struct json *doc = NULL;
    bool has_marks = kind == SETTING_NUMBER || kind == SETTING_ENDPOINT || kind == SETTING_KEY;
    enum err err = has_marks ? json_parse(text, &doc, NULL, 0) : OK;
    setting_mark(kind, doc, out);
    json_free(doc);
    return err == ERR_NOMEM ? err : OK;
}
