/* The program carries its files byte for byte. */
#include "api/http/files.h"
#include "base/json.h"
#include "check.h"

static void the_description_of_the_api_is_the_one_of_the_tree(void **state)
{
    static char text[2 << 20];
    struct str carried = file_openapi();
    struct json *doc;
    FILE *f = fopen(OPENAPI, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    assert_int_equal(carried.n, n);
    assert_memory_equal(carried.p, text, n);
    assert_ok(json_parse(carried, &doc, NULL, 0));
    json_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_description_of_the_api_is_the_one_of_the_tree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
