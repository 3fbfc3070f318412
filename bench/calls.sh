#!/bin/sh
# ./dev bench calls [RATE [SECONDS [HELD]]]: calls with and without their webhooks. $bin: the daemon.
set -eu
. bench/daemon.sh
rate=${1:-3000} seconds=${2:-10} held=${3:-20000}
gen=build/bench/bench/bench_calls
log=warn

start() {
  daemon_start 7080 --set sip.listen=udp:127.0.0.1:7050
  $bin trunk create '{"name":"bench","sources":["127.0.0.2"]}' >/dev/null
  $bin number create '{"number":"+447911123456"}' >/dev/null
  $bin number forward +447911123456 '{"targets":[{"type":"sip","destination":"sip:agent@127.0.0.3:7070"}]}' >/dev/null
  [ "$1" = plain ] || $bin endpoint create '{"url":"http://127.0.0.1:7090/","concurrency":64}' >/dev/null
}
cpu() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000000 / hz }' /proc/$pid/stat; }
measure() {
  start "$1"
  before=$(cpu)
  line=$($gen run 7070 7090 7050 "$rate" "$seconds" 0) || :
  after=$(cpu)
  echo "$line  daemon_cpu_us_per_call $(echo "$before $after $line" | awk '{ printf "%.0f", ($2 - $1) / $4 }')"
  daemon_stop
}

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
