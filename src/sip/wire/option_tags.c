/* option_tags: the extensions that pass. Not replaces, join and tdialog, which name dialogs by ids
 * that the other leg does not have; not from-change, since From is ours on each leg; not outbound,
 * path and gruu, which are about a hop. */
#include "sip/wire/option_tags.h"

#include "sip/wire/print.h"

bool option_tag_passes(struct str tag)
{
    static const struct str passes[] = {STR("100rel"),
                                        STR("timer"),
                                        STR("precondition"),
                                        STR("norefersub"),
                                        STR("early-session"),
                                        STR("histinfo"),
                                        STR("resource-priority"),
                                        STR("privacy"),
                                        STR("answermode"),
                                        STR("uui"),
                                        STR("ice"),
                                        STR("sdp-anat")};
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
        if (str_eq_nocase(tag, passes[i]))
            return true;
    return false;
}

enum { TAGS_MAX = 256 }; /* bytes of a list; further tags are left out */

/* A tag is written whole or not at all. */
static void add(struct buf *list, struct str tag)
{
    if (list->n + tag.n + 2 <= list->max)
        buf_printf(list, "%s%.*s", list->n ? ", " : "", STR_FMT(tag));
}

void option_tags_put(struct buf *b, enum sip_header_id id, struct str value)
{
    char text[TAGS_MAX];
    struct str tag;
    struct buf list;
    buf_wrap(&list, text, sizeof text);
    while (value_next(&value, &tag))
        if (option_tag_passes(tag))
            add(&list, tag);
    if (list.n)
        sip_put(b, id, buf_str(&list));
}

bool option_tags_put_unsupported(struct buf *b, const struct sip_msg *m)
{
    static const enum sip_header_id id[] = {SIP_H_REQUIRE, SIP_H_PROXY_REQUIRE};
    char text[TAGS_MAX];
    struct buf list;
    bool any = false;
    buf_wrap(&list, text, sizeof text);
    for (size_t i = 0; i < sizeof id / sizeof *id; i++) {
        size_t line = 0;
        struct str rest = {0}, tag;
        while (sip_next(m, id[i], &line, &rest, &tag))
            if (!option_tag_passes(tag)) {
                any = true;
                add(&list, tag);
            }
    }
    if (list.n)
        sip_put(b, SIP_H_UNSUPPORTED, buf_str(&list));
    return any;
}
