/* fork: the early dialogs of a call. Each To tag in a provisional answer of the present target is
 * a dialog (RFC 3261 §12.1.2, §13.2.2.4), and has one of the caller's leg beside it: what is said
 * in one passes in the other and nowhere else, and a later target never speaks in the dialog of one
 * before. Their numbers grow over all targets of the call. Edge's thread. */
#include <stdlib.h>
#include <string.h>

#include "sip/call/call.h"

static void fork_free(struct fork *f)
{
    dialog_fini(&f->a);
    dialog_fini(&f->b);
    free(f);
}

/* The caller's texts are copied, since its UPDATE in one dialog changes none of the others. */
static enum err fork_fill(struct fork *f, struct call *c, const struct txn *t,
                          const struct sip_msg *m)
{
    enum err err = dialog_of_response(&f->b, m, &t->path, str_of(t->host), c->core->transport);
    if (err == OK)
        err = dialog_copy(&c->a.dialog, &f->a);
    if (err != OK)
        return err;
    f->b.leg = 'b';
    memcpy(f->b.token, c->b.dialog.token, sizeof f->b.token); /* our From tag is one for all */
    f->a.fork = c->n_forks++;
    return OK;
}

struct fork *fork_of_answer(struct call *c, const struct txn *t, const struct sip_msg *m)
{
    size_t n = 0;
    for (struct fork *f = c->forks; f; f = f->next, n++)
        if (str_eq(dialog_get(&f->b, DIALOG_TAG), m->to.tag)) /* none: the null tag (§12.1.2) */
            return f;
    if (n >= FORKS_MAX && m->status < 200)
        return NULL;
    struct fork *f = calloc(1, sizeof *f);
    if (!f || fork_fill(f, c, t, m) != OK) {
        if (f)
            fork_free(f);
        return NULL;
    }
    f->next = c->forks;
    c->forks = f;
    return f;
}

struct dialog *fork_dialog_of(struct leg *leg, uint16_t fork, struct str call_id,
                              struct str peer_tag)
{
    for (struct fork *f = leg->call->forks; f; f = f->next) {
        struct dialog *d = leg->name == 'a' ? &f->a : &f->b;
        if (d->fork == fork && dialog_is(d, call_id, peer_tag))
            return d;
    }
    return NULL;
}

struct dialog *fork_other(struct call *c, const struct dialog *own)
{
    for (struct fork *f = c->forks; f; f = f->next)
        if (own == &f->a || own == &f->b)
            return own == &f->a ? &f->b : &f->a;
    return own == &c->a.dialog ? &c->b.dialog : &c->a.dialog;
}

void forks_end(struct call *c)
{
    while (c->forks) {
        struct fork *f = c->forks;
        c->forks = f->next;
        fork_free(f);
    }
}

void fork_choose(struct call *c, struct fork *chosen)
{
    dialog_fini(&c->a.dialog);
    c->a.dialog = chosen->a;
    c->b.dialog = chosen->b;
    chosen->a.mem = chosen->b.mem = NULL;
    forks_end(c);
}
