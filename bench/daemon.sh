# shellcheck shell=sh disable=SC2154
# Sourced by the benchmarks: daemons under test, on stores of their own that go with them.
# Needs $bin; makes $dir; daemon_start sets $pid.
dir=$(mktemp -d)
pid='' pids=''
trap 'daemon_stop; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

daemon_spawn() { # API's port, further options. $store: the store's folder in $dir, "data" unless set
  http=$1
  shift
  export HOOKSWITCH_URL="http://127.0.0.1:$http" HOOKSWITCH_KEY=hsk_bench
  $bin serve --set data_dir="$dir/${store:-data}" --set http.listen="127.0.0.1:$http" \
    --set http_client.allow=127.0.0.0/8 --set bootstrap.admin_key=hsk_bench --set log.level="${log:-error}" "$@" &
  pid=$! pids="$pids $!"
}

daemon_start() { # the same, and waits until it is ready
  daemon_spawn "$@"
  until $bin number list >/dev/null 2>&1; do kill -0 $pid; done
}

daemon_kill() { # all of them; their stores stay
  for p in $pids; do kill -9 "$p" 2>/dev/null || :; done
  for p in $pids; do wait "$p" 2>/dev/null || :; done
  pid='' pids=''
}

daemon_stop() {
  daemon_kill
  rm -rf "$dir/data"
}
