#!/bin/sh
# FINDING: npm sip cuts an IPv6 Via at its first colon, and all Vias behind it from the answer.
#
# Versions: npm sip 0.0.6.
# A good engineer would guess: the Vias of a request are copied into the response as they came (RFC 3261 §8.2.6.2), the more so as only the top one
#   concerns the next hop.
# Seen: the Via of an IPv6 hop is read as the host "[2001" without port, branch or parameters; the parser stops there, so the Vias behind it in that
#   line are gone too. The response has what was read. A Record-Route with an IPv6 address becomes an entry without a URI.
# Output seen:
#= the request:
#= Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa, SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKb, SIP/2.0/TCP 192.0.2.7;branch=z9hG4bKc
#= its response:
#= Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa
#= Via: SIP/2.0/UDP [2001
#= Record-Route: <sip:[2001:db8::1];lr> is read as {"params":{}}
# Why it matters: the proxy gets the response, and cannot send it on: the caller hears nothing. It is enough that one hop far behind the own
#   network speaks IPv6. A back-to-back user agent in front, which shows one Via of its own, prevents it.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts sip@0.0.6 >/dev/null || exit 2
echo "sip $(node -p 'require("sip/package.json").version'), node $(node --version)"
cat >try.js <<'E'
const sip = require('sip')
const via = 'Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa, SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKb, SIP/2.0/TCP 192.0.2.7;branch=z9hG4bKc'
const request = ['OPTIONS sip:agent@127.0.0.1 SIP/2.0', via, 'Max-Forwards: 68', 'From: <sip:a@example.com>;tag=1', 'To: <sip:agent@example.com>',
  'Record-Route: <sip:[2001:db8::1];lr>', 'Call-ID: 1', 'CSeq: 1 OPTIONS', 'Content-Length: 0', '', ''].join('\r\n')
const message = sip.parse(request)
console.log('the request:\n' + via + '\nits response:')
console.log(sip.stringify(sip.makeResponse(message, 200, 'OK')).split('\r\n').filter(l => l.startsWith('Via')).join('\n'))
console.log('Record-Route: <sip:[2001:db8::1];lr> is read as', JSON.stringify(message.headers['record-route'][0]))
E
timeout 30 node try.js | tee out
sed -n 's/^#= //p' "$me" | diff - out
