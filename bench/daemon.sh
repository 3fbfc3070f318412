# Sourced by the benchmarks: the daemon under test, on a store of its own that goes with it.
# Needs $bin; sets $dir and $pid.
dir=$(mktemp -d)
pid=
trap 'daemon_stop; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

daemon_start() { # API's port, further options: until it is ready
  http=$1
  shift
  export HOOKSWITCH_URL="http://127.0.0.1:$http" HOOKSWITCH_KEY=hsk_bench
  $bin serve --set data_dir="$dir/data" --set http.listen=127.0.0.1:$http --set http_client.allow=127.0.0.0/8 \
    --set bootstrap.admin_key=hsk_bench --set log.level="${log:-error}" "$@" &
  pid=$!
  until $bin number list >/dev/null 2>&1; do kill -0 $pid; done
}

daemon_kill() { # its store stays
  [ -z "$pid" ] || { kill -9 $pid 2>/dev/null || :; wait $pid 2>/dev/null || :; }
  pid=
}

daemon_stop() {
  daemon_kill
  rm -rf "$dir/data"
}
