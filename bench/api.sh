#!/bin/sh
# ./dev bench api [EVENTS [SECONDS [CONNECTIONS]]]: the API: events taken in, lists read, streams. $bin: the daemon.
set -eu
. bench/daemon.sh
events=${1:-1000000} seconds=${2:-4} connections=${3:-64}
gen=build/bench/bench
load='' other='' busy=''
mkfifo "$dir/end"
trap 'load_stop; busy_stop; other_stop; daemon_stop; rm -rf "$dir"' EXIT
version() { sed -n 's/^ *"version": "\(.*\)",*$/\1/p' "bench/express/node_modules/$1/package.json" | head -n 1; }

load_stop() {
  [ -z "$load" ] || kill "$load" 2>/dev/null || :
  load=
}
other_stop() {
  [ -z "$other" ] || kill "$other" 2>/dev/null || :
  [ -z "$other" ] || wait "$other" 2>/dev/null || :
  other=
}
busy_start() { # as much to do for each core as it can
  for _ in $(seq "$(nproc)"); do
    sh -c 'while :; do :; done' &
    busy="$busy $!"
  done
}
busy_stop() {
  for p in $busy; do
    kill "$p" 2>/dev/null || :
    wait "$p" 2>/dev/null || :
  done
  busy=
}
run() { # a generator, its arguments; beside the shell, so that a signal need not wait for it
  tool=$1
  shift
  "$gen/$tool" "$@" &
  load=$!
  wait "$load" || { failed=$? && load='' && return $failed; }
  load=
}

bare() { # events of a request: how long its answer is
  $gen/bench_mhd http=7181 events="$1" &
  other=$!
}
express() {
  rm -f "$dir"/express.db*
  node bench/express/server.mjs 7181 "$dir/express.db" <"$dir/end" &
  other=$!
  exec 3>"$dir/end"
}
measure() { # bench_api's role, arguments
  role=$1
  shift
  run bench_api "$role" connections="$connections" seconds="$seconds" "$@"
}
beside() { # who, ours, theirs: requests/s and us of CPU
  cat "$2" "$3" | xargs | awk -v name="ours beside $1" '{
    printf "  %-44s %.2f times the rate, %.2f times the CPU of a request\n", name, $1 / $3, $2 / $4 }'
}

ingest() { # events of a request, our account's name, what it is called
  echo "-- the bare libmicrohttpd server, $3: no key, no JSON, nothing stored"
  bare "$1"
  measure foreign pid="$other" http=7181 batch="$1" out="$dir/bare"
  other_stop
  echo "-- POST /v1/events, $3"
  measure ingest pid="$pid" http=7180 from="$2" batch="$1" out="$dir/ours"
  beside "the bare server" "$dir/ours" "$dir/bare"
  if [ -d bench/express/node_modules/libsql ] && command -v node >/dev/null; then
    echo "-- Express $(version express) and SQLite (libsql $(version libsql)), $3: one transaction a request"
    express
    measure foreign pid="$other" http=7181 batch="$1" out="$dir/express"
    other_stop
    exec 3>&-
    beside Express "$dir/ours" "$dir/express"
  else
    echo "-- Express is not installed here, nothing to compare with"
  fi
}

$gen/bench_delivery disk dir="$dir"
daemon_start 7180
ingest 1 1 "one event a request"
ingest 100 2 "100 events a request"
echo "-- POST /v1/events, one event a request, each with an Idempotency-Key"
measure ingest pid="$pid" http=7180 from=3 batch=1 keyed=1
echo "-- POST /v1/ingest/sms, one message a request"
measure message pid="$pid" http=7180 from=4
echo "-- the longest wait: POST /v1/events, one event a request, beside a busy process for each core"
busy_start
for many in 64 256 1000; do
  run bench_api ingest pid="$pid" http=7180 from="$many" batch=1 connections=$many seconds=$((seconds * 15)) longest_ms=250
done
busy_stop
daemon_stop

echo "-- a store with $events events"
daemon_start 7182
run bench_reads pid="$pid" http=7182 hook=7190 dir="$dir/data" events="$events" connections=4 ms=$((seconds * 250))
daemon_stop

streams="accounts=4 streams=250 seconds=$seconds rate=20000"
echo "-- 1,000 streams of the bare libmicrohttpd server, of four keys; each event to 250"
bare 3
# shellcheck disable=SC2086
run bench_pushes foreign pid="$other" http=7181 $streams out="$dir/bare"
other_stop
echo "-- 1,000 event streams of four accounts; each event to 250"
daemon_start 7183
# shellcheck disable=SC2086
run bench_pushes ours pid="$pid" http=7183 to=all $streams out="$dir/ours"
daemon_stop
cat "$dir/ours" "$dir/bare" | xargs | awk '{
  printf "  %-44s %.2f times the pushes, %.2f times the CPU of each\n", "ours beside the bare server", $1 / $3, $2 / $4 }'
echo "-- 1,000 event streams, each of one number; each event to one"
daemon_start 7183
run bench_pushes ours pid="$pid" http=7183 to=one accounts=4 streams=250 seconds="$seconds" rate=1000
daemon_stop
