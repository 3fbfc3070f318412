/* Inside the kit: what its files share. */
#pragma once
#include "edge_kit.h"

_Noreturn void kit_fail(const char *what);
void kit_must(bool good, const char *what);

/* edge_packets.c */
void kit_on_sent(void *arg, uint32_t stream, const struct addr *from, const struct addr *to,
                 struct str bytes);
void kit_packets_reset(void);
void kit_packets_free(void);

/* edge_questions.c */
enum err kit_on_early(void *arg, const struct event *incoming, uint64_t endpoint,
                      unsigned sequence);
enum err kit_on_ask(void *arg, const struct event *incoming, struct str url, int64_t timeout_ms,
                    uint64_t asked);
void kit_questions_drop(void);  /* nobody waits for their answers any more */
void kit_questions_reset(void); /* forgets them */

/* edge_facts.c */
void kit_on_stored(void *arg, const struct stored *s);
void kit_told_reset(void);   /* nothing is stored */
void kit_told_restart(void); /* at a start deliver reads what waits */
