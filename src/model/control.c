/* control: parses {"action":"forward","targets":[…]}, {"action":"reject","sip_status":486},
 * {"action":"default"}; any other answer of a receiver means default. Pure. */
#include "base/json.h"
#include "base/log.h"
#include "model/control.h"

static void control_targets_read(const struct json *doc, struct control *ret)
{
    char field[64];
    const char *why = "";
    const struct json *targets = json_get(doc, "targets");
    bool good = targets && forward_parse(targets, &ret->targets, field, &why) == OK;
    for (size_t i = 0; good && i < ret->targets->n; i++)
        if (target_has_password(&ret->targets->target[i])) {
            why = "a SIP URI with a password";
            forward_free(ret->targets);
            ret->targets = NULL;
            good = false;
        }
    if (good)
        ret->action = CONTROL_FORWARD;
    else
        log_sparse(LOG_WARN, 1000, "sip", "a webhook's answer is not followed: %s: %s",
                   targets ? field : "targets", targets ? why : "missing");
}

void control_parse(int status, struct str body, struct control *ret)
{
    struct json *doc = NULL;
    struct str action;
    int64_t sip_status;
    *ret = (struct control){.action = CONTROL_DEFAULT};
    if (status < 200 || status > 299 || json_parse(str_trim(body), &doc, NULL, 0) != OK)
        return;
    if (json_str(json_get(doc, "action"), &action) && str_eq(action, STR("forward"))) {
        control_targets_read(doc, ret);
    } else if (action.p && str_eq(action, STR("reject"))) {
        const struct json *given = json_get(doc, "sip_status");
        if (!given)
            sip_status = 603;
        else if (!json_int(given, &sip_status))
            sip_status = 0; /* not one of the three, then */
        if (sip_status >= 400 && sip_status <= 699) {
            ret->action = CONTROL_REJECT;
            ret->sip_status = (int)sip_status;
        }
    }
    json_free(doc);
}
