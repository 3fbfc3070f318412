/* traffic: prints events as a PBX would post them. Numbers and peers have no pattern, so that an
 * index is not read in the order in which it was written. */
#include "traffic.h"

#include <stdio.h>

#include "ledger.h"

static size_t spread_number(size_t turn, unsigned shift)
{
    return (turn * 2654435761u) >> shift;
}

unsigned traffic_number_of(size_t event)
{
    return (unsigned)(spread_number(event / TRAFFIC_TURN, 12) % TRAFFIC_NUMBERS);
}

void traffic_print_peer(size_t event, char out[24])
{
    size_t peer = spread_number(event / TRAFFIC_TURN, 7) % TRAFFIC_PEERS;
    snprintf(out, 24, "+1917555%04zu", peer);
}

static void print_call(size_t event, const char *number, const char *peer, struct buf *out)
{
    static const char *const name[] = {"incoming_call", "call_answered", "call_ended"};
    static const char *const more[] = {
        "", ",\"destination\":\"sip:agent@pbx.example.com\",\"ring_sec\":4",
        ",\"duration_sec\":61,\"answered\":true,\"ring_sec\":4,\"end_reason\":\"completed\","
        "\"ended_by\":\"caller\",\"sip_status\":200,"
        "\"destination\":\"sip:agent@pbx.example.com\""};
    size_t kind = event % TRAFFIC_TURN;
    buf_printf(out,
               "{\"event\":\"%s\",\"did_number\":\"%s\",\"caller_id\":\"%s\","
               "\"timestamp\":\"2026-11-24T04:03:02Z\",\"id\":\"evt_%026zu\","
               "\"call_id\":\"call_%026zu\",\"caller_name\":\"Ann Lee\",\"caller_verified\":\"A\","
               "\"trunk\":\"carrier\"%s}",
               name[kind], number, peer, event, event / TRAFFIC_TURN, more[kind]);
}

void traffic_print_event(unsigned account, size_t event, struct buf *out)
{
    char number[24], peer[24];
    ledger_print_number(NULL, account, traffic_number_of(event), number);
    traffic_print_peer(event, peer);
    if (event % TRAFFIC_TURN < CALL_EVENTS) {
        print_call(event, number, peer, out);
        return;
    }
    buf_printf(out,
               "{\"event\":\"sms_received\",\"from\":\"%s\",\"to\":\"%s\","
               "\"message\":\"Hello, is this line active? My order is %zu.\","
               "\"timestamp\":\"2026-11-24T04:03:02Z\",\"id\":\"evt_%026zu\","
               "\"message_id\":\"msg_%026zu\",\"encoding\":\"gsm7\",\"parts\":1}",
               peer, number, event, event, event);
}

void traffic_print_events(unsigned account, size_t first, size_t n, struct buf *out)
{
    if (n > 1)
        buf_putc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(out, ',');
        traffic_print_event(account, first + i, out);
    }
    if (n > 1)
        buf_putc(out, ']');
}

void traffic_print_post(const char *path, const char *key, size_t idempotency_key, struct str body,
                        struct buf *out)
{
    buf_printf(out,
               "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
               "Content-Type: application/json\r\n",
               path, key);
    if (idempotency_key)
        buf_printf(out, "Idempotency-Key: 0f8fad5b-d9cb-469f-a165-%012zx\r\n", idempotency_key);
    buf_printf(out, "Content-Length: %zu\r\n\r\n", body.n);
    buf_put_str(out, body);
}
