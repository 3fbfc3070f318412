/* reach: checks whether the receivers of webhooks can be reached from here, by a bare connection
 * to the host and port of each endpoint. Asks the running daemon for its endpoints, with
 * HOOKSWITCH_KEY. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/client/client.h"
#include "cli/doctor/doctor.h"
#include "net/url.h"

enum { WAIT_SEC = 3, ENDPOINTS_MOST = 100 };

static bool receiver_reach(const struct url *u, const char **why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    struct timeval wait = {.tv_sec = WAIT_SEC};
    char host[sizeof u->host], port[8];
    struct str bare = str_of(u->host);
    if (bare.n > 2 && bare.p[0] == '[')
        bare = str_slice(bare, 1, bare.n - 2);
    snprintf(host, sizeof host, "%.*s", STR_FMT(bare));
    snprintf(port, sizeof port, "%u", u->port);
    int rc = getaddrinfo(host, port, &hints, &list);
    bool reached = false;
    *why = rc ? gai_strerror(rc) : "no address";
    for (const struct addrinfo *a = list; a && !reached; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
        reached = fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0;
        if (!reached)
            *why = errno == EINPROGRESS ? "no answer in 3 s" : strerror(errno);
        if (fd >= 0)
            close(fd);
    }
    if (list)
        freeaddrinfo(list);
    return reached;
}

static void look_at_endpoint(struct doctor *d, const struct json *endpoint)
{
    struct str id = {0}, text = {0};
    struct url u;
    const char *why = "";
    if (!json_str(json_get(endpoint, "id"), &id) || !json_str(json_get(endpoint, "url"), &text) ||
        url_parse(text, &u, &why) != OK)
        return;
    if (receiver_reach(&u, &why))
        doctor_say(d, FINDING_OK, "receiver", "%.*s: %s:%u can be reached", STR_FMT(id), u.host,
                   u.port);
    else
        doctor_say(d, FINDING_WARN, "receiver",
                   "%.*s: %s:%u: %s: its events wait and are tried again", STR_FMT(id), u.host,
                   u.port, why);
}

void doctor_reach(struct doctor *d)
{
    const char *url = getenv("HOOKSWITCH_URL"), *key = getenv("HOOKSWITCH_KEY");
    char path[64];
    struct client c = {.url = url ? url : "http://127.0.0.1:8080", .key = key};
    struct client_answer a = {0};
    struct json *doc = NULL;
    if (!key)
        return;
    snprintf(path, sizeof path, "/v1/endpoints?limit=%d", ENDPOINTS_MOST);
    enum err err = client_request(&c, "GET", path, (struct str){0}, &a);
    if (err != OK)
        doctor_say(d, FINDING_WARN, "receiver", "no daemon answers at %s: %s", c.url,
                   err_text(err));
    else if (a.status != 200 || json_parse(buf_str(&a.body), &doc, NULL, 0) != OK)
        doctor_say(d, FINDING_WARN, "receiver", "%s answers %d: is HOOKSWITCH_KEY right?", c.url,
                   a.status);
    const struct json *data = doc ? json_get(doc, "data") : NULL;
    for (size_t i = 0; data && i < json_len(data); i++)
        look_at_endpoint(d, json_at(data, i));
    json_free(doc);
    buf_fini(&a.body);
}
