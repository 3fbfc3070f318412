#include "stream_kit.h"

struct loop *loop;
int listening = -1;
struct addr at;

static void on_open(struct stream *s, void *arg)
{
    struct side *x = arg;
    x->opened++;
    if (x->close_on_open)
        stream_close(s);
}

static void on_bytes(struct stream *s, void *arg, struct str bytes)
{
    struct side *x = arg;
    assert_true(bytes.n > 0);
    buf_put_str(&x->got, bytes);
    if (x->close_on_bytes)
        stream_close(s);
}

static void on_end(struct stream *s, void *arg, enum err why)
{
    struct side *x = arg;
    x->ends++;
    x->why = why;
    assert_ok(str_copy(str_of(stream_reason(s)), x->reason, sizeof x->reason));
    if (x->close_on_end)
        stream_close(s);
}

static void on_sent(struct stream *s, void *arg)
{
    ((struct side *)arg)->sent++;
}

static void on_eof(struct stream *s, void *arg)
{
    ((struct side *)arg)->eofs++;
}

const struct stream_events side_events = {on_open, on_bytes, on_end, on_sent, NULL};
const struct stream_events side_half_events = {on_open, on_bytes, on_end, on_sent, on_eof};

struct side side_new(void)
{
    struct side x = {0};
    buf_init(&x.got, 4 << 20);
    return x;
}

void side_end(struct side *x)
{
    stream_close(x->s);
    buf_fini(&x->got);
}

void side_write(struct side *x, struct str bytes)
{
    assert_ok(stream_write(x->s, bytes));
}

void side_assert_got(struct side *x, const char *text)
{
    assert_str(buf_str(&x->got), text);
}

void idle(void)
{
    for (int i = 0; i < 5; i++)
        loop_turn(loop, 1);
}

int stream_kit_begin(void **state)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;
    int small = 16384; /* so that a peer that does not read is full soon */
    if (loop_new(&loop, "test", 64) != OK)
        return -1;
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listening, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (bind(listening, (struct sockaddr *)&sa, sizeof sa) != 0 || listen(listening, 8) != 0 ||
        getsockname(listening, (struct sockaddr *)&sa, &n) != 0)
        return -1;
    addr_from_sockaddr((struct sockaddr *)&sa, &at);
    return 0;
}

int stream_kit_end(void **state)
{
    if (listening >= 0)
        close(listening);
    idle();
    loop_free(loop);
    return 0;
}
