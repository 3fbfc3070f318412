/* The commands that talk to a daemon over its API, and those that need none. */
#pragma once

int cli_run(int argc, char **argv); /* the process's exit code */
