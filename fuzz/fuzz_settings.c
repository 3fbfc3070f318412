/* Fuzzes the bodies of the API: JSON, then each settings document. */
#include <stdlib.h>
#include <string.h>

#include "model/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct json *doc = NULL;
    struct field_error f;
    struct endpoint *e;
    struct did *d;
    struct trunk *t;
    struct extension *x;
    struct buf b;
    if (json_parse((struct str){(const char *)data, n}, &doc, NULL, 0) != OK)
        return 0;
    buf_init(&b, 1 << 22);
    if (endpoint_parse(doc, &e, &f) == OK) {
        endpoint_print(e, &b);
        endpoint_free(e);
    }
    buf_reset(&b);
    if (did_parse(doc, &d, &f) == OK) {
        struct json *again;
        did_print(d, &b);
        did_free(d);
        if (json_parse(buf_str(&b), &again, NULL, 0) != OK)
            abort();
        json_free(again);
    }
    if (trunk_parse(doc, &t, &f) == OK)
        trunk_free(t);
    buf_reset(&b);
    if (extension_parse(doc, &x, &f) == OK) {
        struct json *again;
        struct extension *y;
        extension_print(x, &b);
        if (json_parse(buf_str(&b), &again, NULL, 0) != OK)
            abort();
        if (x->password[0] &&
            (extension_parse(again, &y, &f) != OK || strcmp(x->username, y->username) ||
             strcmp(x->password, y->password)))
            abort();
        if (x->password[0])
            extension_free(y);
        json_free(again);
        extension_free(x);
    }
    buf_fini(&b);
    json_free(doc);
    return 0;
}
