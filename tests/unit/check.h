/* What all unit tests begin with. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

#define assert_str(s, literal)                                                                     \
    do {                                                                                           \
        struct str s_ = (s);                                                                       \
        if (!str_eq(s_, str_of(literal)))                                                          \
            fail_msg("\"%.*s\" is not \"%s\"", STR_FMT(s_), literal);                              \
    } while (0)
#define assert_ok(e)       assert_string_equal(err_name(e), "OK")
#define assert_err(e, err) assert_string_equal(err_name(e), #err)
