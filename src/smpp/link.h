/* Keeps one link that we open: as many sessions as its settings want, each dialled, bound, and
 * after a pause dialled again. It stands between links.c (which settings there are) and dial.c and
 * session.c (how). On the edge's loop. */
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
    bool refused;    /* last time the carrier itself refused */
    char detail[96]; /* why it is not bound, last time */
};

enum { SEATS_MAX = 64 };

struct link {
    const struct links *all;
    uint64_t n; /* of the setting; the key in links.c */
    char id[ID_SIZE];
    struct smpp_link set;         /* what is dialled with */
    bool wanted;                  /* enabled, and the edge does not drain */
    bool ours;                    /* there, and of mode client: its state is ours to tell */
    struct seat *seat[SEATS_MAX]; /* NULL: not used yet */
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
/* Gives the link new settings; NULL: it is not ours any more. A session unbinds when it was bound
 * with other ones. */
void link_set(struct link *l, const struct book_smpp_link *from, bool wanted);
bool link_is_empty(const struct link *l); /* no seat is taken */
void link_show(struct link *l);           /* its state as the API reads it */
void link_free(struct link *l);           /* NULL-safe; closes hard */
