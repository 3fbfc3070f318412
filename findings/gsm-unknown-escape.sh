#!/bin/sh
# FINDING: of five decoders of the GSM alphabet none reads a national letter as the standard says a phone without the table must.
#
# Versions: Debian 12's perl 5.36 (Encode 3.17 with its gsm0338), libdevice-gsm-perl 1.61-3, icu-devtools 72.1 (uconv), libosmocore-dev 1.7.0-3
#   (gsm_7bit_decode_n), and npm smpp 0.5.1.
# A good engineer would guess: an escape (0x1B) before a septet that the extension table does not have is read as that septet's plain letter:
#   3GPP TS 23.038 §6.2.1.1 demands it, and the national tables are laid out for it (Turkish, Spanish and Portuguese ç is escape c).
# Seen: `A` escape `c` `B` should be "AcB". Each of the five says something else: a replacement for both, a blank before the c, an octet 0xFF for both
#   (which is no text in UTF-8), the question mark, or the escape itself, which a terminal obeys. Encode goes further when two escapes
#   come together (reserved by §6.2.1.1, read as a blank): the letter behind them is gone too.
# Output seen (octets of what was read; the first line is what the standard says):
#= the standard: 41 63 42
#= perl Encode: 41 ef bf bd 42
#= perl Encode, two escapes before c: 41 ef bf bd 42
#= perl Device::Gsm: 41 3f 42
#= ICU uconv: 41 20 63 42
#= libosmocore: 41 ff 42
#= npm smpp: 41 1b 63 42
# Why it matters: where a gateway drops the header that names the table, this is what is left of a Turkish or Portuguese text. The same message
#   differs from peer to peer, so that texts cannot be compared, and a keyword with ç is not found. Decode it yourself.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
for p in libdevice-gsm-perl=1.61-3 icu-devtools=72.1-3+deb12u1 libosmocore-dev=1.7.0-3; do
  dpkg-query -W -f '${db:Status-Abbrev}' "${p%=*}" 2>/dev/null | grep -q ^ii || apt-get install -qq -y --no-install-recommends "$p" >/dev/null || exit 2
  v=$(dpkg-query -W -f '${Version}' "${p%=*}"); echo "${p%=*} $v"; test "$v" = "${p#*=}" || exit 2
done
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts smpp@0.5.1 >/dev/null || exit 2
perl -MEncode -e 'print "perl $^V, Encode $Encode::VERSION\n"; exit($Encode::VERSION eq "3.17" ? 0 : 2)'
cat >osmo.c <<'E'
#include <osmocom/gsm/gsm_utils.h>
#include <stdio.h>
int main(void) {
	const uint8_t septets[] = {0x41, 0x1b, 0x63, 0x42};
	uint8_t packed[4] = {0};
	char text[16];
	for (int i = 0; i < 4; i++)
		for (int bit = 0; bit < 7; bit++)
			if (septets[i] >> bit & 1)
				packed[(7 * i + bit) / 8] |= 1 << (7 * i + bit) % 8;
	fwrite(text, 1, gsm_7bit_decode_n(text, sizeof(text), packed, 4), stdout);
}
E
gcc osmo.c -o osmo -losmogsm -losmocore || exit 2
show() { printf '%s: ' "$1"; od -An -tx1 | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'; echo; }
{
  printf 'AcB' | show 'the standard'
  perl -MEncode -e 'print encode("UTF-8", decode("gsm0338", "A\x1bcB"))' | show 'perl Encode'
  perl -MEncode -e 'print encode("UTF-8", decode("gsm0338", "A\x1b\x1bcB"))' | show 'perl Encode, two escapes before c'
  perl -MDevice::Gsm::Charset -e 'print Device::Gsm::Charset::gsm0338_to_iso8859("A\x1bcB")' | show 'perl Device::Gsm'
  printf 'A\033cB' | uconv -f gsm-03.38-2009 -t UTF-8 | show 'ICU uconv'
  ./osmo | show 'libosmocore'
  node -e 'process.stdout.write(require("smpp").encodings.ASCII.decode(Buffer.from("A\x1bcB")))' | show 'npm smpp'
} | tee out
sed -n 's/^#= //p' "$me" | diff - out
