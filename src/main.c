/* hookswitch: one binary. `serve` is the daemon, `demo` plays everything on a temporary store, all
 * other words are commands over the daemon's API. */
#include <string.h>

#include "cli/backup.h"
#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/demo.h"
#include "cli/doctor.h"

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*run)(int argc, char **argv);
    } commands[] = {{"serve", serve_run},
                    {"demo", demo_run},
                    {"backup", backup_run},
                    {"restore", restore_run},
                    {"doctor", doctor_run}};
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].word))
            return commands[i].run(argc - 1, argv + 1);
    return cli_run(argc, argv);
}
