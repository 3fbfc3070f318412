#!/bin/sh
# ./dev bench parts [N]: N messages of which one part of three came.
set -eu
dir=$(mktemp -d "${TMPDIR:-/tmp}/hookswitch-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
n=${1:-1000000}
echo "-- $n messages of three parts, of which one came; then their time is over"
build/bench/bench/bench_parts url="sqlite:$dir/parts.db" n="$n"
