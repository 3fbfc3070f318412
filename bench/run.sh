#!/bin/sh
# ./dev bench [calls] [RATE [SECONDS [HELD]]]: figures, each beside what it is compared with. Everything runs on
# this machine: the daemon, the carrier, the agent and the webhook receiver share its cores.
set -eu
cd "$(dirname "$0")/.."
what=${1:-calls}
[ "$what" = calls ] || { echo "bench: calls" >&2; exit 2; }
rate=${2:-3000} seconds=${3:-10} held=${4:-20000}
bin=build/bench/hookswitch gen=build/bench/bench/bench_calls
dir=$(mktemp -d)
pid=
trap 'stop; rm -rf "$dir"' EXIT
export HOOKSWITCH_URL=http://127.0.0.1:7080 HOOKSWITCH_KEY=hsk_bench

start() {
  $bin serve --set data_dir="$dir" --set http.listen=127.0.0.1:7080 --set sip.listen=udp:127.0.0.1:7050 \
    --set http_client.allow=127.0.0.0/8 --set bootstrap.admin_key=hsk_bench --set log.level=warn &
  pid=$!
  until $bin number list >/dev/null 2>&1; do kill -0 $pid; done
  $bin trunk create '{"name":"bench","sources":["127.0.0.2"]}' >/dev/null
  $bin number create '{"number":"+447911123456"}' >/dev/null
  $bin number forward +447911123456 '{"targets":[{"type":"sip","destination":"sip:agent@127.0.0.3:7070"}]}' >/dev/null
  [ "$1" = plain ] || $bin endpoint create '{"url":"http://127.0.0.1:7090/","concurrency":64}' >/dev/null
}
stop() {
  [ -z "$pid" ] || { kill -9 $pid 2>/dev/null || :; wait $pid 2>/dev/null || :; }
  pid=
  rm -rf "$dir"/*
}
cpu() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000000 / hz }' /proc/$pid/stat; }
measure() {
  start "$1"
  before=$(cpu)
  line=$($gen run 7070 7090 7050 "$rate" "$seconds" 0) || :
  after=$(cpu)
  echo "$line  daemon_cpu_us_per_call $(echo "$before $after $line" | awk '{ printf "%.0f", ($2 - $1) / $4 }')"
  stop
}

echo "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
echo "-- kernel floor: 13 bare datagrams"
$gen floor 3
echo "-- $rate calls/s offered for $seconds s, no webhooks"
measure plain
echo "-- the same with three durable, signed, delivered webhooks each"
measure hooks
echo "-- the same again, no webhooks (is the machine steady?)"
measure plain
echo "-- memory of $held held calls"
start hooks
$gen hold 7070 7090 7050 "$held" $pid
