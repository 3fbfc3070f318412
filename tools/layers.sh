#!/bin/sh
# Checks who may know whom: reads the includes of src/ and fails with the line that breaks a wall.
#   tools/layers.sh            checks; ARCHITECTURE.md must show the same table
#   tools/layers.sh --table    prints the table of the allowed arrows
#   tools/layers.sh --picture  prints them as a Mermaid graph, without the arrows that others imply
set -u
cd "$(dirname "$0")/.."

# A room a line, from the ground up: it may include itself and the rooms named, all of which stand above its line. So
# there is no circle of rooms.
rooms() {
  cat <<'EOT'
base          |
net           | base
net/http      | base
model         | base
store         | base model
store/sqlite  | base model store
store/rows    | base model store
trace         | base
hub           | base net model store store/rows
hub/chores    | base net model store store/rows trace hub
sip/wire      | base net
sip/net       | base net sip/wire
sip/trace     | base net trace sip/wire sip/net
sip/txn       | base net trace sip/wire sip/net sip/trace
sip/core      | base net model store store/rows trace hub sip/wire sip/net sip/trace sip/txn
sip/call      | base net model store store/rows trace hub sip/wire sip/net sip/trace sip/txn sip/core
sip/text      | base net model store store/rows trace hub sip/wire sip/net sip/trace sip/txn sip/core
sip           | base net model store store/rows trace hub sip/wire sip/net sip/trace sip/txn sip/core sip/call sip/text
smpp          | base net model store store/rows hub
deliver/http  | base net net/http
deliver       | base net model store store/rows hub deliver/http
api/http      | base net net/http
api/core      | base net model store store/rows trace hub hub/chores api/http
api/resources | base model store store/rows hub hub/chores api/http api/core
api/did       | base model api/core
api           | base net store hub api/http api/core api/resources api/did
daemon        | base net model store store/rows trace hub hub/chores sip sip/core sip/net sip/trace smpp deliver api
cli/client    | base net net/http
play          | base net model store trace sip/wire smpp daemon cli/client
cli/doctor    | base net model store sip/wire sip/net daemon cli/client
cli           | base net model store deliver deliver/http daemon play cli/client cli/doctor
.             | cli
EOT
}

table() {
  echo '| room | may include, besides itself |'
  echo '|---|---|'
  rooms | sed 's/ *| */|/; s/^\.|/main.c|/; s/^\([^|]*\)|\(.*\)$/| \1 | \2 |/; s/|  |$/| nothing |/'
}

picture() {
  echo '```mermaid'
  echo 'graph TD'
  rooms | awk -F'|' '
    { room = $1; gsub(/ /, "", room); if (room == ".") room = "main.c"; name[++n] = room; k = split($2, to, " ")
      for (i = 1; i <= k; i++) { may[room, to[i]] = 1; for (r = 1; r < n; r++) if ((to[i], name[r]) in below) below[room, name[r]] = 1; below[room, to[i]] = 1 } }
    END {
      for (a = n; a >= 1; a--) for (b = n; b >= 1; b--) if ((name[a], name[b]) in may) {
        implied = 0
        for (c = 1; c <= n; c++) if (((name[a], name[c]) in may) && ((name[c], name[b]) in below)) implied = 1
        if (!implied) print "  " id(name[a]) " --> " id(name[b])
      }
    }
    function id(s,    t) { t = s; gsub(/[\/.]/, "_", t); return t "[" s "]" }'
  echo '```'
}

case ${1:-} in
--table) table && exit ;;
--picture) picture && exit ;;
esac

# A library's header has one place.
libraries() {
  cat <<'EOT'
sqlite3.h     | src/store/sqlite/
jansson.h     | src/base/json.c
llhttp.h      | src/net/http/
uv.h          | src/net/
ares.h        | src/net/resolver
idn2.h        | src/net/url.c
openssl/ssl.h | src/net/tls_openssl.h
sodium.h      | src/base/
iconv.h       | src/model/charset.c
ini.h         | src/daemon/config.c
EOT
}

{
  rooms | sed 's/^/room|/'
  libraries | sed 's/^/library|/'
  find src -name '*.[ch]' | sort | xargs grep -n '^#include' | sed 's/^/include|/'
} | awk '
  function wrong(text) { print text; bad = 1 }
  BEGIN { FS = "|" }
  { gsub(/ +/, " ", $2); sub(/ $/, "", $2) }
  $1 == "room" {
    n = split($3, to, " ")
    for (i = 1; i <= n; i++) {
      if (!(to[i] in known)) wrong("tools/layers.sh: " $2 " names " to[i] ", which does not stand above it")
      may[$2, to[i]] = 1
    }
    known[$2] = may[$2, $2] = 1
    next
  }
  $1 == "library" { place[$2] = $3; next }
  {
    text = substr($0, 9)
    at = index(text, ":#include ")
    where = substr(text, 1, at - 1)
    file = substr(where, 1, index(where, ":") - 1)
    what = substr(text, at + 10)
    room = file; sub(/^src\//, "", room)
    if (!sub(/\/[^\/]*$/, "", room)) room = "."
    if (!(room in known) && !(room in told)) { wrong(room "/ is no room of the table"); told[room] = 1 }
    name = substr(what, 2); sub(/[>"].*/, "", name)
    if (what ~ /^"/) {
      to_room = name
      if (!sub(/\/[^\/]*$/, "", to_room)) next # made by the build
      if (!((room, to_room) in may)) wrong(where ": " room "/ may not include " to_room "/")
    } else if (name in place) {
      ok = 0
      n = split(place[name], to, " ")
      for (i = 1; i <= n; i++) if (index(file, to[i]) == 1) ok = 1
      if (!ok) wrong(where ": <" name "> belongs to" place[name])
    }
  }
  END { exit bad }' || exit 1

# shown WHAT, FIRST LINE, LAST LINE: ARCHITECTURE.md has it as this script prints it.
shown() {
  printed=$("$1")
  page=$(sed -n "/^$2/,/^$3/p" ARCHITECTURE.md | sed '/^$/d')
  [ "$printed" = "$page" ] || { echo "ARCHITECTURE.md shows another $1 than tools/layers.sh --$1"; exit 1; }
}
shown table '| room | may include' '$'
shown picture '```mermaid' '```$'
echo "layers: clean"
