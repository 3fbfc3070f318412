/* Finds the fields of a message that a provider posts, by the common names, the operator's (config
 * ingest.sms_fields), and the request's own. Pure. */
#pragma once
#include "base/form.h"
#include "base/json.h"

/* id, its name here, the names that are understood, of which the first wins */
#define SMS_FIELD_LIST(X)                                                                          \
    X(FROM, "from", "from|From|msisdn|sender|source|Sender|Source|src")                            \
    X(TO, "to", "to|To|recipient|destination|Recipient|Destination|dst")                           \
    X(TEXT, "text", "text|Text|Body|body|message|Message|content|Content")                         \
    X(MESSAGE_ID, "message_id",                                                                    \
      "message_id|MessageSid|messageId|MessageUUID|message_uuid|MessageId|id|Id")                  \
    X(REF, "ref", "concat-ref") /* of a text in parts: what its parts share */                     \
    X(TOTAL, "total", "concat-total")                                                              \
    X(PART, "part", "concat-part")

enum sms_field {
#define X(id, name, names) SMS_FIELD_##id,
    SMS_FIELD_LIST(X)
#undef X
        SMS_FIELD_COUNT
};
const char *sms_field_name(enum sms_field f); /* "from" */

enum { SMS_FIELD_NAMES_MAX = 256 };
struct sms_fields {
    char names[SMS_FIELD_COUNT][SMS_FIELD_NAMES_MAX]; /* "from|msisdn" */
};
/* Parses "from=msisdn|sender, to=inNumber"; a field that is not given keeps the common names.
 * ERR_INVALID with *ret_why for people. */
MUST_USE enum err sms_fields_parse(struct str text, struct sms_fields *ret, const char **ret_why);
/* Sets one field's names; ERR_INVALID when there is none, or they are too long. */
MUST_USE enum err sms_fields_set(struct sms_fields *f, enum sms_field field, struct str names);

/* Gives the value under the first of the names ("from|msisdn") that is there; absent: p == NULL. In
 * JSON a name may be a path ("data.payload.to.0.phone_number") in which `*` is the item's place in
 * an array ("results.*.from"). A whole number is its digits there, written to `mem`, and true and
 * false are those words. */
struct str sms_value_of_form(struct str names, const struct form *form);
struct str sms_value_of_json(struct str names, const struct json *doc, size_t item, char mem[32]);
/* Gives the array of the first name with `*` that leads to one; NULL: the document is one message.
 */
const struct json *sms_items_of_json(const struct sms_fields *f, const struct json *doc);
