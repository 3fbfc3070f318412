#!/bin/sh
# ./dev bench sms [SECONDS [WINDOW [BINDS]]]: text messages over SMPP to webhooks; Kannel beside it. $bin: the daemon.
set -eu
. bench/daemon.sh
seconds=${1:-10} window=${2:-100} binds=${3:-1}
half=$((seconds / 2 > 1 ? seconds / 2 : 1))
gen=build/bench/bench/bench_sms
boxes=
trap 'kannel_stop; daemon_stop; rm -rf "$dir"' EXIT

ours() { # what it is called, arguments of the generator
  echo "-- $1"
  shift
  daemon_start 7183 --set smpp.listen=127.0.0.1:7186
  $gen ours pid="$pid" http=7183 hook=7190 window="$window" binds="$binds" "$@"
  daemon_stop
}

kannel_conf() {
  cat <<CONF
group = core
admin-port = 7187
admin-password = bench
smsbox-port = 7188
log-level = 4

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = 7185
transceiver-mode = true
smsc-username = bench
smsc-password = bench
system-type = ""
reconnect-delay = 1
log-level = 4

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = 7189
log-level = 4

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:7190/h/0?from=%p&to=%P&text=%a"
CONF
}

kannel_stop() {
  for p in $boxes; do kill "$p" 2>/dev/null || :; done
  for p in $boxes; do wait "$p" 2>/dev/null || :; done
  boxes=
}

kannel() {
  echo "-- Kannel $(dpkg-query -W -f '${Version}' kannel): bearerbox by SMPP, smsbox by get-url to the same receiver, the same carrier"
  kannel_conf >"$dir/kannel.conf"
  bearerbox -v 4 "$dir/kannel.conf" >"$dir/bearerbox.log" 2>&1 &
  bearer=$! boxes=$!
  # Its port is there when it is; smsbox gives up at once when nobody listens.
  until grep -q ":1C14 00000000:0000 0A" /proc/net/tcp; do kill -0 "$bearer"; done
  smsbox -v 4 "$dir/kannel.conf" >"$dir/smsbox.log" 2>&1 &
  smsbox=$! boxes="$boxes $!"
  $gen kannel pid="$bearer" pid2="$smsbox" hook=7190 smpp=7185 window="$window" seconds="$seconds" half_seconds="$half" out="$dir/theirs" ||
    cat "$dir/bearerbox.log" "$dir/smsbox.log"
  kannel_stop
}

echo "-- the ceiling: the carrier against a responder that stores nothing and tells nobody"
$gen ceiling smpp=7184 window="$window" seconds=3
ours "a link that we open to the carrier" smpp=7184 by=link seconds="$seconds" half_seconds="$half" bar=10000
ours "the carrier binds to our listener, and sends submit_sm" smpp=7186 by=listener submit=1 seconds="$seconds" half_seconds="$half" bar=10000
ours "the same link, a fifth of the messages in two Unicode parts" smpp=7184 by=link long=20 seconds="$half" half_seconds=0
if ! { command -v bearerbox && command -v smsbox; } >/dev/null; then
  echo "-- Kannel is not installed here, nothing to compare with"
  exit 0
fi
ours "ours once more, in a few seconds, to stand beside what follows" smpp=7184 by=link seconds="$half" half_seconds=0 out="$dir/ours"
kannel
[ -s "$dir/theirs" ] && [ -s "$dir/ours" ] && cat "$dir/ours" "$dir/theirs" | xargs | awk '{
  printf "  %-44s %.1f times the rate, %.2f of the CPU of a message\n", "ours is ahead", $1 / $3, $2 / $4 }'
