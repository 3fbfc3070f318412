/* The words of the shell and their requests: `hookswitch number list` is GET /v1/numbers. Usage
 * and the columns of lists come out of this one table. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

struct json;

struct command {
    const char *noun, *verb, *method;
    const char *path; /* {} is the first argument */
    int body;         /* takes a JSON body; 2: may. A PUT without one is a GET */
    bool query;       /* takes NAME=VALUE words */
    /* May be NULL: */
    const char *help;    /* one line */
    const char *columns; /* of a list (print_table); NULL: those of the first row */
    /* Prints the answer; NULL: as a table or an object. */
    void (*print)(FILE *f, const struct json *answer, size_t width);
};

const struct command *command_at(size_t i); /* in order; NULL behind the last */
const struct command *command_find(const char *noun, const char *verb); /* NULL: none */
bool noun_is(const char *noun);
void noun_print_usage(FILE *f, const char *noun);
void nouns_print(FILE *f); /* each with its verbs */
/* The words that follow the verb in the usage: "ID JSON". */
void command_print_words(FILE *f, const struct command *c);
