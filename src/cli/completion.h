/* `hookswitch completion bash|zsh|fish`: prints what the shell is to be given. */
#pragma once

int completion_run(int argc, char **argv); /* the process's exit code */
