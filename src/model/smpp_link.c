/* smpp_link: parses and prints the settings document of a link with a carrier over SMPP: one that
 * we open (client), or one that the carrier opens to our listener (server). net/addr, which model
 * does not know, judges CIDR texts. */
#include <stdlib.h>
#include <string.h>

#include "model/fields.h"

enum { SMPP_PORT = 2775 };

static void read_mode(struct fields *f, struct smpp_link *l)
{
    struct str s = {0};
    const struct json *v = field_any(f, "mode");
    if (v && json_str(v, &s) && str_eq(s, STR("client")))
        l->mode = SMPP_CLIENT;
    else if (s.p && str_eq(s, STR("server")))
        l->mode = SMPP_SERVER;
    else
        field_refuse(f, "mode", "client (we bind to the carrier) or server (it binds to us)");
}

static void read_bind(struct fields *f, struct smpp_link *l)
{
    struct str s = {0};
    const struct json *v = field_any(f, "bind");
    l->transceiver = true;
    if (!v)
        return;
    if (!json_str(v, &s) || !(str_eq(s, STR("transceiver")) || str_eq(s, STR("receiver"))))
        field_refuse(f, "bind", "transceiver or receiver");
    else
        l->transceiver = str_eq(s, STR("transceiver"));
}

static void read_coding(struct fields *f, const char *name, enum sms_alphabet *out)
{
    struct str s = {0};
    const struct json *v = field_any(f, name);
    if (v && (!json_str(v, &s) || !sms_alphabet_parse(s, out)))
        field_refuse(f, name, "gsm7, gsm7-packed, ascii, latin1, ucs2, utf8 or binary");
}

static void read_peer(struct fields *f, struct smpp_link *l)
{
    uint32_t port = SMPP_PORT;
    bool client = l->mode == SMPP_CLIENT;
    field_text(f, "host", l->host, sizeof l->host, client);
    field_u32(f, "port", 1, 65535, &port);
    l->port = (uint16_t)port;
    field_bool(f, "tls", &l->tls);
    if (!client && (l->host[0] || l->tls))
        field_refuse(f, l->tls ? "tls" : "host", "absent in server mode: the carrier comes to us");
    field_sources(f, 0, l->sources, &l->n_sources);
    if (client && l->n_sources)
        field_refuse(f, "sources", "absent in client mode: we go to the carrier");
    l->max_binds = client ? 1 : 4;
    field_u32(f, "max_binds", 1, 64, &l->max_binds);
}

enum err smpp_link_parse(const struct json *doc, struct smpp_link **ret,
                         struct field_error *ret_fault)
{
    struct fields f;
    struct smpp_link *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->window = 100;
    l->enquire_link_s = 30;
    l->defaults = (struct sms_defaults){SMS_GSM7, SMS_GSM7};
    fields_start(&f, doc, ret_fault);
    field_text(&f, "name", l->name, sizeof l->name, true);
    read_mode(&f, l);
    read_peer(&f, l);
    field_text(&f, "system_id", l->system_id, sizeof l->system_id, true);
    field_text(&f, "password", l->password, sizeof l->password, l->mode == SMPP_SERVER);
    field_text(&f, "system_type", l->system_type, sizeof l->system_type, false);
    read_bind(&f, l);
    field_u32(&f, "window", 1, 10000, &l->window);
    field_u32(&f, "enquire_link_s", 1, 3600, &l->enquire_link_s);
    read_coding(&f, "data_coding_0", &l->defaults.coding_0);
    read_coding(&f, "data_coding_1", &l->defaults.coding_1);
    field_number_rules(&f, &l->rules);
    field_bool(&f, "disabled", &l->disabled);
    enum err err = fields_end(&f);
    if (err == OK)
        *ret = l;
    else
        smpp_link_free(l);
    return err;
}

void smpp_link_print(const struct smpp_link *l, struct buf *out)
{
    struct json_writer w = {out, false};
    json_obj(&w, NULL);
    json_put_str(&w, "name", str_of(l->name));
    json_put_str(&w, "mode", l->mode == SMPP_CLIENT ? STR("client") : STR("server"));
    if (l->mode == SMPP_CLIENT) {
        json_put_str(&w, "host", str_of(l->host));
        json_put_i64(&w, "port", l->port);
        json_put_bool(&w, "tls", l->tls);
        json_put_str(&w, "bind", l->transceiver ? STR("transceiver") : STR("receiver"));
    } else {
        put_sources(&w, l->sources, l->n_sources);
    }
    json_put_str(&w, "system_id", str_of(l->system_id));
    json_put_str(&w, "password", str_of(l->password));
    json_put_str(&w, "system_type", str_of(l->system_type));
    json_put_i64(&w, "max_binds", l->max_binds);
    json_put_i64(&w, "window", l->window);
    json_put_i64(&w, "enquire_link_s", l->enquire_link_s);
    json_put_str(&w, "data_coding_0", str_of(sms_alphabet_setting(l->defaults.coding_0)));
    json_put_str(&w, "data_coding_1", str_of(sms_alphabet_setting(l->defaults.coding_1)));
    put_number_rules(&w, &l->rules);
    json_put_bool(&w, "disabled", l->disabled);
    json_end_obj(&w);
}

void smpp_link_free(struct smpp_link *l)
{
    if (!l)
        return;
    explicit_bzero(l->password, sizeof l->password);
    free(l);
}
