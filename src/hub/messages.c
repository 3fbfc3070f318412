/* messages: the door for text messages. A whole one becomes an event on the caller's thread and
 * goes through intake; a part of one goes to the writer, which keeps it and looks whether it was
 * the last one missing (join.c). Any thread; what it knows is in the store. */
#include "hub/messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { LINK_MAX = 64, PARTY_MAX = 256, ID_MAX = 256 };

struct messages {
    struct messages_config c;
};

enum err messages_new(const struct messages_config *c, struct messages **ret)
{
    struct messages *m = malloc(sizeof *m);
    if (!m)
        return ERR_NOMEM;
    m->c = *c;
    *ret = m;
    return OK;
}

void messages_free(struct messages *m)
{
    free(m);
}

/* ---- a whole message ---- */

struct whole { /* who waits for it */
    messages_on_taken *on_taken;
    void *arg;
    size_t id_n;
    char id[];
};

static void on_whole(void *arg, uint64_t token, struct taking **t, enum err err, bool duplicate)
{
    struct whole *w = arg;
    w->on_taken(w->arg, token, err, duplicate, str_of_bytes(w->id, w->id_n));
    free(w);
}

static enum err prepare(struct messages *m, const struct book *book, const struct message_in *in,
                        struct str message_id, struct taking **ret)
{
    const struct sms_part *part = &in->part;
    struct sms_facts f = {.account = in->account,
                          .from = in->from,
                          .to = in->to,
                          .message_id = message_id,
                          .link = in->link,
                          .parts = 1,
                          .simulated = in->simulated};
    struct event *made;
    enum err err = event_of_parts(&f, &part, 1, clock_wall_ms(), &made);
    if (err != OK)
        return err;
    const struct event *e = made;
    return intake_prepare(m->c.intake, book, &e, NULL, NULL, ret);
}

static enum err take_whole(struct messages *m, const struct book *book, const struct message_in *in,
                           struct mailbox *home, messages_on_taken *on_taken, void *arg,
                           uint64_t token)
{
    char own[ID_SIZE];
    struct str id = in->message_id;
    struct taking *t = NULL;
    if (!id.n) {
        id_new("msg", own);
        id = str_of(own);
    }
    struct whole *w = malloc(sizeof *w + id.n);
    if (!w)
        return ERR_NOMEM;
    *w = (struct whole){.on_taken = on_taken, .arg = arg, .id_n = id.n};
    memcpy(w->id, id.p, id.n);
    enum err err = prepare(m, book, in, id, &t);
    if (err == OK)
        err = intake_submit(m->c.intake, &t, home, on_whole, w, token);
    if (err != OK) {
        taking_free(t);
        free(w);
    }
    return err;
}

enum err messages_take(struct messages *m, const struct book *book, const struct message_in *in,
                       struct mailbox *home, messages_on_taken *on_taken, void *arg, uint64_t token)
{
    if (in->link.n > LINK_MAX || in->from.n > PARTY_MAX || in->to.n > PARTY_MAX ||
        in->message_id.n > ID_MAX || in->part.data.n > SMS_DATA_MAX)
        return ERR_INVALID;
    if (!store_is_writable(m->c.store))
        return ERR_STORE;
    if (in->part.parts > 1)
        return ERR_UNSUPPORTED;
    return take_whole(m, book, in, home, on_taken, arg, token);
}
