#!/bin/sh
# Runs a part of the tests and keeps its counts; `total` prints the closing line of them all.
#   tools/count.sh PART COMMAND...     tools/count.sh total
set -u
cd "$(dirname "$0")/.."
mkdir -p build
counts=build/counts

if [ "$1" = total ]; then
  [ -s "$counts" ] || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
  awk '{ p += $2; f += $3; s += $4 } END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 }' "$counts"
  exit
fi

part=$1
shift
echo "== $part"
log=build/$part.log
{ "$@" 2>&1; echo $? >"$log.status"; } | tee "$log"
status=$(cat "$log.status")
case $1 in
meson) # "Ok: 12", "Fail: 0", "Skipped: 1", and failures of other names
  passed=$(sed -n 's/^Ok: *\([0-9]*\).*/\1/p' "$log" | tail -n 1)
  failed=$(sed -n 's/^\(Fail\|Timeout\|Unexpected Pass\): *\([0-9]*\).*/\2/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
  skipped=$(sed -n 's/^Skipped: *\([0-9]*\).*/\1/p' "$log" | tail -n 1)
  ;;
node) # TAP: "# pass 12"
  passed=$(sed -n 's/^# pass \([0-9]*\)$/\1/p' "$log" | tail -n 1)
  failed=$(sed -n 's/^# fail \([0-9]*\)$/\1/p' "$log" | tail -n 1)
  skipped=$(sed -n 's/^# skipped \([0-9]*\)$/\1/p' "$log" | tail -n 1)
  ;;
*)
  passed=$([ "$status" = 0 ] && echo 1 || echo 0)
  failed=$([ "$status" = 0 ] && echo 0 || echo 1)
  skipped=0
  ;;
esac
# A part that ended badly, or said nothing, failed, whatever it counted.
[ "$status" != 0 ] && [ "${failed:-0}" = 0 ] && failed=1
[ -z "${passed:-}" ] && [ "${failed:-0}" = 0 ] && failed=1
echo "$part ${passed:-0} ${failed:-0} ${skipped:-0}" >>"$counts"
exit "$status"
