#!/bin/sh
# FINDING: libsmpp34 refuses a whole deliver_sm whose message_payload has more than 1,024 octets, and its error number says "none".
#
# Versions: Debian 12's libsmpp34-dev 1.14.1-3+deb12u1 (Osmocom's).
# A good engineer would guess: message_payload may have up to 64 KiB (SMPP 3.4 §5.3.2.32), that is what it is for; and a TLV that a library cannot hold
#   costs that TLV.
# Seen: every TLV is kept in an array of 1,024 octets. With 1,025 smpp34_unpack() returns -1 for the PDU: there is no sender, no number and no sequence to
#   answer. smpp34_errno is 0; only the text at the end of a trace of all fields says "Data length is invalid". Other TLVs, vendors'
#   included, are passed over as they should be; but the list has them in the reverse order.
# Output seen:
#= message_payload of 1024 octets: 0, from +447700900123
#= message_payload of 1025 octets: -1, smpp34_errno 0, ...(Data length is invalid)]
#= sar_msg_ref_num, sar_total_segments, sar_segment_seqnum, 0x1400: 0, from +447700900123, in the list 0x1400 0x020f 0x020e 0x020c
# Why it matters: a long text is a few parts of 153 septets or one payload of any length. A gateway on this library cannot read the latter, nor answer it.
#   Split at 1,024 octets towards such peers (sar_*).
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
dpkg-query -W -f '${db:Status-Abbrev}' libsmpp34-dev 2>/dev/null | grep -q ^ii || apt-get install -qq -y --no-install-recommends libsmpp34-dev=1.14.1-3+deb12u1 >/dev/null || exit 2
v=$(dpkg-query -W -f '${Version}' libsmpp34-dev); echo "libsmpp34-dev $v"; test "$v" = 1.14.1-3+deb12u1 || exit 2
cat >try.c <<'E'
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <smpp34.h>
#include <smpp34_structs.h>
#include <smpp34_params.h>

// A deliver_sm with an empty short_message and these TLVs.
static void read_one(const char *name, const uint8_t *tlvs, size_t length) {
	static uint8_t pdu[4096];
	static const uint8_t body[] = "\0\1\1+447700900123\0\1\1" "447700900999\0\0\0\0\0\0\0\0\0\0"; // ... data_coding, default id, length 0
	size_t size = 16 + sizeof(body);
	memcpy(pdu + 16, body, sizeof(body));
	memcpy(pdu + size, tlvs, length);
	size += length;
	uint32_t head[] = {htonl(size), htonl(DELIVER_SM), 0, htonl(7)};
	memcpy(pdu, head, sizeof(head));
	deliver_sm_t d;
	memset(&d, 0, sizeof(d));
	int end = smpp34_unpack(DELIVER_SM, &d, pdu, size);
	printf("%s: %d, ", name, end);
	if (end) {
		const char *last = strrchr((char *)smpp34_strerror, '(');
		printf("smpp34_errno %d, ...%s\n", smpp34_errno, last ? last : "");
		return;
	}
	printf("from %s", d.source_addr);
	if (d.tlv && d.tlv->next) {
		printf(", in the list");
		for (tlv_t *t = d.tlv; t; t = t->next)
			printf(" 0x%04x", t->tag);
	}
	puts("");
}

int main(void) {
	uint8_t payload[4 + 1025] = {0x04, 0x24, 1024 >> 8, 1024 & 255};
	memset(payload + 4, 'a', 1025);
	read_one("message_payload of 1024 octets", payload, 4 + 1024);
	payload[3]++;
	read_one("message_payload of 1025 octets", payload, 4 + 1025);
	static const uint8_t sar[] = "\x02\x0c\0\2\0\7\x02\x0e\0\1\2\x02\x0f\0\1\1\x14\0\0\1z";
	read_one("sar_msg_ref_num, sar_total_segments, sar_segment_seqnum, 0x1400", sar, sizeof(sar) - 1);
}
E
gcc -w try.c -o try -I/usr/include/libsmpp34 -lsmpp34 || exit 2
timeout 10 ./try | tee out
sed -n 's/^#= //p' "$me" | diff - out
