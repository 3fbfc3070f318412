/* stage: sets up the daemon for the demo and removes it afterwards. The daemon is the real one,
 * and its settings go in by its API; only its folder is temporary. Caller: play/demo. Thread: the
 * main one. */
#include "play/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "trace/ring.h"

enum { DRAIN_MS = 2000 };

const char stage_number[NUMBER_SIZE] = "+447911123456";
const char stage_system_id[] = "democarrier";

/* ---- the daemon ---- */

static enum err stage_start_daemon(struct stage *s)
{
    char why[512], dir[sizeof s->dir + 16], key[96], text[ADDR_TEXT_SIZE];
    const char *sets[] = {dir,
                          key,
                          "http.listen=127.0.0.1:0",
                          "sip.listen=udp:127.0.0.1:0",
                          "smpp.listen=127.0.0.1:0",
                          "http_client.allow=127.0.0.0/8",
                          "log.level=warn"};
    snprintf(dir, sizeof dir, "data_dir=%s", s->dir);
    snprintf(key, sizeof key, "bootstrap.admin_key=%s", s->key);
    char *none[] = {NULL};
    enum err err =
        config_load(NULL, none, sets, sizeof sets / sizeof *sets, &s->config, why, sizeof why);
    if (err == OK)
        err = daemon_start(s->config, &s->daemon, why, sizeof why);
    if (err != OK) {
        fprintf(stderr, "hookswitch demo: %s\n", why);
        return err;
    }
    struct addr http = daemon_http(s->daemon);
    addr_print(&http, text);
    snprintf(s->url, sizeof s->url, "http://%s", text);
    return OK;
}

enum err stage_open(struct stage *s)
{
    char random[ID_SIZE];
    const char *tmp = getenv("TMPDIR");
    *s = (struct stage){0};
    int n =
        snprintf(s->dir, sizeof s->dir, "%s/hookswitch-demo-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (n < 0 || (size_t)n >= sizeof s->dir || !mkdtemp(s->dir)) {
        perror("hookswitch demo: a temporary folder");
        *s->dir = '\0';
        return ERR_IO;
    }
    id_new("hsk", s->key);
    id_new("p", random);
    (void)!str_copy(str_from(str_of(random), strlen(random) - 8), s->smpp_password,
                    sizeof s->smpp_password); /* the random end, and as long as SMPP has room for */
    return stage_start_daemon(s);
}

static void store_remove(const char *dir)
{
    static const char *const file[] = {"hookswitch.db", "hookswitch.db-wal", "hookswitch.db-shm",
                                       "hookswitch.db.lock"};
    char path[320];
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, file[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/trace", dir);
    trace_ring_remove(path);
    if (rmdir(dir))
        perror(dir);
}

void stage_close(struct stage *s)
{
    daemon_stop(s->daemon, DRAIN_MS);
    config_free(s->config);
    if (*s->dir)
        store_remove(s->dir);
}

/* ---- its settings ---- */

static enum err stage_request(struct stage *s, const char *method, const char *path,
                              const struct buf *body)
{
    struct client c = {.url = s->url, .key = s->key};
    struct client_answer a = {0};
    enum err err =
        body->err == OK ? client_request(&c, method, path, buf_str(body), &a) : body->err;
    if (err == OK && (a.status < 200 || a.status > 299)) {
        fprintf(stderr, "%s %s: %d %.*s\n", method, path, a.status, STR_FMT(buf_str(&a.body)));
        err = ERR_INVALID;
    }
    buf_fini(&a.body);
    return err;
}

enum err stage_furnish(struct stage *s, const struct addr *hook)
{
    char mem[512], at[ADDR_TEXT_SIZE], secret[SECRET_SIZE];
    struct buf b;
    addr_print(hook, at);
    secret_new(secret);
    enum err err = secret_parse(str_of(secret), &s->secret);
    buf_wrap(&b, mem, sizeof mem);
    buf_puts(&b, "{\"name\":\"demo carrier\",\"sources\":[\"127.0.0.1\"]}");
    if (err == OK)
        err = stage_request(s, "POST", "/v1/trunks", &b);
    buf_reset(&b);
    buf_printf(&b,
               "{\"name\":\"demo carrier\",\"mode\":\"server\",\"system_id\":\"%s\","
               "\"password\":\"%s\",\"sources\":[\"127.0.0.1\"]}",
               stage_system_id, s->smpp_password);
    if (err == OK)
        err = stage_request(s, "POST", "/v1/smpp-links", &b);
    buf_reset(&b);
    buf_printf(&b, "{\"number\":\"%s\",\"label\":\"demo\",\"sms\":true}", stage_number);
    if (err == OK)
        err = stage_request(s, "POST", "/v1/numbers", &b);
    buf_reset(&b);
    buf_printf(&b, "{\"url\":\"http://%s/hook\",\"control\":true,\"secret\":\"%s\"}", at, secret);
    if (err == OK)
        err = stage_request(s, "POST", "/v1/endpoints", &b);
    return err;
}

enum err stage_forward(struct stage *s, struct str sip_uri)
{
    char mem[256], path[64];
    struct buf b;
    snprintf(path, sizeof path, "/v1/numbers/%%2B%s/forward", stage_number + 1);
    buf_wrap(&b, mem, sizeof mem);
    buf_printf(&b, "{\"targets\":[{\"type\":\"sip\",\"destination\":\"%.*s\"}]}", STR_FMT(sip_uri));
    return stage_request(s, "PUT", path, &b);
}
