#!/bin/sh
# FINDING: libphonenumber-js finds the number in a `tel:` URI with a phone-context every second time.
#
# Versions: npm libphonenumber-js 1.13.16.
# A good engineer would guess: parsing the same text gives the same number each time.
# Seen: `tel:2079460000;phone-context=+44` (RFC 3966, a local number and where it is local) is +442079460000, then undefined, then
#   +442079460000 … The patterns that check phone-context are JavaScript regular expressions with the flag `g`, used with test():
#   these remember where they stopped, and begin there the next time. Another URI in between counts: of two that are each good, the
#   second is undefined.
# Output seen:
#= 1: +442079460000
#= 2: undefined
#= 3: +442079460000
#= 4: undefined
#= another: +12015550123, then this: undefined
# Why it matters: IMS carriers and gateways put such URIs into From, To and P-Asserted-Identity. A receiver that normalises callers with this
#   library loses every second one, a retry of the same event seems to mend it, and a test with one call passes. Join the two by
#   hand (phone-context + number) before parsing.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts libphonenumber-js@1.13.16 >/dev/null || exit 2
echo "libphonenumber-js $(node -p 'require("libphonenumber-js/package.json").version'), node $(node --version)"
cat >try.js <<'E'
const { parsePhoneNumberFromString } = require('libphonenumber-js')
const number = s => (parsePhoneNumberFromString(s) || {}).number
const uri = 'tel:2079460000;phone-context=+44'
for (let i = 1; i <= 4; i++) console.log(i + ':', number(uri))
console.log('another:', number('tel:2015550123;phone-context=+1') + ',', 'then this:', number(uri))
E
timeout 30 node try.js | tee out
sed -n 's/^#= //p' "$me" | diff - out
