/* commands: has the table of words and requests, and prints the usage from it. The rows of a noun
 * stand together. Pure but for the FILE. */
#include "cli/commands.h"

#include <string.h>

#include "cli/print_trace.h"

/* noun, verb, method, path, takes a body (2: may), takes a query, help, columns */
static const struct command commands[] = {
    {"number", "list", "GET", "/v1/numbers", 0, true, "lists the numbers",
     "number label country voice sms"},
    {"number", "get", "GET", "/v1/numbers/{}", 0, false, "shows a number with its forward setting"},
    {"number", "create", "POST", "/v1/numbers", 1, false,
     "makes one: {number, label, voice, sms, country …}"},
    {"number", "set", "PATCH", "/v1/numbers/{}", 1, false, "changes the members that are given"},
    {"number", "delete", "DELETE", "/v1/numbers/{}", 0, false, "deletes a number; its events stay"},
    {"number", "forward", "PUT", "/v1/numbers/{}/forward", 2, false,
     "shows where its calls go, or sets {targets: […]}"},
    {"number", "erase", "DELETE", "/v1/numbers/{}/data", 0, false,
     "deletes its events, deliveries and ended calls"},
    {"erasure", "get", "GET", "/v1/erasures/{}", 0, false, "shows how far an erasure is"},
    {"endpoint", "list", "GET", "/v1/endpoints", 0, true, "lists the endpoints",
     "id url format? events? numbers? disabled"},
    {"endpoint", "get", "GET", "/v1/endpoints/{}", 0, false, "shows an endpoint and its health"},
    {"endpoint", "create", "POST", "/v1/endpoints", 1, false,
     "makes one: {url, format, events, numbers …}; shows its secret, once"},
    {"endpoint", "set", "PATCH", "/v1/endpoints/{}", 1, false,
     "changes the members that are given"},
    {"endpoint", "delete", "DELETE", "/v1/endpoints/{}", 0, false,
     "deletes an endpoint and cancels its pending deliveries"},
    {"endpoint", "test", "POST", "/v1/endpoints/{}/test", 0, false, "sends it a ping"},
    {"endpoint", "enable", "POST", "/v1/endpoints/{}/enable", 0, false,
     "switches it on again, after 410 or five days of failure"},
    {"endpoint", "rotate-secret", "POST", "/v1/endpoints/{}/rotate-secret", 0, false,
     "makes a new secret, shown once; the old one signs beside it for 24 hours: {keep_old_s}"},
    {"endpoint", "recover", "POST", "/v1/endpoints/{}/recover", 1, false,
     "sends again the events that it missed: {since, until, dry_run}"},
    {"endpoint", "recoveries", "GET", "/v1/endpoints/{}/recoveries", 0, true,
     "lists its recoveries, newest first", "id since? until? count done state"},
    {"recovery", "get", "GET", "/v1/recoveries/{}", 0, false, "shows how far a recovery is"},
    {"recovery", "cancel", "POST", "/v1/recoveries/{}/cancel", 0, false,
     "ends a recovery; the deliveries that it made stay"},
    {"trunk", "list", "GET", "/v1/trunks", 0, true, "lists the trunks",
     "id name sources max_calls? country?"},
    {"trunk", "get", "GET", "/v1/trunks/{}", 0, false, "shows a trunk, by id or name"},
    {"trunk", "create", "POST", "/v1/trunks", 1, false, "makes one: {name, sources: [CIDR …] …}"},
    {"trunk", "set", "PATCH", "/v1/trunks/{}", 1, false, "changes the members that are given"},
    {"trunk", "delete", "DELETE", "/v1/trunks/{}", 0, false,
     "deletes a trunk; its calls are refused from then on"},
    {"smpp-link", "list", "GET", "/v1/smpp-links", 0, true, "lists the links with SMS carriers",
     "id name mode host system_id status disabled"},
    {"smpp-link", "get", "GET", "/v1/smpp-links/{}", 0, false, "shows a link and its state"},
    {"smpp-link", "create", "POST", "/v1/smpp-links", 1, false,
     "makes one: {name, mode: client or server, host, system_id, password …}"},
    {"smpp-link", "set", "PATCH", "/v1/smpp-links/{}", 1, false,
     "changes the members that are given"},
    {"smpp-link", "delete", "DELETE", "/v1/smpp-links/{}", 0, false, "unbinds and deletes a link"},
    {"extension", "list", "GET", "/v1/extensions", 0, true, "lists the SIP accounts of phones",
     "id username label created_at"},
    {"extension", "get", "GET", "/v1/extensions/{}", 0, false,
     "shows an extension, without its password"},
    {"extension", "create", "POST", "/v1/extensions", 1, false,
     "makes one: {username, password, label}; shows a password that it makes, once"},
    {"extension", "set", "PATCH", "/v1/extensions/{}", 1, false,
     "changes the members that are given; {\"password\": null} makes a new one"},
    {"extension", "delete", "DELETE", "/v1/extensions/{}", 0, false,
     "deletes an extension and frees its username"},
    {"event", "list", "GET", "/v1/events", 0, true,
     "lists events, newest first: number= type= call_id= state= since= until= q=",
     "occurred_at event id did_number? caller_id? state"},
    {"event", "get", "GET", "/v1/events/{}", 0, false,
     "shows an event, its deliveries and attempts"},
    {"event", "create", "POST", "/v1/events", 1, false,
     "takes an event of another PBX, or an array of them"},
    {"event", "resend", "POST", "/v1/events/{}/resend", 2, false,
     "sends an event again, to all that it went to or to {endpoint}"},
    {"simulate", "run", "POST", "/v1/simulate", 1, false,
     "makes a call, {kind: \"call\", number, from, outcome …}, or a text, {kind: \"sms\" …}"},
    {"message", "list", "GET", "/v1/messages", 0, true, "lists texts, newest first",
     "received_at id? from to message state?"},
    {"message", "threads", "GET", "/v1/messages/threads", 0, true,
     "lists number and peer of each conversation, newest first", "last_at number peer count"},
    {"call", "list", "GET", "/v1/calls", 0, true,
     "lists calls, newest first: number= since= until=",
     "started_at id did_number? caller_id? state end_reason?"},
    {"call", "get", "GET", "/v1/calls/{}", 0, false, "shows a call"},
    {"call", "trace", "GET", "/v1/calls/{}/trace", 0, false, "shows its SIP messages, of both legs",
     .print = print_trace},
    {"call", "hangup", "POST", "/v1/calls/{}/hangup", 0, false, "ends a call in progress"},
    {"key", "list", "GET", "/v1/keys", 0, true, "lists API keys, without their secret part",
     "id name scopes expires_at last_used_at"},
    {"key", "get", "GET", "/v1/keys/{}", 0, false, "shows a key and when it was last used"},
    {"key", "create", "POST", "/v1/keys", 1, false,
     "makes one: {name, scopes, expires_at}; shows the key, once"},
    {"key", "set", "PATCH", "/v1/keys/{}", 1, false, "changes the members that are given"},
    {"key", "delete", "DELETE", "/v1/keys/{}", 0, false,
     "deletes a key; it is refused from then on"},
    {"account", "list", "GET", "/v1/accounts", 0, true, "lists the accounts",
     "id name retention_days"},
    {"account", "get", "GET", "/v1/accounts/{}", 0, false, "shows an account, by id or name"},
    {"account", "create", "POST", "/v1/accounts", 1, false, "makes one: {name, retention_days}"},
    {"account", "set", "PATCH", "/v1/accounts/{}", 1, false, "changes the members that are given"},
    {"account", "delete", "DELETE", "/v1/accounts/{}", 0, false, "deletes an empty account"},
    {"user", "list", "GET", "/v1/users", 0, true, "lists the users", "id username role created_at"},
    {"user", "get", "GET", "/v1/users/{}", 0, false, "shows a user"},
    {"user", "create", "POST", "/v1/users", 1, false,
     "makes one: {username, password, role, account}"},
    {"user", "set", "PATCH", "/v1/users/{}", 1, false,
     "changes {password, role …}; a new password ends the log-ins"},
    {"user", "delete", "DELETE", "/v1/users/{}", 0, false, "deletes a user and ends the log-ins"},
    {"audit", "list", "GET", "/v1/audit", 0, true,
     "lists changes of settings, newest first: kind= id= who= since= until=",
     "at who_name address kind target action changed"},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

const struct command *command_find(const char *noun, const char *verb)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strcmp(noun, commands[i].noun) && !strcmp(verb, commands[i].verb))
            return &commands[i];
    return NULL;
}

