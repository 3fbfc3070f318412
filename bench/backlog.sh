#!/bin/sh
# ./dev bench backlog [N [SECONDS [ROUNDS]]]: N deliveries that wait, and everybody else. $bin: the daemon.
set -eu
. bench/daemon.sh
n=${1:-1000000} seconds=${2:-4} rounds=${3:-3}
gen=build/bench/bench/bench_backlog

median() { sort -n -k "$2" "$1" | awk -v k="$2" '{ v[NR] = $k } END { print v[int((NR + 1) / 2)] }'; }

echo "-- $n events for an endpoint that refuses connections, as fast as they are taken"
daemon_start 7182
$gen fill pid=$pid http=7182 n="$n"
echo "-- kill -9, and a start with all that"
daemon_kill
daemon_spawn 7182
$gen ready pid=$pid http=7182
echo "-- a healthy endpoint beside it, and on a second daemon without a backlog, in turns"
store=fresh daemon_start 7183
for i in $(seq "$rounds"); do
  $gen live http=7183 hook=7190 from="$i" seconds="$seconds" out="$dir/without" name="without a backlog"
  $gen live http=7182 hook=7190 from="$i" seconds="$seconds" out="$dir/with" name="with $n waiting"
done
awk -v a="$(median "$dir/with" 1)" -v b="$(median "$dir/without" 1)" -v c="$(median "$dir/with" 3)" \
  -v d="$(median "$dir/without" 3)" 'BEGIN {
    printf "  %-44s %.2f (%.0f/s / %.0f/s; bar: at least 0.80): %s\n", "taken in, median with / median without", a / b, a, b,
      (a >= 0.8 * b) ? "met" : "NOT met"
    printf "  %-44s %.2f (%.2f ms / %.2f ms)\n", "event to request p99, with / without", c / d, c, d }'
