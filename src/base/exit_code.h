/* Exit codes of all commands, besides 0 and 1 (docs/cli.md). */
#pragma once

enum {
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_AUTH = 4,
    EXIT_UNREACHABLE = 5,
    EXIT_CONFLICT = 6,
};
