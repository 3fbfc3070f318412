#!/bin/sh
# FINDING: npm smpp sends GSM 03.38 and calls it ASCII.
#
# Versions: npm smpp 0.5.1.
# A good engineer would guess: a text in letters, digits and `@ _ $ [ ]` goes out with data_coding 0 (the carrier's default alphabet), or with
#   data_coding 1, which SMPP 3.4 §5.2.19 calls "IA5 (CCITT T.50)/ASCII", and then in ASCII.
# Seen: the PDU says data_coding 1 and the octets are GSM 03.38, unpacked: `@` is 0x00, `_` 0x11, `$` 0x02, `[` 0x1B 0x3C, `€` 0x1B 0x65. Coming in,
#   data_coding 1 is read so as well, so the library understands itself and no test of one's own shows it.
# Output seen:
#= me@example.com_$[x]€
#= data_coding 1: 6d 65 00 65 78 61 6d 70 6c 65 2e 63 6f 6d 11 02 1b 3c 78 1b 3e 1b 65
#= as ASCII: "me\u0000example.com\u0011\u0002\u001b<x\u001b>\u001be"
#= ASCII coming in, 6d 65 40 78: "me¡x"
# Why it matters: a peer that follows the standard gets NULs and escapes for mail addresses and prices, and its own correct ASCII is misread
#   here. It needs a setting for data_coding 1 per peer. Letters and digits are the same in both, so that it is found late.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts smpp@0.5.1 >/dev/null || exit 2
echo "smpp $(node -p 'require("smpp/package.json").version'), node $(node --version)"
cat >try.js <<'E'
const { PDU } = require('smpp')
const text = 'me@example.com_$[x]€'
const pdu = new PDU('submit_sm', { short_message: text }), octets = pdu.toBuffer()
const message = octets.subarray(octets.length - pdu.short_message.length)
console.log(text)
console.log('data_coding ' + pdu.data_coding + ':', message.toString('hex').replace(/..(?=.)/g, '$& '))
console.log('as ASCII:', JSON.stringify(message.toString('ascii')))
const ascii = new PDU('deliver_sm', { data_coding: 1, short_message: Buffer.from('me@x', 'ascii') }).toBuffer()
console.log('ASCII coming in, 6d 65 40 78:', JSON.stringify(new PDU(ascii).short_message.message))
E
timeout 30 node try.js | tee out
sed -n 's/^#= //p' "$me" | diff - out
