#!/bin/sh
# FINDING: Kannel sends the person who wrote a text message what it thinks of the web server's answer.
#
# Versions: Debian 12's kannel 1.4.5-12 (bearerbox and smsbox), node's http server as receiver and as carrier.
# A good engineer would guess: a get-url that answers 204, 201 or an empty 200 has taken the message; nothing else happens.
# Seen: whatever is answered, a text goes to the sender. A 204 and a 201 (even with text) send "Could not fetch content, sorry.", an empty
#   200 or 202 "<Empty reply from service provider>", and JSON "Result could not be represented as an SMS message.". Each is a
#   message that somebody pays for, from the number that was written to. 200 with text/plain sends that text, as one expects.
# Output seen:
#= 200, empty: the sender gets "<Empty reply from service provider>"
#= 202, empty: the sender gets "<Empty reply from service provider>"
#= 204: the sender gets "Could not fetch content, sorry."
#= 201, text/plain: the sender gets "Could not fetch content, sorry."
#= 200, application/json: the sender gets "Result could not be represented as an SMS message."
#= 200, text/plain: the sender gets "thanks"
# Why it matters: who puts a webhook receiver behind Kannel answers 204, as for every other webhook, and the public gets an apology for
#   every text. `max-messages = 0` in the sms-service group keeps it quiet whatever is answered.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0")
dpkg-query -W -f '${db:Status-Abbrev}' kannel 2>/dev/null | grep -q ^ii || apt-get install -qq -y --no-install-recommends kannel=1.4.5-12 >/dev/null || exit 2
v=$(dpkg-query -W -f '${Version}' kannel); echo "kannel $v, node $(node --version)"; test "$v" = 1.4.5-12 || exit 2
dir=$(mktemp -d); cd "$dir"; pids=
trap 'kill $pids 2>/dev/null || :; wait; rm -rf "$dir"' EXIT

cat >peer.js <<'E'
// /hook is the receiver: it answers what the text asks for; /send is the carrier: it prints what Kannel sends.
const http = require('http')
http.createServer((q, r) => {
  const u = new URL(q.url, 'http://x'), [status, type, body] = (u.searchParams.get('text') || '').split('|')
  if (u.pathname === '/hook') return r.writeHead(+status, type ? { 'content-type': type } : {}).end(body)
  require('fs').appendFileSync('sent', JSON.stringify(u.searchParams.get('text')) + '\n')
  r.writeHead(202, { 'content-type': 'text/plain' }).end('Sent.')
}).listen(28091, '127.0.0.1')
E
cat >kannel.conf <<'E'
group = core
admin-port = 28000
admin-interface = 127.0.0.1
admin-password = x
smsbox-port = 28001
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1

group = smsc
smsc = http
system-type = kannel
smsc-id = carrier
port = 28002
smsc-username = u
smsc-password = p
send-url = http://127.0.0.1:28091/send

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-interface = 127.0.0.1
sendsms-port = 28003

group = sms-service
keyword = default
get-url = http://127.0.0.1:28091/hook?text=%b
E
touch sent
timeout -k 2 60 node peer.js & pids="$pids $!"
timeout -k 2 60 bearerbox -v 4 kannel.conf >box.log 2>&1 & pids="$pids $!"; sleep 2
timeout -k 2 60 smsbox -v 4 kannel.conf >smsbox.log 2>&1 & pids="$pids $!"; sleep 3

try() { # name, what the receiver is to answer
  n=$(wc -l <sent)
  curl -s -m 5 -G http://127.0.0.1:28002/ -d username=u -d password=p -d from=%2B447700900123 -d to=%2B447700900999 \
    --data-urlencode "text=$2" >/dev/null
  for _ in 1 2 3 4 5 6 7 8 9 10; do test "$(wc -l <sent)" -gt "$n" && break; sleep 0.5; done
  echo "$1: the sender gets $(tail -n +$((n + 1)) sent)"
}
{
  try '200, empty' '200||'
  try '202, empty' '202||'
  try '204' '204||'
  try '201, text/plain' '201|text/plain|thanks'
  try '200, application/json' '200|application/json|{"ok":true}'
  try '200, text/plain' '200|text/plain|thanks'
} | tee out
sed -n 's/^#= //p' "$me" | diff - out
