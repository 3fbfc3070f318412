/* files: puts files of the tree into the program. The assembler includes them in its read-only
 * data, byte for byte. */
#include "api/http/files.h"

#include <embedded.h>
#include <stdint.h>

#define EMBED(name, path)                                                                          \
    __asm__(".section .rodata\n"                                                                   \
            ".balign 16\n"                                                                         \
            "embedded_" #name "_begin:\n"                                                          \
            ".incbin \"" path "\"\n"                                                               \
            "embedded_" #name "_end:\n"                                                            \
            ".byte 0\n"                                                                            \
            ".previous\n");                                                                        \
    extern const char embedded_##name##_begin[], embedded_##name##_end[]

EMBED(openapi, OPENAPI_FILE);

struct str file_openapi(void)
{
    /* The length is taken of addresses, because to the language they are two objects. */
    return str_of_bytes(embedded_openapi_begin,
                        (uintptr_t)embedded_openapi_end - (uintptr_t)embedded_openapi_begin);
}
