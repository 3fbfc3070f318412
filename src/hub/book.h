/* The book: holds all settings as one immutable, counted snapshot. Readers take the present one and
 * keep it as long as their job lasts; a change makes a new one, which shares with the old one all
 * that did not change (base/trie). */
#pragma once
#include "hub/book_kinds.h"
#include "store/store.h"

struct book;  /* a snapshot */
struct books; /* the holder of the present snapshot */

/* Reads all settings of the store; an unreadable row is logged and left out. */
MUST_USE enum err books_open(struct store *s, struct books **ret);
void books_close(struct books *b);
/* Any thread, one short mutex (the only shared pointer that changes). */
const struct book *book_take(struct books *b);
void book_drop(const struct book **book); /* NULL-safe; sets it to NULL */
/* A number that changes with each new book, to tell cheaply whether a book is still the present
 * one. Any thread. */
uint64_t books_generation(const struct books *b);

/* Takes a change of a setting, on the writer's thread, after its commit. `s` as it stands now;
 * deleted: only its kind, n and id are looked at. A setting that cannot be parsed is logged and
 * left out. */
void books_changed(struct books *b, const struct setting *s, bool deleted);

/* Look-ups give NULL when there is none; results are valid as long as the book is held. */
const struct book_number *book_number(const struct book *b, struct str e164);
const struct book_endpoint *book_endpoint(const struct book *b, uint64_t n);
const struct book_endpoint *book_endpoint_by_id(const struct book *b, struct str id);
/* Gives the endpoints of the account that name the number or want all numbers, oldest first.
 * `number` "" gives those that want all. for (w = book_watchers(…); (ep = book_watcher_next(&w));)
 */
struct watch;
struct book_watchers {
    const struct watch *list[2];
    uint32_t at[2];
};
struct book_watchers book_watchers(const struct book *b, uint64_t account, struct str number);
const struct book_endpoint *book_watcher_next(struct book_watchers *w);
/* Walks over each account and number that endpoints name, in no order (the number "": they want
 * all); the walk begins zeroed. False: the end. */
bool book_watched_next(const struct book *b, struct trie_walk *walk, uint64_t *ret_account,
                       struct str *ret_number);
const struct book_trunk *book_trunk_from(const struct book *b, const struct addr *source);
const struct book_trunk *book_trunk(const struct book *b, struct str id_or_name);
const struct book_smpp_link *book_smpp_link(const struct book *b, uint64_t n);
/* Walks over all links, in no order; the walk begins zeroed. NULL: the end. */
const struct book_smpp_link *book_smpp_link_next(const struct book *b, struct trie_walk *walk);
const struct book_key *book_key(const struct book *b, struct str hash_hex);
const struct book_user *book_user(const struct book *b, uint64_t n);
const struct book_user *book_user_named(const struct book *b, struct str key); /* see user_key */
const struct book_account *book_account(const struct book *b, uint64_t n);
const struct book_account *book_account_named(const struct book *b, struct str id_or_name);
size_t book_count(const struct book *b, enum setting_kind kind);
