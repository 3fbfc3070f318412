#!/bin/sh
# bench/peers.sh JOBS [OURS_TO_ALL [OURS_TO_ONE]]: BullMQ and undici on Redis, with the same receiver, beside our
# figures. Redis syncs each second (what is customary; a power cut loses up to a second) and each write (what ours does).
set -eu
jobs=$1 all=${2:-} one=${3:-}
workers=${WORKERS:-2} concurrency=${CONCURRENCY:-64}
command -v redis-server >/dev/null && [ -d bench/peers/node_modules/bullmq ] ||
  { echo "-- BullMQ on Redis: not installed here, nothing to compare with" && exit 0; }
dir=$(mktemp -d)
pids=
mkfifo "$dir/end"
trap 'stop; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
version() { sed -n 's/^ *"version": "\(.*\)",*$/\1/p' "bench/peers/node_modules/$1/package.json" | head -n 1; }

stop() {
  for p in $pids; do kill "$p" 2>/dev/null || :; done
  for p in $pids; do wait "$p" 2>/dev/null || :; done
  pids=
  rm -rf "$dir/redis"
}

# $1: appendfsync
peer() {
  mkdir "$dir/redis"
  redis-server --port 7179 --bind 127.0.0.1 --dir "$dir/redis" --save '' --appendonly yes --appendfsync "$1" \
    --daemonize no --logfile "" >/dev/null &
  pids="$!"
  until redis-cli -p 7179 ping >/dev/null 2>&1; do kill -0 $pids; done
  build/bench/bench/bench_delivery receive hook=7190 >"$dir/received" &
  receiver=$!
  pids="$pids $receiver"
  for _ in $(seq "$workers"); do
    node bench/peers/peer.mjs work "$concurrency" 7179 http://127.0.0.1:7190/h/0 <"$dir/end" &
    pids="$pids $!"
  done
  exec 3>"$dir/end" # the workers end with us
  rate=$(node bench/peers/peer.mjs produce "$jobs" 7179)
  kill "$receiver" && wait "$receiver"
  echo "  appendfsync $1: $rate deliveries/s"
  cat "$dir/received"
  for ours in "to all:$all" "to one:$one"; do
    [ -z "${ours#*:}" ] || awk -v n="${ours%%:*}" -v a="${ours#*:}" -v b="$rate" 'BEGIN {
      printf "  ours (%s) is ahead %.1f times (bar: at least 8): %s\n", n, a / b, (a >= 8 * b) ? "met" : "NOT met" }'
  done
  exec 3>&-
  stop
}

echo "-- BullMQ $(version bullmq) and undici $(version undici) on Redis $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'):" \
  "$jobs jobs, $workers workers of $concurrency at once, no order, no attempts kept"
peer everysec
peer always
