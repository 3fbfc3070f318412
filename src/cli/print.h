/* Prints tables, objects, and text of the network so that it cannot drive a terminal. */
#pragma once
#include <stdio.h>

#include "base/json.h"

/* Control characters, bytes that are not UTF-8, and characters that turn the direction of writing
 * become `?`. */
void print_safe(FILE *f, struct str s);
/* The columns that it takes on a terminal. */
size_t print_width(struct str s);
/* The columns of the terminal behind f; 0: f is no terminal. */
size_t terminal_width(FILE *f);

/* `rows`: an array of objects. `columns`: members with blanks between, with a ? behind those that
 * are left out where the terminal is too narrow; NULL: those of the first row
 * that are neither objects nor arrays of objects. `width` 0: tabs between, no header. */
void print_table(FILE *f, const struct json *rows, const char *columns, size_t width);
/* Prints a line for each member; an array of objects becomes a table below. */
void print_object(FILE *f, const struct json *o, size_t width);
