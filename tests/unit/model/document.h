/* Settings documents in tests: what a text is read as, and how it is printed again. */
#pragma once
#include "check.h"
#include "model/settings.h"

/* Defines for the settings of one type:
 *   TYPE_read(text, &value, &fault)   parses it
 *   TYPE_prints(text, printed)        it is read, printed so, and read and printed the same again
 *   TYPE_refuses(text, field, why)    it is refused for that field, and `why` is said */
#define DOCUMENT(type)                                                                             \
    static enum err type##_read(const char *text, struct type **ret, struct field_error *fault)    \
    {                                                                                              \
        struct json *doc;                                                                          \
        assert_ok(json_parse(str_of(text), &doc, NULL, 0));                                        \
        enum err err = type##_parse(doc, ret, fault);                                              \
        json_free(doc);                                                                            \
        return err;                                                                                \
    }                                                                                              \
    static void type##_prints_once(const char *text, const char *printed)                          \
    {                                                                                              \
        struct type *value;                                                                        \
        struct field_error fault;                                                                  \
        struct buf b;                                                                              \
        buf_init(&b, 1 << 20);                                                                     \
        assert_ok(type##_read(text, &value, &fault));                                              \
        type##_print(value, &b);                                                                   \
        assert_str(buf_str(&b), printed);                                                          \
        type##_free(value);                                                                        \
        buf_fini(&b);                                                                              \
    }                                                                                              \
    static void type##_prints(const char *text, const char *printed)                               \
    {                                                                                              \
        type##_prints_once(text, printed);                                                         \
        type##_prints_once(printed, printed);                                                      \
    }                                                                                              \
    static void type##_refuses(const char *text, const char *field, const char *why)               \
    {                                                                                              \
        struct type *value;                                                                        \
        struct field_error fault;                                                                  \
        assert_err(type##_read(text, &value, &fault), ERR_INVALID);                                \
        assert_string_equal(fault.field, field);                                                   \
        if (!strstr(fault.why, why))                                                               \
            fail_msg("%s: \"%s\" does not say \"%s\"", field, fault.why, why);                     \
    }
