/* party: reads who is on the other side from the book. Called for every message, by the edge's
 * door. Pure. */
#include "sip/core/party.h"

static struct party party_of_trunk(const struct book_trunk *t)
{
    return t ? (struct party){PARTY_TRUNK, t} : (struct party){PARTY_NOBODY, NULL};
}

struct party party_from(const struct book *b, const struct addr *source)
{
    return party_of_trunk(book_trunk_from(b, source));
}

struct party party_named(const struct book *b, struct str id_or_name)
{
    return party_of_trunk(book_trunk(b, id_or_name));
}

uint64_t party_number(const struct party *p)
{
    return p->trunk->n;
}

struct str party_id(const struct party *p)
{
    return str_of(p->trunk->id);
}

struct str party_name(const struct party *p)
{
    return str_of(p->trunk->set->name);
}

uint32_t party_max_calls(const struct party *p)
{
    return p->trunk->set->max_calls;
}

uint32_t party_max_cps(const struct party *p)
{
    return p->trunk->set->max_cps;
}

const struct trunk *party_ways(const struct party *p)
{
    return p->trunk->set;
}
