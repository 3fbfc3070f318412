/* `hookswitch backup` and `hookswitch restore`: copy the store into one file, and put it back.
 * They read the configuration of the daemon and not its API, since a restore runs when there is no
 * daemon. */
#pragma once

int backup_run(int argc, char **argv); /* the process's exit code */
int restore_run(int argc, char **argv);
