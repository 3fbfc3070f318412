/* smpp_links_api: handles the links with SMPP carriers as a resource of the operator, and shows the
 * state of each. */
#include <string.h>

#include "api/resources/handlers.h"
#include "api/core/resource.h"

static enum err link_check(struct request *r, struct record *rec, const struct json *doc,
                           const struct json *given, bool is_new)
{
    struct smpp_link *l;
    struct cidr cidr;
    enum err err = smpp_link_parse(doc, &l, &r->fault);
    if (err != OK)
        return err;
    for (size_t i = 0; err == OK && i < l->n_sources; i++)
        if (cidr_parse(str_of(l->sources[i]), &cidr) != OK)
            err = request_refuse(r, "sources", "addresses or CIDR blocks");
    if (err == OK)
        err = record_print_key(rec, l->name);
    if (err == OK) {
        smpp_link_print(l, &rec->text);
        err = record_printed(rec, strlen(l->name));
    }
    smpp_link_free(l);
    return err;
}

static enum err link_more(struct request *r, const struct setting *s, const struct json *doc,
                          struct json_writer *w)
{
    struct link_state now = {.state = "unknown"};
    if (r->api->c.link_states)
        (void)link_states_get(r->api->c.link_states, s->n, &now);
    json_obj(w, "status");
    json_put_str(w, "state", str_of(now.state));
    json_put_i64(w, "binds", now.binds);
    put_time(w, "since", now.since_ms);
    json_put_str(w, "detail", now.detail[0] ? str_of(now.detail) : (struct str){0});
    json_put_i64(w, "received", (int64_t)now.received);
    json_end_obj(w);
    return OK;
}

static const char *const link_hidden[] = {"password", NULL};
const struct resource smpp_links = {.kind = SETTING_SMPP_LINK,
                                    .prefix = "link",
                                    .collection = "/v1/smpp-links",
                                    .hidden = link_hidden,
                                    .operator_only = true,
                                    .check = link_check,
                                    .more = link_more};
RESOURCE_HANDLERS(smpp_links, smpp_links)

void smpp_links_patch(struct request *r)
{
    resource_patch(r, &smpp_links);
}

void smpp_links_delete(struct request *r)
{
    resource_delete(r, &smpp_links);
}
