/* Fuzzes the posts of other PBXs and SMS providers. An accepted event is JSON with its fixed
 * fields, and is accepted again as it came out. A time that is read is printed as it was. Fields
 * are found by paths. */
#include <stdlib.h>
#include <string.h>

#include "api/core/sms_fields.h"
#include "base/clock.h"
#include "model/settings.h"

enum { NOW_MS = 1000000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void is_taken_again(const struct event *e)
{
    struct json *doc = NULL;
    struct field_error f;
    struct event *again = NULL;
    if (json_parse(e->payload, &doc, NULL, 0) != OK ||
        event_of_ingest(1, doc, NOW_MS, &again, &f) != OK || !str_eq(again->payload, e->payload))
        abort();
    const struct event *gone = again;
    event_drop(&gone);
    json_free(doc);
}

static void try_time(struct str text)
{
    char again[CLOCK_TEXT_SIZE];
    int64_t ms, second;
    if (clock_parse(text, &ms) != OK)
        return;
    size_t length = clock_print_ms(ms, again);
    if (ms < 0 || clock_parse(str_of_bytes(again, length), &second) != OK || second != ms)
        abort();
}

/* The post as one message, and each of its items as one, with a place behind the last. */
static void try_fields(const struct sms_fields *fields, const struct json *doc)
{
    char mem[32];
    const struct json *items = sms_items_of_json(fields, doc);
    size_t n = items ? json_len(items) + 1 : 1;
    for (size_t item = 0; item < n; item++)
        for (int i = 0; i < SMS_FIELD_COUNT; i++)
            (void)sms_value_of_json(str_of(fields->names[i]), doc, item, mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sms_fields fields;
    struct str text = {(const char *)data, n}, names, rest;
    struct json *doc = NULL;
    struct field_error f;
    struct event *e = NULL;
    const char *why;
    try_time(text);
    if (!str_cut(text, '\n', &names, &rest)) /* names of fields, then the body */
        rest = text, names = STR("");
    if (json_parse(rest, &doc, NULL, 0) != OK)
        return 0;
    if (event_of_ingest(1, doc, NOW_MS, &e, &f) == OK) {
        const struct event *gone = e;
        is_taken_again(e);
        event_drop(&gone);
    } else if (!memchr(f.why, 0, sizeof f.why) || !memchr(f.field, 0, sizeof f.field)) {
        abort();
    }
    if (sms_fields_parse(names, &fields, &why) == OK)
        try_fields(&fields, doc);
    json_free(doc);
    return 0;
}
