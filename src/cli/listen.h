/* `hookswitch listen`: shows the account's events, and POSTs them to a local URL. */
#pragma once

int listen_run(int argc, char **argv); /* the process's exit code */
