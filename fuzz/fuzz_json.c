/* Documents read by json_parse and by json_read: both say the same. */
#include <stdlib.h>

#include "json_twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct json_reader *reader;
    if (!reader && json_reader_new(&reader) != OK)
        abort();
    if (!json_twice(reader, str_of_bytes((const char *)data, n)))
        abort();
    return 0;
}
