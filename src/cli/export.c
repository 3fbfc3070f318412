/* export: prints the settings as one file, an object a line, so that versions of it can be
 * compared. Secrets are left out, since the daemon does not show them again. Main thread. */
#include <stdio.h>

#include "cli/declared.h"
#include "base/exit_code.h"
#include "cli/invocation.h"

static void export_print_kind(const struct setting_list *k, const struct setting_lists *d,
                              bool *first)
{
    struct buf b;
    printf("%s  \"%s\": [", *first ? "" : ",\n", k->member);
    *first = false;
    for (size_t i = 0; i < d->n; i++) {
        buf_init(&b, 1 << 20);
        buf_put_json(&b, d->at[i].doc);
        printf("%s\n    %.*s", i ? "," : "", STR_FMT(buf_str(&b)));
        buf_fini(&b);
    }
    fputs(d->n ? "\n  ]" : "]", stdout);
}

int export_run(int argc, char **argv)
{
    struct invocation v;
    struct setting_lists d[DECLARED_KINDS] = {{0}};
    bool seen[DECLARED_KINDS] = {false}, first = true;
    int code = 0;
    if (!invocation_parse(argc, argv, NULL, 0, &v) || v.n != 1)
        return EXIT_USAGE;
    for (size_t i = 0; i < DECLARED_KINDS && code == 0; i++) {
        enum err err = declared_read(&v.client, &declared_kinds[i], &d[i], &code);
        seen[i] = err == OK;
        if (err == ERR_DENIED && declared_kinds[i].operator_only)
            code = 0;
        else if (err == ERR_DENIED)
            fprintf(stderr, "hookswitch export: this key may not read %s\n",
                    declared_kinds[i].member);
        else if (err != OK && code == 0)
            code = 1;
    }
    if (code == 0) {
        puts("{");
        for (size_t i = 0; i < DECLARED_KINDS; i++)
            if (seen[i])
                export_print_kind(&declared_kinds[i], &d[i], &first);
        puts("\n}");
    }
    for (size_t i = 0; i < DECLARED_KINDS; i++)
        declared_fini(&d[i]);
    return code;
}
