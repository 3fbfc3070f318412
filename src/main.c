/* hookswitch: one program. `serve` is the daemon, `demo` shows everything on a temporary store,
 * all other words are commands over the API of the daemon. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_run(argc, argv);
}
