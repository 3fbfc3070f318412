/* hookswitch: one binary. `serve` is the daemon, `demo` plays everything on a temporary store, all
 * other words are commands over the daemon's API. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_run(argc, argv);
}
