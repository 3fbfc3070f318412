/* `hookswitch backup` and `hookswitch restore`: the store as one file, and back. They read the
 * daemon's configuration, not its API: a restore is for when there is no daemon. */
#pragma once

int backup_run(int argc, char **argv); /* the process's exit code */
int restore_run(int argc, char **argv);
