/* files: what the program carries with it, put into its read-only data by the assembler, byte for
 * byte as it lies in the tree. */
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
    /* By address: for the language they are two objects. */
    return str_of_bytes(embedded_openapi_begin,
                        (uintptr_t)embedded_openapi_end - (uintptr_t)embedded_openapi_begin);
}
