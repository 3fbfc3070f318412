/* The settings as the book gives them, one struct a kind. */
#pragma once
#include "base/trie.h"
#include "model/settings.h"
#include "net/guard.h"
#include "net/url.h"
#include "store/rows/settings.h"

/* Each kind begins so: the row's number, whose it is, its public id. */
struct book_any {
    uint64_t n, account;
    const char *id;
};
struct book_account {
    uint64_t n, account;
    const char *id;
    const struct account *set;
};
struct book_number {
    uint64_t n, account;
    const char *id; /* the number */
    const struct did *set;
};
struct book_endpoint { /* its URLs have been judged */
    uint64_t n, account;
    const char *id;
    const struct endpoint *set;
};
struct book_trunk {
    uint64_t n, account;
    const char *id;
    const struct trunk *set;
    struct cidr source[SOURCES_MAX];
};
struct book_smpp_link {
    uint64_t n, account;
    const char *id;
    const struct smpp_link *set;
    struct cidr source[SOURCES_MAX];
};
struct book_key {
    uint64_t n, account;
    const char *id;
    const struct api_key *set;
};
struct book_user {
    uint64_t n, account;
    const char *id;
    const struct user *set;
};
