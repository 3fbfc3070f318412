/* Command lines: words, options with and without values, and what is not known. */
#include "check.h"
#include "cli/invocation.h"

/* As main gets them: not constant. */
static char **args_of(const char *const *words, int *ret_n)
{
    static char *at[WORDS_MAX + 8];
    int n = 0;
    for (; words[n]; n++) {
        free(at[n]);
        at[n] = str_dup(str_of(words[n]));
    }
    *ret_n = n;
    return at;
}

static bool parse(const char *const *words, const struct option *own, size_t n,
                  struct invocation *v)
{
    int argc;
    char **argv = args_of(words, &argc);
    return invocation_parse(argc, argv, own, n, v);
}

#define ARGS(...) ((const char *const[]){"hookswitch", __VA_ARGS__, NULL})

static void words_and_options(void **state)
{
    struct invocation v;
    unsetenv("HOOKSWITCH_URL");
    setenv("HOOKSWITCH_KEY", "of the shell", 1);
    assert_true(parse(ARGS("number", "--json", "get", "+44"), NULL, 0, &v));
    assert_int_equal(v.n, 3);
    assert_string_equal(v.word[2], "+44");
    assert_true(v.json);
    assert_false(v.help);
    assert_string_equal(v.client.url, "http://127.0.0.1:8080");
    assert_string_equal(v.client.key, "of the shell");
    assert_true(parse(ARGS("--url", "http://a", "--key=k", "--key=", "-h", "-"), NULL, 0, &v));
    assert_string_equal(v.client.url, "http://a");
    assert_string_equal(v.client.key, "");
    assert_true(v.help);
    assert_string_equal(v.word[0], "-"); /* standard input */
    setenv("HOOKSWITCH_URL", "", 1);
    assert_true(parse(ARGS("x"), NULL, 0, &v));
    assert_string_equal(v.client.url, "http://127.0.0.1:8080");
}

static void own_options(void **state)
{
    struct invocation v;
    const char *number = NULL;
    bool flag = false, given = false;
    const struct option own[] = {{"--number", &number, &given}, {"--flag", NULL, &flag}};
    assert_true(parse(ARGS("listen", "--number", "+44", "--flag"), own, 2, &v));
    assert_string_equal(number, "+44");
    assert_true(flag && given);
    assert_int_equal(v.n, 1);
    assert_true(parse(ARGS("listen", "--number=--odd"), own, 2, &v));
    assert_string_equal(number, "--odd");
}

static void refused(void **state)
{
    struct invocation v;
    const char *value = NULL;
    const struct option own[] = {{"--number", &value, NULL}, {"--flag", NULL, NULL}};
    const char *many[WORDS_MAX + 3] = {"hookswitch"};
    assert_false(parse(ARGS("--nmber", "x"), own, 2, &v));
    assert_false(parse(ARGS("--numbers=x"), own, 2, &v));
    assert_false(parse(ARGS("--number"), own, 2, &v));
    assert_false(parse(ARGS("--url"), own, 2, &v));
    assert_false(parse(ARGS("--flag=yes"), own, 2, &v));
    assert_false(parse(ARGS("--json=1"), own, 2, &v));
    for (size_t i = 1; i < WORDS_MAX + 2; i++)
        many[i] = "word";
    assert_false(parse(many, NULL, 0, &v));
    assert_int_equal(v.n, WORDS_MAX);
    many[WORDS_MAX + 1] = NULL;
    assert_true(parse(many, NULL, 0, &v));
}

static void word(const char *const *words, const char *due)
{
    int argc;
    char **argv = args_of(words, &argc);
    assert_string_equal(invocation_word(argc, argv), due);
}

static void which_command(void **state)
{
    word(ARGS("listen", "--json"), "listen");
    word(ARGS("--url", "http://a", "--json", "number"), "number");
    word(ARGS("--key=k", "event"), "event");
    word(ARGS("--ca-file", "ca.pem", "event"), "event");
    word(ARGS("--help"), "");
    word(ARGS("--url"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_options),
        cmocka_unit_test(own_options),
        cmocka_unit_test(refused),
        cmocka_unit_test(which_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
