#!/bin/sh
# Finds circles of files: files (a .c and its .h count as one) of which each needs the next, and the last needs the first.
#   tools/circles.sh              by includes
#   tools/circles.sh BUILD        by calls too: the functions that the objects of that build directory use of each other
#   tools/circles.sh --list ...   prints every circle, not only those that are too long
# It fails on a circle of more than three files; rooms that may have longer ones stand in `longer`.
set -u
cd "$(dirname "$0")/.."
list=
[ "${1:-}" = --list ] && { list=1; shift; }
build=${1:-}

longer() { # kind, room, files of a circle at most, reason
  cat <<'EOT'
call|cli|5|doctor calls its parts, which say what they found through it
call|play|4|the phone
EOT
}

includes() {
  find src -name '*.[ch]' | sort | xargs grep -H '^#include "' |
    sed 's/^src\//include|/; s/:#include "/|/; s/"$//; s/\.[ch]|/|/; s/\.[ch]$//'
}

# "symbol|U or T|file" of each object of ours; then pairs of files.
calls() {
  for object in "$build"/src/*/lib*.a.p/*.o "$build"/src/*/*/lib*.a.p/*.o; do
    room=${object#"$build"/src/}
    case $object in *_usr_share_*) continue ;; esac
    nm "$object" | sed "s|^|${room%%/lib*} $(basename "$object" .c.o) |"
  done 2>/dev/null | awk '
    { file = $1 "/" $2; kind = $(NF - 1); symbol = $NF }
    kind ~ /^[TDBR]$/ { home[symbol] = file }
    kind == "U" { used[file " " symbol] }
    END { for (u in used) { split(u, p, " "); if (p[2] in home && home[p[2]] != p[1]) print "call|" p[1] "|" home[p[2]] } }' | sort
}

{
  longer | sed 's/^/longer|/'
  includes
  [ -z "$build" ] || calls
} | awk -v list="$list" '
  BEGIN { FS = "|" }
  $1 == "longer" { most[$2, $3] = $4; next }
  {
    from = $1 "|" $2; to = $1 "|" $3
    if (!(from in seen)) { seen[from] = 1; name[++n] = from }
    if (from == to || ((from, to) in have)) next
    have[from, to] = 1
    next_of[from] = next_of[from] " " to
  }
  function walk(start,    stack, top, i, k, to) { # all that it reaches
    top = 1; stack[1] = start
    while (top) {
      k = split(next_of[stack[top--]], to, " ")
      for (i = 1; i <= k; i++) if (!((start, to[i]) in reach)) { reach[start, to[i]] = 1; stack[++top] = to[i] }
    }
  }
  END {
    for (i = 1; i <= n; i++) walk(name[i])
    for (i = 1; i <= n; i++) {
      a = name[i]
      if (!((a, a) in reach) || a in told) continue
      size = 0; text = ""
      for (j = 1; j <= n; j++) {
        b = name[j]
        if (((a, b) in reach) && ((b, a) in reach)) { size++; told[b] = 1; file = b; sub(/^[^|]*\|/, "", file); text = text " " file }
      }
      split(a, part, "|")
      room = part[2]; sub(/\/.*/, "", room)
      limit = ((part[1], room) in most) ? most[part[1], room] : 3
      if (list != "" || size > limit) print part[1] ": " size " files:" text
      if (size > limit) bad = 1
      if (size > widest[part[1], room]) widest[part[1], room] = size
      if (size > longest[part[1]]) longest[part[1]] = size
    }
    if (bad) { print "circles: a circle of files is too long"; exit 1 }
    for (line in most) {
      split(line, part, SUBSEP)
      if ((part[1] in longest) && widest[line] < most[line]) {
        print "circles: " part[1] "|" part[2] " has no circle of " most[line] " files any more: " widest[line] + 0
        exit 1
      }
    }
    print "circles: the longest has " longest["include"] + 0 " files by includes" ("call" in longest ? ", " longest["call"] " by calls" : "")
  }'
