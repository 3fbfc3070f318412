#!/bin/sh
# shellcheck disable=SC1091,SC2154
# ./dev bench soak [MINUTES [CALLS [TEXTS [EVENTS [PUSHES [READS]]]]]]: everything at once for a long time; does anything
# grow, is anything lost? All but the first a second. $bin: the daemon.
set -eu
. bench/daemon.sh
minutes=${1:-30} calls=${2:-200} texts=${3:-200} events=${4:-100} pushes=${5:-20} reads=${6:-20}
names=127.0.0.53

# Where we may, the daemon asks our own name server, in a mount namespace with another resolv.conf.
echo "nameserver $names" >"$dir/resolv.conf"
if unshare -m mount --bind "$dir/resolv.conf" /etc/resolv.conf 2>/dev/null; then
  cat >"$dir/serve" <<END
#!/bin/sh
exec unshare -m sh -c 'mount --bind $dir/resolv.conf /etc/resolv.conf && exec "\$@"' sh $bin "\$@"
END
  chmod +x "$dir/serve"
  bin=$dir/serve
else
  echo "names: no mount namespace is to be had; those calls go by address"
  names=''
fi
daemon_start 7183 --set sip.listen=udp:127.0.0.1:7050,tcp:127.0.0.1:7050 --set sip.probe_s=10 \
  --set sip.trace_bytes=16777216
echo "-- $minutes minutes: a second $calls calls, $texts texts, $events events posted, $pushes pushed to 20 streams, $reads reads"
build/bench/bench/bench_soak pid="$pid" dir="$dir/data" http=7183 minutes="$minutes" calls="$calls" texts="$texts" \
  events="$events" pushes="$pushes" reads="$reads" names="$names"
