/* Fuzzes a form body: its fields are text, and within the input. */
#include <stdlib.h>
#include <string.h>

#include "base/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct form f;
    size_t bytes = 0;
    if (form_parse((struct str){(const char *)data, n}, &f) != OK)
        return 0;
    for (size_t i = 0; i < f.n; i++) {
        struct str name = f.at[i].name, value = f.at[i].value;
        bytes += name.n + value.n;
        if (!value.p || !str_is_utf8(name) || !str_is_utf8(value) || memchr(value.p, 0, value.n))
            abort();
    }
    if (bytes > n || f.n > FORM_MAX)
        abort();
    form_fini(&f);
    return 0;
}
