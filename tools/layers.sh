#!/bin/sh
# Who may know whom (ARCHITECTURE.md): reads the includes and fails with the line that breaks a wall.
set -u
cd "$(dirname "$0")/.."
bad=0

may() { # layer: what it may include
  case $1 in
  base) echo base ;;
  net) echo "base net" ;;
  model) echo "base model" ;;
  store) echo "base model store" ;;
  hub) echo "base net model store hub" ;;
  sip | smpp | deliver | api) echo "base net model store hub $1" ;;
  cli) echo "base net model store hub sip smpp deliver api cli" ;;
  esac
}

wrong() {
  echo "$1"
  bad=1
}

for file in src/*/*.[ch]; do
  layer=${file#src/}
  layer=${layer%%/*}
  allowed=" $(may "$layer") "
  while IFS=: read -r line include; do
    [ -n "$line" ] || continue
    to=${include#*\"}
    to=${to%%/*}
    case $allowed in *" $to "*) ;; *) wrong "$file:$line: $layer/ may not include $to/" ;; esac
  done <<EOT
$(grep -n '^#include "' "$file")
EOT
done

# A library's header has one place.
one_place() { # header pattern, where
  for hit in $(grep -lE "^#include <$1>" src/*/*.[ch] | grep -vE "^($2)$"); do
    wrong "$hit: <$1> belongs to $2"
  done
}
one_place 'sqlite3\.h' 'src/store/sqlite.*'
one_place 'jansson\.h' 'src/base/json\.c'
one_place 'llhttp\.h' 'src/deliver/http_conn\.h|src/api/http_reader\.h'
one_place 'uv\.h' 'src/net/.*'
one_place 'ares\.h' 'src/net/resolver.*'
one_place 'idn2\.h' 'src/net/url\.c'
one_place 'openssl/ssl\.h' 'src/net/tls_openssl\.h'
one_place 'sodium\.h' 'src/base/.*'
one_place 'iconv\.h' 'src/model/charset\.c'
one_place 'ini\.h' 'src/base/config\.c'
[ $bad = 0 ] && echo "layers: clean"
exit $bad
