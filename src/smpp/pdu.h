/* Parses and prints SMPP 3.4 PDUs (SMPP Protocol Specification v3.4, Issue 1.2), by one table of
 * each command's fields. Slices point into the bytes that were parsed. Every length is checked
 * against the command_length, and that against PDU_MAX. Pure. */
#pragma once
#include "base/buf.h"

enum { PDU_HEADER = 16, PDU_MAX = 70 * 1024, PDU_TLVS_MAX = 32 };

/* id, command_id, name. A response has bit 31 set. §5.1.2.1 */
#define PDU_LIST(X)                                                                                \
    X(GENERIC_NACK, 0x80000000, "generic_nack")                                                    \
    X(BIND_RECEIVER, 0x00000001, "bind_receiver")                                                  \
    X(BIND_RECEIVER_RESP, 0x80000001, "bind_receiver_resp")                                        \
    X(BIND_TRANSMITTER, 0x00000002, "bind_transmitter")                                            \
    X(BIND_TRANSMITTER_RESP, 0x80000002, "bind_transmitter_resp")                                  \
    X(QUERY_SM, 0x00000003, "query_sm")                                                            \
    X(QUERY_SM_RESP, 0x80000003, "query_sm_resp")                                                  \
    X(SUBMIT_SM, 0x00000004, "submit_sm")                                                          \
    X(SUBMIT_SM_RESP, 0x80000004, "submit_sm_resp")                                                \
    X(DELIVER_SM, 0x00000005, "deliver_sm")                                                        \
    X(DELIVER_SM_RESP, 0x80000005, "deliver_sm_resp")                                              \
    X(UNBIND, 0x00000006, "unbind")                                                                \
    X(UNBIND_RESP, 0x80000006, "unbind_resp")                                                      \
    X(REPLACE_SM, 0x00000007, "replace_sm")                                                        \
    X(REPLACE_SM_RESP, 0x80000007, "replace_sm_resp")                                              \
    X(CANCEL_SM, 0x00000008, "cancel_sm")                                                          \
    X(CANCEL_SM_RESP, 0x80000008, "cancel_sm_resp")                                                \
    X(BIND_TRANSCEIVER, 0x00000009, "bind_transceiver")                                            \
    X(BIND_TRANSCEIVER_RESP, 0x80000009, "bind_transceiver_resp")                                  \
    X(OUTBIND, 0x0000000B, "outbind")                                                              \
    X(ENQUIRE_LINK, 0x00000015, "enquire_link")                                                    \
    X(ENQUIRE_LINK_RESP, 0x80000015, "enquire_link_resp")                                          \
    X(SUBMIT_MULTI, 0x00000021, "submit_multi")                                                    \
    X(SUBMIT_MULTI_RESP, 0x80000021, "submit_multi_resp")                                          \
    X(ALERT_NOTIFICATION, 0x00000102, "alert_notification")                                        \
    X(DATA_SM, 0x00000103, "data_sm")                                                              \
    X(DATA_SM_RESP, 0x80000103, "data_sm_resp")

enum pdu_command {
#define X(id, command_id, name) PDU_##id,
    PDU_LIST(X)
#undef X
        PDU_COMMAND_COUNT
};
const char *pdu_name(enum pdu_command c);
uint32_t pdu_command_id(enum pdu_command c);
bool pdu_is_response(enum pdu_command c);
/* The response to a request; PDU_GENERIC_NACK when it has none. */
enum pdu_command pdu_response_to(enum pdu_command c);

