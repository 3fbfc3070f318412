#!/bin/sh
# FINDING: libre (baresip's SIP stack) keeps only the last word of a display name without quotes.
#
# Versions: Debian 12's libre-dev 1.1.0-1+b2 (libre0, which baresip 1.0 uses).
# A good engineer would guess: `Anna Maria Berger <sip:…>` is `"Anna Maria Berger" <sip:…>`: RFC 3261 §25.1 has display-name = *(token LWS) / quoted-string.
# Seen: sip_addr_decode() gives "Berger". With the quotes it gives all of it; with one word there is no difference.
# Output seen:
#= "Anna Maria Berger" <sip:a@127.0.0.1>: Anna Maria Berger
#= Anna Maria Berger <sip:a@127.0.0.1>: Berger
#= Berger <sip:a@127.0.0.1>: Berger
#= Acme Ltd. <sip:a@127.0.0.1>: Ltd.
# Why it matters: who passes on From as it came shows callers as "Ltd." or by half their names at such a phone or agent, and a name with which somebody is
#   found in a list is another one. Put display names in quotes, always, when a header is written anew.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
dpkg-query -W -f '${db:Status-Abbrev}' libre-dev 2>/dev/null | grep -q ^ii || apt-get install -qq -y --no-install-recommends libre-dev=1.1.0-1+b2 >/dev/null || exit 2
v=$(dpkg-query -W -f '${Version}' libre-dev); echo "libre-dev $v"; test "$v" = 1.1.0-1+b2 || exit 2
cat >try.c <<'E'
#include <re.h>
#include <stdio.h>
int main(void) {
	const char *const all[] = {"\"Anna Maria Berger\" <sip:a@127.0.0.1>", "Anna Maria Berger <sip:a@127.0.0.1>", "Berger <sip:a@127.0.0.1>",
				   "Acme Ltd. <sip:a@127.0.0.1>"};
	for (int i = 0; i < 4; i++) {
		struct pl text;
		struct sip_addr address;
		pl_set_str(&text, all[i]);
		if (sip_addr_decode(&address, &text))
			return 2;
		printf("%s: %.*s\n", all[i], (int)address.dname.l, address.dname.p);
	}
}
E
gcc -w -DHAVE_INTTYPES_H -DHAVE_STDBOOL_H -DHAVE_UNISTD_H -I/usr/include/re try.c -o try -lre || exit 2
timeout 10 ./try | tee out
sed -n 's/^#= //p' "$me" | diff - out
