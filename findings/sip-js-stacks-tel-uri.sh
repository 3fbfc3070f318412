#!/bin/sh
# FINDING: SIP.js and JsSIP drop a request whose From or To is a tel: URI, without an answer.
#
# Versions: npm sip.js 0.21.2, jssip 3.13.8.
# A good engineer would guess: From and To may hold any URI (RFC 3261 §8.1.1.2 names the tel URL as an example); nothing of it needs to be
#   understood to answer. At the worst there is a 400 or 416.
# Seen: the parser returns nothing for the whole message, for a tel: URI in From as in To, whatever else it says. What comes back over the
#   connection is nothing: both drop what does not parse. The caller waits 32 seconds and gives up.
# Output seen:
#= sip.js: From sip: To sip: parsed
#= sip.js: From tel: To sip: nothing
#= sip.js: From sip: To tel: nothing
#= jssip: From sip: To sip: parsed
#= jssip: From tel: To sip: nothing
#= jssip: From sip: To tel: nothing
# Why it matters: IMS has tel: URIs in From and To (3GPP TS 24.229), and a proxy must not change From. In front of such an agent something has to be a
#   back-to-back user agent that writes sip:+44…@host;user=phone.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts sip.js@0.21.2 jssip@3.13.8 >/dev/null || exit 2
for p in sip.js jssip; do echo "$p $(node -p "JSON.parse(require('fs').readFileSync('node_modules/$p/package.json')).version")"; done
cat >try.mjs <<'E'
import { createRequire } from 'module'
import { Parser } from 'sip.js/lib/core/messages/parser.js'
const jssip = createRequire(import.meta.url)('jssip/lib/Parser')
const uri = { sip: '<sip:+442079460000@127.0.0.1>', tel: '<tel:+442079460000>' }
const invite = (from, to) => ['INVITE sip:agent@127.0.0.1 SIP/2.0', 'Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1', 'Max-Forwards: 70',
  `From: ${uri[from]};tag=1`, `To: ${uri[to]}`, 'Call-ID: 1', 'CSeq: 1 INVITE', 'Contact: <sip:127.0.0.1;transport=tcp>',
  'Content-Length: 0', '', ''].join('\r\n')
const quiet = { warn() {}, error() {}, debug() {}, log() {} }
const parsers = { 'sip.js': m => Parser.parseMessage(m, quiet), jssip: m => jssip.parseMessage(m, { transport: {}, configuration: {} }) }
for (const [name, parse] of Object.entries(parsers))
  for (const [from, to] of [['sip', 'sip'], ['tel', 'sip'], ['sip', 'tel']])
    console.log(`${name}: From ${from}: To ${to}:`, parse(invite(from, to)) ? 'parsed' : 'nothing')
E
timeout 30 node try.mjs | tee out
sed -n 's/^#= //p' "$me" | diff - out
