#!/bin/sh
# FINDING: npm smpp sends `@` for each character that the GSM alphabet does not have.
#
# Versions: npm smpp 0.5.1.
# A good engineer would guess: with data_coding 0 asked for, a character outside of GSM 03.38 becomes a blank or `?`, or throws.
# Seen: it becomes 0x00, which is `@`. The library means a blank: it puts the string '\x20' into a list of numbers, and Buffer.from() makes
#   the number 0 of that string.
# Output seen:
#= sent:    "naïve – “x” ½"
#= octets:  6e 61 00 76 65 20 00 20 00 78 00 20 00
#= read:    "na@ve @ @x@ @"
# Why it matters: data_coding 0 is what most carriers ask for, and such texts look like mail addresses to whoever reads them. A receiver that
#   sees `@` between letters from a peer in node has found this, not a wrong alphabet.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts smpp@0.5.1 >/dev/null || exit 2
echo "smpp $(node -p 'require("smpp/package.json").version'), node $(node --version)"
cat >try.js <<'E'
const { PDU } = require('smpp')
const text = 'naïve – “x” ½'
const octets = new PDU('submit_sm', { data_coding: 0, short_message: text }).toBuffer()
console.log('sent:   ', JSON.stringify(text))
console.log('octets: ', octets.subarray(-text.length).toString('hex').replace(/..(?=.)/g, '$& '))
console.log('read:   ', JSON.stringify(new PDU(octets).short_message.message))
E
timeout 30 node try.js | tee out
sed -n 's/^#= //p' "$me" | diff - out
