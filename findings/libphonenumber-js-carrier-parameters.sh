#!/bin/sh
# FINDING: libphonenumber-js sees no number in a tel: URI when a routing parameter has digits.
#
# Versions: npm libphonenumber-js 1.13.16.
# A good engineer would guess: the parameters of a tel: URI that the library does not know are passed over, whatever they say, as `cpc`,
#   `verstat` and `npdi` are.
# Seen: with `rn=` (RFC 4694: the ported number's routing number) or `cic=` (the carrier) the answer is undefined, not the number in front
#   of it. Any parameter does that whose value has digits, but for `ext`, `isub` and `phone-context`.
# Output seen:
#= +442079460000: +442079460000
#= +442079460000;verstat=TN-Validation-Passed: +442079460000
#= +442079460000;npdi: +442079460000
#= +442079460000;npdi;rn=+447000: undefined
#= +442079460000;cic=+1234: undefined
#= tel:+442079460000;npdi;rn=+447000: undefined
#= +442079460000;npdi;rn=7000;rn-context=+44: undefined
# Why it matters: that is what a called or calling number looks like behind a number portability lookup, also as the user part of a SIP URI.
#   Ported subscribers, and only they, have no number. Cut at the first `;` before parsing.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts libphonenumber-js@1.13.16 >/dev/null || exit 2
echo "libphonenumber-js $(node -p 'require("libphonenumber-js/package.json").version'), node $(node --version)"
cat >try.js <<'E'
const { parsePhoneNumberFromString } = require('libphonenumber-js')
for (const s of ['+442079460000', '+442079460000;verstat=TN-Validation-Passed', '+442079460000;npdi', '+442079460000;npdi;rn=+447000',
  '+442079460000;cic=+1234', 'tel:+442079460000;npdi;rn=+447000', '+442079460000;npdi;rn=7000;rn-context=+44'])
  console.log(s + ':', (parsePhoneNumberFromString(s) || {}).number)
E
timeout 30 node try.js | tee out
sed -n 's/^#= //p' "$me" | diff - out
