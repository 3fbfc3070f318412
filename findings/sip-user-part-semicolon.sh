#!/bin/sh
# FINDING: a number with parameters in a SIP URI's user part: two libraries send it on as another URI, one takes the number for the host.
#
# Versions: npm sip.js 0.21.2, jssip 3.13.8; Debian 12's libnet-sip-perl 0.835-1.
# A good engineer would guess: sip:+442079460000;npdi;rn=+447000@host (RFC 3261 §19.1.6, RFC 4694) survives being parsed and printed. `;` and `=` may stand in
#   a user part as they are, and as reserved characters are not the same as %3B and %3D (§19.1.4).
# Seen: SIP.js and JsSIP print %3B and %3D. Net::SIP's sip_uri2parts takes the user part's `;` for the URI's: the domain is "+442079460000", and there is
#   no user.
# Output seen:
#= sip.js: sip:+442079460000%3Bnpdi%3Brn%3D+447000@example.com;user=phone
#= jssip: sip:+442079460000%3Bnpdi%3Brn%3D+447000@example.com;user=phone
#= Net::SIP: domain +442079460000, user (none)
#= Net::SIP, without parameters: domain example.com, user +442079460000
# Why it matters: ported numbers and numbers with a phone-context come so from carriers. An agent that calls back, or refers to what it was
#   called with, dials a user of 40 characters that nobody has, and a proxy no longer finds rn=.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
dpkg-query -W -f '${db:Status-Abbrev}' libnet-sip-perl 2>/dev/null | grep -q ^ii || apt-get install -qq -y --no-install-recommends libnet-sip-perl=0.835-1 >/dev/null || exit 2
v=$(dpkg-query -W -f '${Version}' libnet-sip-perl); echo "libnet-sip-perl $v"; test "$v" = 0.835-1 || exit 2
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts sip.js@0.21.2 jssip@3.13.8 >/dev/null || exit 2
for p in sip.js jssip; do echo "$p $(node -p "JSON.parse(require('fs').readFileSync('node_modules/$p/package.json')).version")"; done
cat >try.js <<'E'
const uri = 'sip:+442079460000;npdi;rn=+447000@example.com;user=phone'
console.log('sip.js:', require('sip.js').Grammar.URIParse(uri).toString())
console.log('jssip:', require('jssip').URI.parse(uri).toString())
E
cat >try.pl <<'E'
use Net::SIP::Util 'sip_uri2parts';
for (['Net::SIP', 'sip:+442079460000;npdi;rn=+447000@example.com;user=phone'], ['Net::SIP, without parameters', 'sip:+442079460000@example.com;user=phone']) {
    my ($domain, $user) = sip_uri2parts($_->[1]);
    print "$_->[0]: domain $domain, user ", $user // '(none)', "\n";
}
E
{ timeout 30 node try.js 2>/dev/null; timeout 30 perl try.pl; } | tee out
sed -n 's/^#= //p' "$me" | diff - out
