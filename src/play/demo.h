/* `hookswitch demo`: runs a daemon on a temporary store, a carrier and an agent that speak SIP
 * with it over loopback sockets, and a receiver that verifies and prints each event. */
#pragma once

int demo_run(int argc, char **argv); /* the process's exit code */
