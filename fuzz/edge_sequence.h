/* Plays sequences of steps on the edge: bytes choose one step after another (calls, answers,
 * repeats, names, webhooks, the store, the clock, kills). Then all time limits pass, and the
 * checks of tests/kit and edge_checks.c are made. A fault ends the process by abort. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void edge_sequence(const uint8_t *data, size_t n);
/* Switches the words on or off; they cost time, so long runs do without. */
void edge_sequence_tell(bool in_words);
/* The steps of the present sequence, in words. */
const char *edge_sequence_words(void);
/* Messages that peers sent to the edge in all sequences so far. */
size_t edge_sequence_messages(void);
