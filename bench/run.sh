#!/bin/sh
# ./dev bench [NAME [ARGUMENTS]]: figures, each beside what it is compared with. One script a benchmark; what each
# prints is explained in docs/benchmarks.md. Everything runs on this machine: the daemon, what loads it and the
# receivers share its cores.
set -eu
cd "$(dirname "$0")/.."
name=${1:-calls}
[ $# -eq 0 ] || shift
case $name in
calls | delivery | isolation | backlog | parts | sms | api | numbers | soak) ;;
*) echo "bench: calls, delivery, isolation, backlog, parts, sms, api, numbers, soak" >&2 && exit 2 ;;
esac
export bin=build/bench/hookswitch
echo "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), load $(cut -d' ' -f1 /proc/loadavg)"
exec "bench/$name.sh" "$@"
