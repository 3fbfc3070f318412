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

void option_tags_put_supported(struct buf *b, struct str value)
{
    char list[256];
    struct str tag;
    struct buf l;
    buf_wrap(&l, list, sizeof list);
    while (value_next(&value, &tag))
        if (option_tag_passes(tag) && l.n + tag.n + 2 <= sizeof list)
            buf_printf(&l, "%s%.*s", l.n ? ", " : "", STR_FMT(tag));
    if (l.n)
        sip_put(b, SIP_H_SUPPORTED, buf_str(&l));
}
