/* hookswitch: one binary. `serve` is the daemon, `demo` plays everything on a temporary store, all
 * other words are commands over the daemon's API. */
#include <string.h>

#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/demo.h"

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "serve"))
        return serve_run(argc, argv);
    if (argc > 1 && !strcmp(argv[1], "demo"))
        return demo_run(argc - 1, argv + 1);
    return cli_run(argc, argv);
}
