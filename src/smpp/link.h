/* One link that we open: as many sessions as its settings want, each dialled, bound, and after a
 * pause dialled again. Between links.c (which settings there are) and dial.c, session.c (how). On
 * the edge's loop. */
#pragma once
#include "base/map.h"
#include "smpp/links.h"
#include "smpp/reconnect.h"

struct link;

/* A session's place. */
#define SEAT_LIST(X)                                                                               \
    X(EMPTY)    /* nobody wants a session here */                                                  \
    X(WAITING)  /* its timer dials */                                                              \
    X(DIALLING) /* dial is set */                                                                  \
    X(BOUND)    /* session is set */                                                               \
    X(LEAVING)  /* session is set, and unbinding */
enum seat_state {
#define X(id) SEAT_##id,
    SEAT_LIST(X)
#undef X
};

struct seat {
    struct link *link;
    unsigned index; /* wanted when below max_binds */
    enum seat_state state;
    struct dial *dial;
    struct session *session;
    struct reconnect tries;
    struct timer timer;
    int64_t bound_mono_ms;
    bool refused;    /* it was the carrier who said no, last time */
    char detail[96]; /* why it is not bound, last time */
};

enum { SEATS_MAX = 64 };

struct link {
    const struct links *all;
    uint64_t n; /* of the setting; the key in links.c */
    char id[ID_SIZE];
    struct smpp_link set;         /* what is dialled with */
    bool wanted;                  /* enabled, and nobody drains */
    bool ours;                    /* there, and of mode client: its state is ours to tell */
    struct seat *seat[SEATS_MAX]; /* NULL: nobody sat there yet */
    uint64_t received;            /* messages, of all its sessions */
    struct link_state shown;
};

struct links {
    struct links_config c;
    struct tls *tls; /* made for the first link that needs it */
    struct map *by_n;
    uint64_t generation;
    struct timer tick;
    bool draining;
    void (*on_idle)(void *);
    void *on_idle_arg;
};

struct link *link_new(const struct links *all,
                      const struct book_smpp_link *from); /* NULL: memory */
/* What it is to be from now on; NULL: not ours any more. What a session was bound with decides
 * whether it unbinds. */
void link_set(struct link *l, const struct book_smpp_link *from, bool wanted);
bool link_is_empty(const struct link *l); /* no seat is taken */
void link_show(struct link *l);           /* its state as the API reads it */
void link_free(struct link *l);           /* NULL-safe; closes hard */
