/* backup: copies the store into a file and back, for operators. Main thread. */
#include "cli/backup.h"

#include <stdio.h>

#include "daemon/options.h"
#include "store/backup.h"

static const char backup_usage[] = "backup FILE [--config FILE] [--set KEY=VALUE]...";
static const char restore_usage[] = "restore FILE [--config FILE] [--set KEY=VALUE]...";

static int backup_exit_code(enum err err)
{
    return err == OK              ? 0
           : err == ERR_EXISTS    ? EXIT_CONFLICT
           : err == ERR_NOT_FOUND ? EXIT_NOT_FOUND
                                  : 1;
}

static int backup_prepare(int argc, char **argv, const char *usage, struct config_options *o,
                          char *url, size_t cap)
{
    struct config *c = NULL;
    int code = config_options_parse(argc, argv, 1, usage, o);
    if (code)
        return code;
    if (o->n_words != 1) {
        fprintf(stderr, "hookswitch: which file?\nusage: hookswitch %s\n", usage);
        return EXIT_USAGE;
    }
    if (config_options_load(o, &c) != OK || config_store_url(c, url, cap) != OK)
        code = EXIT_USAGE;
    config_free(c);
    return code;
}

static void backup_print(const char *what, const struct backup_facts *f)
{
    printf(
        "%s: %lld settings, %lld events, %lld calls, %lld deliveries pending; %lld bytes, schema "
        "%lld, every page checked\n",
        what, (long long)f->settings, (long long)f->events, (long long)f->calls,
        (long long)f->pending, (long long)f->bytes, (long long)f->schema);
}

int backup_run(int argc, char **argv)
{
    struct config_options o;
    struct backup_facts f;
    char url[1024], why[512] = "";
    int code = backup_prepare(argc, argv, backup_usage, &o, url, sizeof url);
    if (code)
        return code;
    enum err err = store_backup(url, o.word[0], &f, why, sizeof why);
    if (err == OK)
        backup_print(o.word[0], &f);
    else
        fprintf(stderr, "hookswitch backup: %s\n", why);
    return backup_exit_code(err);
}

int restore_run(int argc, char **argv)
{
    struct config_options o;
    struct backup_facts f;
    char url[1024], kept[1400], why[512] = "";
    int code = backup_prepare(argc, argv, restore_usage, &o, url, sizeof url);
    if (code)
        return code;
    enum err err = store_restore(url, o.word[0], &f, kept, sizeof kept, why, sizeof why);
    if (err != OK) {
        fprintf(stderr, "hookswitch restore: %s%s\n", why,
                err == ERR_EXISTS ? "; stop the daemon first" : "");
        return backup_exit_code(err);
    }
    backup_print("restored", &f);
    if (kept[0])
        printf("what was there is now %s\n", kept);
    if (f.pending)
        printf("what was pending in the backup is delivered again, with the same ids\n");
    return 0;
}
