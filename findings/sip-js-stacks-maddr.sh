#!/bin/sh
# FINDING: SIP.js and JsSIP write a URI's maddr over its host.
#
# Versions: npm sip.js 0.21.2, jssip 3.13.8.
# A good engineer would guess: parsing sip:agent@example.com;maddr=192.0.2.9 and printing it gives the same URI. maddr says where to send (RFC 3261
#   §19.1.1: "overriding any address derived from the host field"), the host stays the domain that the request is for.
# Seen: both print sip:agent@192.0.2.9;maddr=192.0.2.9. The domain is nowhere any more, neither in the URI's `host` nor in its text.
# Output seen:
#= sip.js: sip:agent@192.0.2.9;maddr=192.0.2.9
#= sip.js, host: 192.0.2.9
#= jssip: sip:agent@192.0.2.9;maddr=192.0.2.9
#= jssip, host: 192.0.2.9
# Why it matters: a Refer-To, Contact or target of this form comes back with another domain. What is reached by the domain (a proxy of many tenants, a
#   trunk that is found by the Request-URI's host) answers 404. §19.1.4 compares hosts: it is another URI.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts sip.js@0.21.2 jssip@3.13.8 >/dev/null || exit 2
for p in sip.js jssip; do echo "$p $(node -p "JSON.parse(require('fs').readFileSync('node_modules/$p/package.json')).version")"; done
cat >try.js <<'E'
const parsers = { 'sip.js': s => require('sip.js').Grammar.URIParse(s), jssip: s => require('jssip').URI.parse(s) }
for (const [name, parse] of Object.entries(parsers)) {
  const uri = parse('sip:agent@example.com;maddr=192.0.2.9')
  console.log(name + ':', uri.toString())
  console.log(name + ', host:', uri.host)
}
E
timeout 30 node try.js 2>/dev/null | tee out
sed -n 's/^#= //p' "$me" | diff - out