/* id, value, what it means. §5.1.3 */
#define SMPP_STATUS_LIST(X)                                                                        \
    X(ROK, 0x00000000, "no error")                                                                 \
    X(RINVMSGLEN, 0x00000001, "message length is invalid")                                         \
    X(RINVCMDLEN, 0x00000002, "command length is invalid")                                         \
    X(RINVCMDID, 0x00000003, "invalid command id")                                                 \
    X(RINVBNDSTS, 0x00000004, "incorrect bind status for given command")                           \
    X(RALYBND, 0x00000005, "already bound")                                                        \
    X(RSYSERR, 0x00000008, "system error")                                                         \
    X(RINVSRCADR, 0x0000000A, "invalid source address")                                            \
    X(RINVDSTADR, 0x0000000B, "invalid destination address")                                       \
    X(RINVMSGID, 0x0000000C, "message id is invalid")                                              \
    X(RBINDFAIL, 0x0000000D, "bind failed")                                                        \
    X(RINVPASWD, 0x0000000E, "invalid password")                                                   \
    X(RINVSYSID, 0x0000000F, "invalid system id")                                                  \
    X(RCANCELFAIL, 0x00000011, "cancel_sm failed")                                                 \
    X(RREPLACEFAIL, 0x00000013, "replace_sm failed")                                               \
    X(RMSGQFUL, 0x00000014, "message queue full")                                                  \
    X(RINVESMCLASS, 0x00000043, "invalid esm_class")                                               \
    X(RSUBMITFAIL, 0x00000045, "submit failed")                                                    \
    X(RINVSRCTON, 0x00000048, "invalid source TON")                                                \
    X(RINVDSTTON, 0x00000050, "invalid destination TON")                                           \
    X(RTHROTTLED, 0x00000058, "throttled: try later")                                              \
    X(RX_T_APPN, 0x00000064, "temporary error of the receiving application")                       \
    X(RX_P_APPN, 0x00000065, "permanent error of the receiving application")                       \
    X(RQUERYFAIL, 0x00000067, "query_sm failed")                                                   \
    X(RINVOPTPARSTREAM, 0x000000C0, "error in the optional part of the PDU")                       \
    X(ROPTPARNOTALLWD, 0x000000C1, "optional parameter not allowed")                               \
    X(RINVPARLEN, 0x000000C2, "invalid parameter length")                                          \
    X(RMISSINGOPTPARAM, 0x000000C3, "expected optional parameter missing")                         \
    X(RDELIVERYFAILURE, 0x000000FE, "delivery failure")                                            \
    X(RUNKNOWNERR, 0x000000FF, "unknown error")

enum smpp_status {
#define X(id, value, text) ESME_##id = value,
    SMPP_STATUS_LIST(X)
#undef X
};
const char *smpp_status_name(uint32_t status); /* "ESME_RTHROTTLED"; "" when unknown */

/* Optional parameters that we read or write by name. §5.3.2 */
enum smpp_tlv {
    TLV_SOURCE_PORT = 0x020A,
    TLV_DESTINATION_PORT = 0x020B,
    TLV_SAR_MSG_REF_NUM = 0x020C,
    TLV_SAR_TOTAL_SEGMENTS = 0x020E,
    TLV_SAR_SEGMENT_SEQNUM = 0x020F,
    TLV_SC_INTERFACE_VERSION = 0x0210,
    TLV_RECEIPTED_MESSAGE_ID = 0x001E,
    TLV_MESSAGE_PAYLOAD = 0x0424,
    TLV_MESSAGE_STATE = 0x0427,
};

struct tlv {
    uint16_t tag;
    struct str value;
};

struct smpp_address {
    uint8_t ton, npi;
    struct str digits;
};

/* All fields that any command of the table has; a command fills in its own. C-octet strings come
 * without their NUL, at most the length of §5.2. */
struct pdu {
    enum pdu_command command;
    uint32_t command_id; /* as it came: also when the table does not know it */
    uint32_t status, sequence;
    struct str system_id, password, system_type; /* binds; *_resp: system_id */
    uint8_t interface_version;
    struct smpp_address range; /* binds: address_range */
    struct str service_type;
    struct smpp_address source, destination;
    uint8_t esm_class, protocol_id, priority, registered_delivery, replace_if_present, data_coding,
        default_msg_id;
    struct str schedule_time, validity_period;
    struct str short_message; /* sm_length octets */
    struct str message_id;    /* *_sm_resp, query_sm, … */
    struct str final_date;    /* query_sm_resp */
    uint8_t message_state, error_code;
    size_t n_tlvs;
    struct tlv tlv[PDU_TLVS_MAX];
};

/* Gives the size of the PDU that begins here. OK with *ret_size; ERR_AGAIN: fewer than 4 bytes;
 * ERR_INVALID: a length below 16 or above PDU_MAX (then the stream has no frames any more: nack and
 * close, CONTRACT §8). */
MUST_USE enum err pdu_size(struct str bytes, size_t *ret_size);
/* Parses one whole PDU of exactly that size. ERR_INVALID: *ret_status says what a response or nack
 * should carry; command_id, sequence and (when known) command are filled in all the same, also with
 * ERR_UNSUPPORTED: an unknown command_id. */
MUST_USE enum err pdu_parse(struct str bytes, struct pdu *ret, uint32_t *ret_status);
/* Appends the PDU with its length. Absent fields are written as empty or 0; a response whose status
 * is not OK has no body (§4: "the body is not returned"), but submit_multi's and binds' are the
 * same. */
void pdu_print(const struct pdu *p, struct buf *out);
/* The first with that tag, or NULL. */
const struct tlv *pdu_tlv(const struct pdu *p, uint16_t tag);
/* A TLV's whole number of 1, 2 or 4 octets; false when absent or of another length. */
bool pdu_tlv_number(const struct pdu *p, uint16_t tag, uint32_t *ret);
