/* `hookswitch completion bash|zsh|fish`: prints the completion script of a shell. */
#pragma once

int completion_run(int argc, char **argv); /* the process's exit code */
