/* Reads the sender and the number of a message from SMPP's addresses, by their type of number (SMPP
 * 3.4 §5.2.5), as CONTRACT §2 writes them. Pure. */
#pragma once
#include "hub/book.h"
#include "smpp/pdu.h"

/* Prints the sender: E.164, a short code, letters, or "unknown". */
void party_print_source(const struct smpp_address *a, const struct number_rules *r,
                        struct buf *out);
/* Finds our number that the message is for, when it takes SMS; NULL: none of ours. E.164 goes to
 * *e164. */
const struct book_number *party_destination(const struct book *b, const struct smpp_address *a,
                                            const struct number_rules *r, char e164[NUMBER_SIZE]);
