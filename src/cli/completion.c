/* completion: prints scripts for shells from the tables of the commands, so that they know the
 * words of this binary. Ids are not completed, since that would take a request for each press of a
 * key. */
#include "cli/completion.h"

#include <stdio.h>
#include <string.h>

#include "base/exit_code.h"
#include "cli/cli.h"
#include "cli/commands.h"

static bool starts_noun(size_t i)
{
    const struct command *c = command_at(i), *before = i ? command_at(i - 1) : NULL;
    return !before || strcmp(c->noun, before->noun) != 0;
}

/* Prints all first words with blanks between. */
static void print_words(void)
{
    const struct tool *t;
    for (size_t i = 0; (t = tool_at(i)); i++)
        printf("%s ", t->name);
    for (size_t i = 0; command_at(i); i++)
        if (starts_noun(i))
            printf("%s ", command_at(i)->noun);
}

/* Prints a line for each noun with its verbs, as both bash and zsh read it. */
static void print_cases(void)
{
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)); i++) {
        if (starts_noun(i))
            printf("%s    %s) words=\"", i ? "\" ;;\n" : "", c->noun);
        printf("%s ", c->verb);
    }
    puts("\" ;;");
    puts("    completion) words=\"bash zsh fish\" ;;");
    puts(
        "    listen) words=\"--forward-to --secret --format --sip-headers --number --type --call-id"
        " --since --last-event-id --count --ca-file --json\" ;;");
    puts("    serve|backup|restore|doctor) words=\"--config --set\" ;;");
}

static void print_bash(void)
{
    puts("# bash: source <(hookswitch completion bash)\n"
         "_hookswitch() {\n"
         "  local word=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\"\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then");
    fputs("    words=\"", stdout);
    print_words();
    puts("\"\n  elif [[ \"$word\" == --* ]]; then\n"
         "    words=\"--url --key --json --help --config --set\"\n"
         "  elif [ \"$COMP_CWORD\" -eq 2 ]; then\n"
         "    case \"${COMP_WORDS[1]}\" in");
    print_cases();
    puts("    esac\n"
         "  fi\n"
         "  if [ -n \"$words\" ]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "  fi\n"
         "}\n"
         "complete -F _hookswitch hookswitch");
}

static void print_zsh(void)
{
    puts("#compdef hookswitch\n"
         "# zsh: hookswitch completion zsh >\"${fpath[1]}/_hookswitch\"\n"
         "_hookswitch() {\n"
         "  local words_given=(\"${words[@]}\") at=$CURRENT words=\"\"\n"
         "  if (( at == 2 )); then");
    fputs("    words=\"", stdout);
    print_words();
    puts("\"\n  elif (( at == 3 )); then\n"
         "    case \"${words_given[2]}\" in");
    print_cases();
    puts("    esac\n"
         "  fi\n"
         "  if [[ -n $words ]]; then\n"
         "    compadd -- ${=words}\n"
         "  else\n"
         "    _files\n"
         "  fi\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _hookswitch ]; then _hookswitch \"$@\"; "
         "else compdef _hookswitch hookswitch; fi");
}

/* Prints text in single quotes of fish. */
static void print_quoted(const char *text)
{
    putchar('\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('\'');
}

static void print_fish_word(const char *when, const char *word, const char *help)
{
    printf("complete -c hookswitch -f -n '%s' -a %s", when, word);
    if (help && *help) {
        fputs(" -d ", stdout);
        print_quoted(help);
    }
    putchar('\n');
}

static void print_fish(void)
{
    const struct command *c;
    const struct tool *t;
    char when[128];
    puts("# fish: hookswitch completion fish | source");
    for (size_t i = 0; (t = tool_at(i)); i++)
        print_fish_word("__fish_use_subcommand", t->name, t->help);
    for (size_t i = 0; (c = command_at(i)); i++) {
        if (starts_noun(i))
            print_fish_word("__fish_use_subcommand", c->noun, NULL);
        snprintf(when, sizeof when, "__fish_seen_subcommand_from %s", c->noun);
        print_fish_word(when, c->verb, c->help);
    }
    for (size_t i = 0; i < 3; i++)
        print_fish_word("__fish_seen_subcommand_from completion",
                        i == 0   ? "bash"
                        : i == 1 ? "zsh"
                                 : "fish",
                        NULL);
    puts("complete -c hookswitch -n '__fish_seen_subcommand_from listen' -l forward-to -r"
         " -d 'where each event is POSTed'");
    puts("complete -c hookswitch -l url -r -d 'the daemon\\'s API'\n"
         "complete -c hookswitch -l key -r -d 'who asks'\n"
         "complete -c hookswitch -l json -d 'answers as JSON, for programs'");
}

int completion_run(int argc, char **argv)
{
    static const struct {
        const char *shell;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; argc == 3 && i < 3; i++)
        if (!strcmp(argv[2], shells[i].shell)) {
            shells[i].print();
            return 0;
        }
    fputs("usage: hookswitch completion bash|zsh|fish\n", stderr);
    return EXIT_USAGE;
}
