#!/bin/sh
# FINDING: four SIP parsers that read compact headers do not know all of them: a REFER with `r:` has no Refer-To.
#
# Versions: npm sip 0.0.6, drachtio-srf 5.0.29 (its parser); Debian 12's libnet-sip-perl 0.835-1, libosip2-dev 5.3.0-2.1.
# A good engineer would guess: a parser that takes v: f: t: i: m: for Via, From, To, Call-ID and Contact takes the rest of the registered
#   short forms too: r: Refer-To, b: Referred-By, o: Event, x: Session-Expires, k: Supported, e: Content-Encoding.
# Seen: each knows those of RFC 3261 or fewer, and keeps the others under their one letter. npm sip and drachtio-srf call e: "contact-encoding", a
#   header that does not exist, so that a coded body looks plain. What asks for the long name gets nothing, without an error.
# Output seen (headers that a message in compact form has, asked for by their long names):
#= npm sip: call-id=yes subject=yes supported=yes content-encoding=no refer-to=no referred-by=no event=no session-expires=no
#= drachtio-srf: call-id=yes subject=yes supported=yes content-encoding=no refer-to=no referred-by=no event=no session-expires=no
#= Net::SIP: call-id=yes subject=yes supported=yes content-encoding=yes refer-to=no referred-by=no event=no session-expires=no
#= libosip2: call-id=yes subject=no supported=no content-encoding=yes refer-to=no referred-by=no event=no session-expires=no
# Why it matters: phones and gateways that keep UDP packets small use them (RFC 3261 §7.3.3: an implementation must take both). A transfer is
#   refused for want of a Refer-To, a NOTIFY is for no event, a session timer is not seen and the call ends in its middle. Write long names to such peers.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
for p in libnet-sip-perl=0.835-1 libosip2-dev=5.3.0-2.1; do
  dpkg-query -W -f '${db:Status-Abbrev}' "${p%=*}" 2>/dev/null | grep -q ^ii || apt-get install -qq -y --no-install-recommends "$p" >/dev/null || exit 2
  v=$(dpkg-query -W -f '${Version}' "${p%=*}"); echo "${p%=*} $v"; test "$v" = "${p#*=}" || exit 2
done
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts sip@0.0.6 drachtio-srf@5.0.29 >/dev/null || exit 2
for p in sip drachtio-srf; do echo "$p $(node -p "JSON.parse(require('fs').readFileSync('node_modules/$p/package.json')).version")"; done
printf '%s\r\n' 'REFER sip:b@127.0.0.1 SIP/2.0' 'v: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1' 'Max-Forwards: 70' 'f: <sip:a@127.0.0.1>;tag=1' \
  't: <sip:b@127.0.0.1>;tag=2' 'i: call1' 'CSeq: 2 REFER' 'm: <sip:a@127.0.0.1>' 's: hello' 'k: timer' 'e: identity' 'r: <sip:c@127.0.0.1>' \
  'b: <sip:a@127.0.0.1>' 'o: refer' 'x: 90' 'l: 0' '' >refer
names='call-id subject supported content-encoding refer-to referred-by event session-expires'
cat >try.js <<'E'
const text = require('fs').readFileSync('refer', 'latin1'), names = process.argv[2].split(' ')
const sip = require('sip').parse(text), Message = require('drachtio-srf/lib/sip-parser/message'), drachtio = new Message(text)
console.log('npm sip:', names.map(n => n + (n in sip.headers ? '=yes' : '=no')).join(' '))
console.log('drachtio-srf:', names.map(n => n + (drachtio.has(n) ? '=yes' : '=no')).join(' '))
E
cat >try.pl <<'E'
use Net::SIP;
local $/; open my $f, '<', 'refer'; my $m = Net::SIP::Packet->new(<$f>);
print 'Net::SIP: ', join(' ', map { my @v = $m->get_header($_); $_ . (@v && defined $v[0] ? '=yes' : '=no') } split / /, shift), "\n";
E
cat >try.c <<'E'
#include <osipparser2/osip_parser.h>
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
	char text[2000];
	FILE *f = fopen("refer", "r");
	size_t length = fread(text, 1, sizeof(text) - 1, f);
	osip_message_t *m;
	parser_init();
	osip_message_init(&m);
	if (osip_message_parse(m, text, length))
		return 2;
	printf("libosip2:");
	for (char *n = strtok(argv[1], " "); n; n = strtok(NULL, " ")) {
		osip_header_t *h = NULL;
		int has = osip_message_header_get_byname(m, n, 0, &h) >= 0;
		if (!strcmp(n, "call-id"))
			has = osip_message_get_call_id(m) != NULL;
		if (!strcmp(n, "content-encoding"))
			has = osip_list_size(&m->content_encodings) > 0;
		printf(" %s=%s", n, has ? "yes" : "no");
	}
	puts("");
	return argc != 2;
}
E
gcc try.c -o try -losipparser2 || exit 2
{ timeout 30 node try.js "$names"; timeout 30 perl try.pl "$names"; timeout 30 ./try "$names"; } 2>/dev/null | tee out
sed -n 's/^#= //p' "$me" | diff - out
