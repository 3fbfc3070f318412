#!/bin/sh
# bench/peers.sh JOBS [TO_ALL CPU [TO_ONE CPU]]: BullMQ and undici on Redis, with the same receiver, beside our
# figures (deliveries/s and us of CPU each). Redis syncs each second (what is customary; a power cut loses up to a second) and each write (what ours does).
set -eu
jobs=$1 all=${2:-} all_cpu=${3:-1} one=${4:-} one_cpu=${5:-1}
workers=${WORKERS:-1} concurrency=${CONCURRENCY:-64}
command -v redis-server >/dev/null && [ -d bench/peers/node_modules/bullmq ] ||
  { echo "-- BullMQ on Redis: not installed here, nothing to compare with" && exit 0; }
gen=build/bench/bench/bench_delivery
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

cpu_us() { # what these processes used
  for p in "$@"; do cat "/proc/$p/stat"; done | awk -v hz="$(getconf CLK_TCK)" '{ n += $14 + $15 } END { printf "%.0f", n * 1000000 / hz }'
}

compare() { # our case, the peer's rate and CPU, ours
  [ -z "$4" ] || awk -v name="$1" -v rate="$2" -v cpu="$3" -v ours="$4" -v own="$5" 'BEGIN {
    printf "  %-44s %.1f times the rate (bar: at least 8): %s; CPU each: %.1f times\n", name, ours / rate,
      (ours >= 8 * rate) ? "met" : "NOT met", cpu / own }'
}

redis() { # appendfsync; sets $pids and $measured
  mkdir "$dir/redis"
  redis-server --port 7179 --bind 127.0.0.1 --dir "$dir/redis" --save '' --appendonly yes --appendfsync "$1" \
    --daemonize no --logfile "" >/dev/null &
  pids="$!" measured="$!"
  until redis-cli -p 7179 ping >/dev/null 2>&1; do kill -0 "$measured"; done
}
peer() { # role and arguments, until "end" is closed
  node bench/peers/peer.mjs "$@" <"$dir/end" &
  pids="$pids $!" measured="$measured $!"
}
workers() {
  for _ in $(seq "$workers"); do peer work "$concurrency" 7179; done
  exec 3>"$dir/end"
}
finish() { # name, deliveries/s, CPU of each, ours, our CPU
  exec 3>&-
  stop
  printf '  %-44s %s\n' "$1" "$2 deliveries/s, $3 us of CPU each"
  compare "ours is ahead" "$2" "$3" "$4" "$5"
}

bare() { # appendfsync
  redis "$1"
  $gen receive hook=7190 >"$dir/received" &
  receiver=$!
  pids="$pids $receiver"
  workers
  # shellcheck disable=SC2086
  before=$(cpu_us $measured)
  set -- "$1" $(node bench/peers/peer.mjs produce "$jobs" 7179 7190) # deliveries/s, us of CPU of the producer
  # shellcheck disable=SC2086
  cpu=$((($(cpu_us $measured) - before + $3) / jobs))
  kill "$receiver" && wait "$receiver"
  cat "$dir/received"
  finish "a producer, no HTTP, appendfsync $1" "$2" $cpu "$one" "$one_cpu"
}

served() { # appendfsync
  redis "$1"
  workers
  peer serve 7180 7179 4 7190
  until curl -so /dev/null http://127.0.0.1:7180/ -d '[]' -H 'Authorization: Bearer 0'; do kill -0 $!; done
  # shellcheck disable=SC2086
  before=$(cpu_us $measured)
  $gen foreign http=7180 hook=7190 accounts=4 endpoints=4 seconds=8 rate_file="$dir/rate"
  read -r rate n <"$dir/rate"
  # shellcheck disable=SC2086
  finish "the same requests by HTTP, appendfsync $1" "$rate" $((($(cpu_us $measured) - before) / n)) "$all" "$all_cpu"
}

echo "-- BullMQ $(version bullmq) and undici $(version undici) on Redis $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'):" \
  "workers: $workers of $concurrency at once; no order, no attempts kept"
served everysec
served always
bare everysec
bare always
