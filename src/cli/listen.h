/* `hookswitch listen`: the account's events on the screen, and to a local URL. */
#pragma once

int listen_run(int argc, char **argv); /* the process's exit code */
