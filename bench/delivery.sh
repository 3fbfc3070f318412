#!/bin/sh
# ./dev bench delivery [SECONDS [ACCOUNTS [ENDPOINTS [CONCURRENCY]]]]: durable deliveries. $bin: the daemon.
set -eu
. bench/daemon.sh
seconds=${1:-60} accounts=${2:-4} endpoints=${3:-4} concurrency=${4:-64}
short=$((seconds / 4 > 1 ? seconds / 4 : 1))
gen=build/bench/bench/bench_delivery
common="http=7180 hook=7190 accounts=$accounts endpoints=$endpoints concurrency=$concurrency"
shape="$accounts accounts x $endpoints endpoints, $concurrency lanes at once to each"
connections=$((accounts * endpoints * concurrency > 256 ? 256 : accounts * endpoints * concurrency))

certificate() { # a receiver of our own, at each of its addresses
  names=IP:127.0.0.1
  for i in $(seq $((accounts * endpoints))); do names=$names,IP:127.0.1.$i; done
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext "subjectAltName=$names" -keyout "$dir/key.pem" -out "$dir/ca.pem" 2>/dev/null
  cat "$dir/ca.pem" "$dir/key.pem" >"$dir/receiver.pem"
}
run() { # what it is called, options of the daemon, --, arguments of the generator
  options=
  while [ "$1" != -- ]; do options="$options $1" && shift; done
  shift
  # shellcheck disable=SC2086
  daemon_start 7180 $options
  # shellcheck disable=SC2086
  $gen load pid=$pid $common "$@"
  daemon_stop
}

$gen disk dir="$dir"
echo "-- the ceiling: the same requests, $connections connections, nothing stored"
$gen ceiling hook=7190 connections=$connections seconds=5
echo "-- every event to all $endpoints endpoints of its account ($shape)"
run -- to=all seconds="$seconds" half_seconds=8
echo "-- every event to one endpoint, by its number ($shape)"
run -- to=one seconds=$short half_seconds=8
echo "-- the ceiling over TLS keep-alive"
certificate
$gen ceiling hook=7190 connections=$connections seconds=5 cert="$dir/receiver.pem"
echo "-- every event to all $endpoints endpoints, over TLS keep-alive"
run --set "http_client.ca_file=$dir/ca.pem" -- to=all seconds=$short half_seconds=5 bar=12000 cert="$dir/receiver.pem"
echo "-- memory of what waits, for an endpoint that refuses connections"
daemon_start 7180
$gen memory pid=$pid http=7180 n=200000
daemon_stop
echo "-- ours once more, in a few seconds, to stand beside what follows"
for to in all one; do
  run -- to=$to seconds=6 half_seconds=0 rate_file="$dir/$to" | grep -e "deliveries/s" -e "cores meanwhile"
done
# shellcheck disable=SC2046
bench/peers.sh 10000 $(cat "$dir/all" "$dir/one")
