#!/bin/sh
# ./dev bench numbers [SIZES [ROUNDS [EACH]]]: few and many numbers of one account. $bin: the daemon.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
build/bench/bench/bench_numbers dir="$dir" sizes="${1:-10,10000,1000000}" rounds="${2:-5}" each="${3:-400}"
