/* The server with a handler of the test's own, over real sockets: answers from its own thread and
 * from another one, streams that are woken, clients that leave in any state, and the stop. */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "api/http/peers.h"
#include "api/http/server.h"
#include "base/mailbox.h"

enum { CLIENTS = 300, ROUNDS = 5 };

struct errand { /* what the other thread is to do with a request */
    struct mail mail;
    struct http_request *r;
    bool wakes;
};

struct asked { /* what a handler keeps beside its request */
    struct http_request http;
    char turn;
};

static struct peers *peers;
static struct server *server;
static struct mailbox *errands;
static pthread_t other;

static void say(struct http_request *r)
{
    r->status = 200;
    buf_puts(&r->out, r->path);
    http_done(r);
}

static void on_errand(struct mail *m)
{
    struct errand *e = (struct errand *)m;
    if (e->wakes)
        http_wake(e->r);
    else
        say(e->r);
    free(e);
}

static void send_errand(struct http_request *r, bool wakes)
{
    struct errand *e = calloc(1, sizeof *e);
    assert_non_null(e);
    *e = (struct errand){{.open = on_errand}, r, wakes};
    mailbox_put_answer(errands, &e->mail);
}

static void *other_main(void *arg)
{
    struct mail *batch;
    while ((batch = mailbox_wait(errands)))
        mail_open_all(batch);
    return NULL;
}

/* "0" to "9", one for each wake, then its end. */
static long on_read(struct http_request *r, char *out, size_t cap)
{
    char *turn = &((struct asked *)r)->turn; /* even: it sleeps next */
    int n = (*turn)++;
    if (n % 2 == 0) {
        send_errand(r, true);
        return STREAM_SLEEPS;
    }
    if (n > 20)
        return STREAM_ENDS;
    out[0] = (char)('0' + n / 2);
    return 1;
}

static void on_end(struct http_request *r)
{
}

static void handle(struct http_request *r)
{
    if (!strcmp(r->path, "/stream")) {
        r->status = 200;
        http_stream(r, on_read, on_end);
    } else if (!strcmp(r->path, "/other")) {
        send_errand(r, false);
    } else {
        say(r);
    }
}

static void refuse(struct http_request *r, const struct http_refusal *why)
{
    r->status = why->status;
    buf_reset(&r->out);
    buf_puts(&r->out, why->code);
}

static int setup(void **state)
{
    char why[200] = "";
    struct server_config c = {.threads = 2,
                              .stall_s = 5,
                              .request_size = sizeof(struct asked),
                              .handle = handle,
                              .refuse = refuse};
    assert_ok(addr_parse(STR("127.0.0.1:0"), 0, &c.listen));
    assert_ok(peers_new(&(struct peers_settings){"", "Forwarded", 0}, &peers, why, sizeof why));
    assert_ok(mailbox_new(&errands, 1 << 20, NULL, NULL));
    assert_int_equal(pthread_create(&other, NULL, other_main, NULL), 0);
    c.peers = peers;
    assert_ok(server_start(&c, &server, why, sizeof why));
    return 0;
}

static int teardown(void **state)
{
    server_stop(server);
    mailbox_close(errands);
    pthread_join(other, NULL);
    server_free(server);
    mailbox_free(errands);
    peers_free(peers);
    return 0;
}

static int client(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(server_local(server).port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void ask(int fd, const char *path)
{
    char text[200];
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    assert_int_equal(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
}

/* Up to and with `end`. */
static void hear(int fd, const char *end)
{
    char text[4096];
    size_t n = 0;
    do {
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        assert_true(got > 0);
        n += (size_t)got;
        text[n] = '\0';
    } while (!strstr(text, end));
}

static void many_at_once(const char *path, const char *end)
{
    int fd[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++)
        fd[i] = client();
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < CLIENTS; i++)
            ask(fd[i], path);
        for (size_t i = 0; i < CLIENTS; i++)
            hear(fd[i], end);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        close(fd[i]);
}

static void answers_of_its_own_thread(void **state)
{
    many_at_once("/own", "\r\n\r\n/own");
}

static void answers_of_another_thread(void **state)
{
    many_at_once("/other", "\r\n\r\n/other");
}

static void streams(void **state)
{
    many_at_once("/stream", "1\r\n9\r\n0\r\n\r\n");
}

static void clients_that_leave(void **state)
{
    static const char *const path[] = {"/own", "/other", "/stream"};
    for (size_t i = 0; i < CLIENTS; i++) {
        int fd = client();
        struct linger reset = {1, 0};
        ask(fd, path[i % 3]);
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
    many_at_once("/other", "\r\n\r\n/other"); /* whoever stays is served */
}

static void one_byte_at_a_time(void **state)
{
    const char *text = "POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    int fd = client();
    for (const char *c = text; *c; c++)
        assert_int_equal(send(fd, c, 1, MSG_NOSIGNAL), 1);
    hear(fd, "\r\n\r\n/other");
    close(fd);
}

/* teardown stops the server over these. */
static void a_stop_in_the_middle(void **state)
{
    for (size_t i = 0; i < CLIENTS; i++)
        ask(client(), i % 2 ? "/other" : "/stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_its_own_thread),
        cmocka_unit_test(answers_of_another_thread),
        cmocka_unit_test(streams),
        cmocka_unit_test(clients_that_leave),
        cmocka_unit_test(one_byte_at_a_time),
        cmocka_unit_test(a_stop_in_the_middle),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
