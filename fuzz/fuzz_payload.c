/* Fuzzes a stored payload as a body: never longer than announced, never a crash on a payload that
 * is no flat object. */
#include <stdlib.h>

#include "base/json.h"
#include "model/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str s = {(const char *)data, n};
    struct json *doc = NULL, *again = NULL;
    struct buf b;
    bool good = json_parse(s, &doc, NULL, 0) == OK && json_kind(doc) == JSON_IS_OBJECT;
    buf_init(&b, 1 << 20);
    enum err err = payload_body(s, BODY_JSON, 3, true, &b);
    if (good && err == OK && json_parse(buf_str(&b), &again, NULL, 0) != OK &&
        !json_get(doc, "sequence"))
        abort();
    json_free(again);
    buf_reset(&b);
    (void)!payload_body(s, BODY_FORM, 3, false, &b);
    buf_fini(&b);
    json_free(doc);
    return 0;
}
