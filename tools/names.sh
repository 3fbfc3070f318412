#!/bin/sh
# Finds public names that two files of the program define: the linker takes one of them without a word, since the rooms
# are static libraries.
#   tools/names.sh BUILD       the objects of that build directory
set -u
cd "$(dirname "$0")/.."
for object in "$1"/src/*/lib*.a.p/*.o "$1"/src/*/*/lib*.a.p/*.o; do
  case $object in *_usr_share_*) continue ;; esac
  [ -f "$object" ] && nm -g --defined-only "$object" | sed "s|^|${object#"$1"/src/} |"
done | awk '
  $3 ~ /^[TDBR]$/ && $4 !~ /^(__odr_asan|__asan|_GLOBAL__)/ {
    names++
    if ($4 in home && home[$4] != $1) { print $4 " is defined in " home[$4] " and in " $1; bad = 1 }
    home[$4] = $1
  }
  END {
    if (!names) { print "names: no objects there"; exit 1 }
    if (!bad) print "names: " names " public names, each defined once"
    exit bad
  }'
