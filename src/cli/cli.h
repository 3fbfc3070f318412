/* Runs the commands, those that talk to a daemon over its API and those that need none. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A command that takes more than one request. run gets the whole command line and returns the exit
 * code of the process. */
struct tool {
    const char *name, *words, *help;
    int (*run)(int argc, char **argv);
    bool helps_itself; /* it prints more than this on --help */
};
const struct tool *tool_at(size_t i); /* NULL behind the last */

int cli_run(int argc, char **argv); /* the process's exit code */
