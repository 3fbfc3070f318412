/* edge_packets: keeps the packets that left the edge, one by one, and sends packets to it. A
 * repeat of the same bytes to the same place is counted, not kept again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "edge_kit_own.h"

enum { BYTES_MAX = 16 << 20, SLOTS = 2 * PACKETS_MAX };

static struct edge_packet packets[PACKETS_MAX];
static size_t n_packets, n_bytes;
static char *memory;
static uint16_t slot[SLOTS]; /* index + 1, by hash: open addressing */
static uint64_t hashes[PACKETS_MAX];
static void (*watcher)(void *arg, const struct edge_packet *p, bool again);
static void *watcher_arg;

void kit_packets_reset(void)
{
    if (n_packets)
        memset(slot, 0, sizeof slot);
    n_packets = n_bytes = 0;
}

void kit_packets_free(void)
{
    free(memory);
    memory = NULL;
    kit_packets_reset();
}

size_t edge_kit_packets(void)
{
    return n_packets;
}

struct edge_packet *edge_kit_packet(size_t i)
{
    return &packets[i];
}

void edge_kit_watch(void (*on_packet)(void *, const struct edge_packet *, bool), void *arg)
{
    watcher = on_packet;
    watcher_arg = arg;
}

/* Finds the place of that packet, known or new. */
static uint16_t *slot_of(uint64_t hash, const struct addr *to, struct str bytes)
{
    for (size_t i = hash % SLOTS;; i = (i + 1) % SLOTS) {
        const struct edge_packet *p = slot[i] ? &packets[slot[i] - 1] : NULL;
        if (!p || (hashes[slot[i] - 1] == hash && addr_eq(&p->to, to) &&
                   str_eq((struct str){p->bytes, p->n}, bytes)))
            return &slot[i];
    }
}

static const struct sip_msg *parse(const struct edge_packet *p)
{
    static struct sip_msg m;
    static char copy[SIP_MESSAGE_MAX + 1];
    memcpy(copy, p->bytes, p->n); /* parsing writes into it */
    copy[p->n] = '\0';
    return sip_parse(copy, p->n, &m) == OK ? &m : NULL;
}

const struct sip_msg *packet_parse(const struct edge_packet *p)
{
    const struct sip_msg *m = parse(p);
    kit_must(m != NULL, "a message cannot be parsed");
    return m;
}

/* Is it a refusal of a malformed message? It repeats parts of it. */
static void packet_read(struct edge_packet *p)
{
    const struct sip_msg *m = parse(p);
    if (!m && p->n > 8 && (p->bytes[8] == '4' || p->bytes[8] == '5')) {
        p->method = SIP_METHOD_OTHER;
        p->status = 400;
        return;
    }
    if (!m)
        fprintf(stderr, "%.*s", (int)p->n, p->bytes);
    kit_must(m != NULL, "the edge sent a message that cannot be parsed");
    p->is_request = m->is_request;
    p->method = m->is_request ? m->method : m->cseq_method;
    p->status = m->is_request ? 0 : m->status;
    p->cseq = m->cseq;
    p->branch = hash64(m->via.branch);
    p->call_id = hash64(m->call_id);
    p->from_tag = hash64(m->from.tag);
    p->to_tag = m->to.tag.p ? hash64(m->to.tag) : 0;
}

static void packet_keep(uint32_t stream, const struct addr *from, const struct addr *to,
                        struct str bytes)
{
    uint64_t hash = hash64(bytes) ^ to->ip[3];
    uint16_t *at = slot_of(hash, to, bytes);
    if (*at) {
        packets[*at - 1].repeats++;
        if (watcher)
            watcher(watcher_arg, &packets[*at - 1], true);
        return;
    }
    kit_must(n_packets < PACKETS_MAX && n_bytes + bytes.n <= BYTES_MAX, "too many messages");
    if (!memory)
        memory = malloc(BYTES_MAX);
    kit_must(memory != NULL, "no memory");
    hashes[n_packets] = hash;
    struct edge_packet *p = &packets[n_packets];
    *at = (uint16_t)++n_packets;
    *p = (struct edge_packet){.from = *from,
                              .to = *to,
                              .stream = stream,
                              .at_ms = clock_mono_ms(),
                              .bytes = memory + n_bytes,
                              .n = bytes.n};
    memcpy(p->bytes, bytes.p, bytes.n);
    n_bytes += bytes.n;
    packet_read(p);
    if (watcher)
        watcher(watcher_arg, p, false);
}

void kit_on_sent(void *arg, uint32_t stream, const struct addr *from, const struct addr *to,
                 struct str bytes)
{
    size_t skip, size;
    if (edge_kit.network_is_cut)
        return;
    if (!stream) {
        packet_keep(0, from, to, bytes);
        return;
    }
    while (bytes.n && sip_frame(&(struct sip_framing){0}, bytes.p, bytes.n, &skip, &size) == OK) {
        packet_keep(stream, from, to, str_slice(bytes, skip, size));
        bytes = str_from(bytes, skip + size);
    }
}

static bool packet_is(const struct edge_packet *p, const char *what)
{
    char status[8];
    snprintf(status, sizeof status, "%d", p->status);
    return p->is_request ? !strcmp(what, sip_method_name(p->method)) : !strcmp(what, status);
}

struct edge_packet *edge_kit_last(const char *to, const char *what)
{
    char text[ADDR_TEXT_SIZE];
    for (size_t i = n_packets; i-- > 0;) {
        addr_print(&packets[i].to, text);
        if ((!to || !strcmp(to, text)) && packet_is(&packets[i], what))
            return &packets[i];
    }
    return NULL;
}

void edge_kit_send(const struct addr *from, uint32_t stream, struct str bytes)
{
    struct addr edge;
    kit_must(addr_parse(STR(EDGE), 0, &edge) == OK, "no address");
    if (!edge_kit.edge)
        return;
    if (stream)
        still_stream_bytes(stream, bytes);
    else
        still_arrive(&edge, from, bytes, 0);
    edge_kit_turn();
}