const struct command *command_at(size_t i)
{
    return i < N_COMMANDS ? &commands[i] : NULL;
}

bool noun_is(const char *noun)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strcmp(noun, commands[i].noun))
            return true;
    return false;
}

static const char *id_word(const char *noun)
{
    return strcmp(noun, "number") ? "ID" : "E164";
}

static size_t words_of(const struct command *c, char *out, size_t cap)
{
    int n = snprintf(out, cap, "%s%s%s%s", c->verb, strchr(c->path, '{') ? " " : "",
                     strchr(c->path, '{') ? id_word(c->noun) : "",
                     c->body == 1   ? " JSON"
                     : c->body == 2 ? " [JSON]"
                     : c->query     ? " [NAME=VALUE]…"
                                    : "");
    return n > 0 ? (size_t)n - (c->query ? 2 : 0) : 0; /* … is three bytes and one column */
}

void command_print_words(FILE *f, const struct command *c)
{
    char text[96];
    words_of(c, text, sizeof text);
    fputs(text, f);
}

void noun_print_usage(FILE *f, const char *noun)
{
    char text[96];
    bool body = false;
    fprintf(f, "usage: hookswitch %s VERB\n\n", noun);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        const struct command *c = &commands[i];
        if (strcmp(c->noun, noun))
            continue;
        size_t width = words_of(c, text, sizeof text);
        fprintf(f, "  %s%*s %s\n", text, width < 24 ? (int)(24 - width) : 1, "",
                c->help ? c->help : "");
        body |= c->body != 0;
    }
    if (body)
        fputs("\nJSON is an object, @FILE, or - for what comes from standard input.\n", f);
    fputs("\nAll take --url, --key and --json: `hookswitch --help`.\n", f);
}

void nouns_print(FILE *f)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        bool first = i == 0 || strcmp(commands[i].noun, commands[i - 1].noun) != 0;
        bool last = i + 1 == N_COMMANDS || strcmp(commands[i].noun, commands[i + 1].noun) != 0;
        if (first)
            fprintf(f, "  %-10s ", commands[i].noun);
        fprintf(f, "%s%s", commands[i].verb, last ? "\n" : " | ");
    }
}
