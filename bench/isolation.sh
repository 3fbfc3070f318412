#!/bin/sh
# ./dev bench isolation [SECONDS [RATE [ROUNDS]]]: does anybody wait for another? $bin: the daemon.
set -eu
. bench/daemon.sh
seconds=${1:-3} rate=${2:-2000} rounds=${3:-5}
gen=build/bench/bench/bench_isolation

steady() { # what it is called, file for the figures, arguments
  name=$1 out=$2
  shift 2
  daemon_start 7181 --set deliver.timeout_ms=3000
  $gen steady http=7181 hook=7190 rate="$rate" seconds="$seconds" name="$name" out="$out" "$@"
  daemon_stop
}
median() { sort -n -k "$2" "$1" | awk -v k="$2" '{ v[NR] = $k } END { print v[int((NR + 1) / 2)] }'; }
compare() { # with, without
  a=$(median "$1" 2) b=$(median "$2" 2)
  awk -v a="$a" -v b="$b" 'BEGIN {
    printf "  %-44s %.2f (%.2f ms / %.2f ms; bar: at most 1.10): %s\n", "p99, median with / median without", a / b, a, b,
      (a <= 1.1 * b) ? "met" : "NOT met" }'
}

echo "-- 100 endpoints, $rate events/s; 10 of them hang until the timeout of 3 s; $rounds rounds of $seconds s"
for _ in $(seq "$rounds"); do
  steady "the 90 others, none hangs" "$dir/calm"
  steady "the 90 others, 10 hang" "$dir/hang" hang=10
done
compare "$dir/hang" "$dir/calm"
echo "-- the same endpoints; of 10 % of the calls the first event is answered with 500, at each retry"
for _ in $(seq "$rounds"); do
  steady "the other calls, none is retried" "$dir/still"
  steady "the other calls, 10 % are retried" "$dir/refuse" refuse=10
done
compare "$dir/refuse" "$dir/still"
echo "-- an endpoint that was away, enabled by hand when it is back; 2,001 events wait"
daemon_start 7181
$gen outage http=7181 hook=7190 by=enable || :
daemon_stop
echo "-- the same, left to its own probe"
daemon_start 7181
$gen outage http=7181 hook=7190 by=probe || :
