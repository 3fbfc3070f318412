/* Inside the telephone: one call, and the functions that its two sides share (phone_dial.c calls,
 * phone_answer.c answers). Only the phone includes this. */
#pragma once
#include "base/map.h"
#include "net/datagram.h"
#include "play/phone.h"
#include "sip/wire/print.h"

enum { T1_MS = 500, T2_MS = 4000, GIVE_UP_MS = 64 * T1_MS, LINGER_MS = 5000, TEXT_MAX = 4096 };

enum phone_state { DIALLING, RINGING, TALKING, HANGING_UP, OVER };

struct phone_call {
    struct phone *phone;
    uint64_t n;
    bool dialled;   /* we are the caller */
    bool cancelled; /* we sent CANCEL; a final answer is still due */
    enum phone_state state;
    struct addr peer;
    char call_id[48], our_tag[24], branch[40];
    char *remote_target, *remote_uri, *local_uri; /* in-dialog addressing */
    char *peer_tag;
    uint32_t cseq, invite_cseq;
    struct phone_answer answer;
    struct phone_dial dial;
    char *request; /* the INVITE that came in, for its answers */
    size_t request_n;
    char *pending; /* what we repeat until it is answered */
    size_t pending_n;
    int64_t repeat_ms, repeated_for_ms;
    struct timer repeat, plan, linger;
};

struct phone {
    struct phone_config c;
    struct loop *loop;
    struct datagram *socket;
    struct map *calls; /* by Call-ID */
    uint64_t next;
};

extern const char phone_sdp[]; /* offer and answer alike: one PCMU stream nobody sends */

/* phone_call.c: a call's life */
void phone_token(char *out, size_t n, const char *prefix);
void phone_call_free(struct phone_call *c);
void phone_send(struct phone_call *c, const struct buf *b);
void phone_send_until_answered(struct phone_call *c, const struct buf *b);
void phone_repeat_end(struct phone_call *c);
void phone_tell(struct phone_call *c, enum phone_event what, int status);
void phone_call_over(struct phone_call *c, enum phone_event what, int status);
void phone_put_contact(struct phone_call *c, struct buf *b);
void phone_put_request(struct phone_call *c, struct buf *b, enum sip_method m, uint32_t cseq,
                       bool same_branch);
void phone_on_hangup_due(struct timer *t);
void phone_send_ack(struct phone_call *c, bool same_branch);
void phone_learn_peer(struct phone_call *c, const struct sip_msg *m, const struct name_addr *peer);
struct phone_call *phone_call_new(struct phone *p, struct str call_id);
char *phone_bracketed(struct str uri);
void phone_on_response(struct phone_call *c, const struct sip_msg *m);
void phone_on_request(struct phone_call *c, const struct sip_msg *m, const struct addr *from);
void phone_on_invite(struct phone *p, const struct sip_msg *m, const struct addr *from,
                     struct str raw);
void phone_reply(struct phone *p, const struct sip_msg *m, const struct addr *to, int status,
                 struct str tag);
