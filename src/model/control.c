/* control: parses {"action":"forward","targets":[…]}, {"action":"reject","sip_status":486},
 * {"action":"default"}; any other answer of a receiver means default. Pure. */
#include <stdio.h>

#include "base/json.h"
#include "base/log.h"
#include "model/control.h"

const char control_is_late[] = "no answer in time";

const char *control_action_name(enum control_action a)
{
    static const char *const name[] = {"default", "forward", "reject"};
    return name[a];
}

static void control_refuse(struct control *c, const char *field, const char *why)
{
    c->field = field;
    c->why = why;
}

static void control_targets_read(const struct json *doc, struct control *ret)
{
    char field[64] = "targets";
    const char *why = "missing";
    const struct json *targets = json_get(doc, "targets");
    bool good = targets && forward_parse(targets, &ret->targets, field, &why) == OK;
    for (size_t i = 0; good && i < ret->targets->n; i++)
        if (target_has_password(&ret->targets->target[i])) {
            why = "a SIP URI with a password";
            forward_free(ret->targets);
            ret->targets = NULL;
            good = false;
        }
    if (good) {
        ret->action = CONTROL_FORWARD;
        return;
    }
    control_refuse(ret, "targets", why);
    log_sparse(LOG_WARN, 1000, "sip", "a webhook's answer is not followed: %s: %s", field, why);
}

static void control_reject_read(const struct json *doc, struct control *ret)
{
    const struct json *given = json_get(doc, "sip_status");
    int64_t sip_status = 603;
    if (given && (!json_int(given, &sip_status) || sip_status < 400 || sip_status > 699)) {
        control_refuse(ret, "sip_status", "a number from 400 to 699");
        return;
    }
    ret->action = CONTROL_REJECT;
    ret->sip_status = (int)sip_status;
}

void control_parse(int status, struct str body, struct control *ret)
{
    struct json *doc = NULL;
    struct str action = {0};
    *ret = (struct control){.action = CONTROL_DEFAULT, .field = ""};
    body = str_trim(body);
    if (status == 0) {
        control_refuse(ret, "", "no answer");
    } else if (status < 200 || status > 299) {
        control_refuse(ret, "", "the answer is no 2xx");
    } else if (!body.n) {
        control_refuse(ret, "", "the answer is empty");
    } else if (json_parse(body, &doc, NULL, 0) != OK) {
        control_refuse(ret, "", "the answer is not JSON");
    } else if (json_kind(doc) != JSON_IS_OBJECT || !json_str(json_get(doc, "action"), &action)) {
        control_refuse(ret, "action", "missing");
    } else if (str_eq(action, STR("forward"))) {
        control_targets_read(doc, ret);
    } else if (str_eq(action, STR("reject"))) {
        control_reject_read(doc, ret);
    } else if (!str_eq(action, STR("default"))) {
        control_refuse(ret, "action", "forward, reject or default");
    }
    json_free(doc);
}

void control_print(const struct control *c, struct json_writer *w)
{
    char text[120];
    json_put_str(w, "decision", str_of(control_action_name(c->action)));
    if (!c->why) {
        json_put_null(w, "decision_reason");
        return;
    }
    snprintf(text, sizeof text, "%s%s%.80s", c->field, *c->field ? ": " : "", c->why);
    json_put_str(w, "decision_reason", str_of(text));
}
