/* Inside api/: holds one setting that a request reads, makes, changes or deletes: its row, and its
 * document as stored before and after. The stored text is parsed once, the new one is printed once.
 */
#pragma once
#include "api/core/request.h"

struct resource;

struct record {
    const struct resource *res; /* its kind */
    struct setting setting;     /* the row as stored; once it is checked, as it will be */
    uint64_t move_to;           /* the account that it goes to when it is changed; 0: it stays */
    bool deleted;
    char made_id[ID_SIZE]; /* of a new setting: the same in each run of the job */
    char secret[96];       /* shown once: the same in each run of the job */
    int64_t keep_old_ms;   /* of a rotation: how long the old secret signs too */
    /* Of this run of the job: */
    struct json *was, *now; /* as stored, and as the model printed it; NULL: not there */
    struct buf mem, text;   /* of the row; of the printed key and document */
    void *with;             /* the kind's own data, in the request's arena */
    struct record *next;    /* of the same request */
};

/* Makes a record, which ends with the request. NULL: no memory. */
struct record *record_new(struct request *r, const struct resource *res);
void records_free(struct record *first);
/* Begins a run of the job: forgets all but the members that must be the same in each. */
void record_begin(struct record *rec);
/* Gets the row that `id` names in an account (0: any), with its document. */
MUST_USE enum err record_get(struct record *rec, struct db *db, uint64_t account, struct str id);
/* Do the same by the row's key or number. */
MUST_USE enum err record_get_by_key(struct record *rec, struct db *db, struct str key);
MUST_USE enum err record_get_n(struct record *rec, struct db *db, uint64_t account, uint64_t n);
/* Called by a kind's check: record_print_key puts the key into `text`, the model prints its
 * document behind it, then record_printed makes both the setting's. */
MUST_USE enum err record_print_key(struct record *rec, const char *key);
MUST_USE enum err record_printed(struct record *rec, size_t key_n);
/* The account that owns the setting when this request is done. */
uint64_t record_owner(const struct record *rec);
/* Is this member of the document never shown? */
bool record_hides(const struct resource *res, struct str member);
