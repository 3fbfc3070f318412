#!/bin/sh
# FINDING: npm smpp reads only the lower four bits of data_coding: a class or a waiting indication changes the alphabet.
#
# Versions: npm smpp 0.5.1.
# A good engineer would guess: a message with a class (0x10 to 0x13, 0xF0 to 0xF3: GSM 7 bit; SMPP 3.4 §5.2.19, 3GPP TS 23.038 §4) is read in one
#   alphabet whatever its class is, and a voice mail's indication (0xD0, 0xD8: GSM 7 bit) as GSM 7 bit too.
# Seen: class 0 and 1 are read as GSM 7 bit. Class 2 (to the SIM) gives a Buffer where a string was, class 3 (to the terminal) is read as
#   Latin-1: `@` becomes NUL. Voice mail on (0xD8) is read as UCS-2: two letters become one ideograph; off (0xD0), it is right.
# Output seen:
#= 0x10: "@homes"
#= 0x11: "@homes"
#= 0x12: Buffer 00 68 6f 6d 65 73
#= 0x13: "\u0000homes"
#= 0xf0: "@homes"
#= 0xf2: Buffer 00 68 6f 6d 65 73
#= 0xf3: "\u0000homes"
#= 0xd0: "@homes"
#= 0xd8: "h潭敳"
# Why it matters: SIM updates, flash messages and mailbox notices come to numbers like other texts. A receiver in node that calls a method of
#   short_message.message throws on 0x12, and stores NULs on 0x13. Ask for the Buffer and decode by the whole octet.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts smpp@0.5.1 >/dev/null || exit 2
echo "smpp $(node -p 'require("smpp/package.json").version'), node $(node --version)"
cat >try.js <<'E'
const { PDU } = require('smpp')
for (const data_coding of [0x10, 0x11, 0x12, 0x13, 0xf0, 0xf2, 0xf3, 0xd0, 0xd8]) {
  const octets = new PDU('deliver_sm', { data_coding, short_message: Buffer.from('\0homes') }).toBuffer()
  const message = new PDU(octets).short_message.message
  console.log('0x' + data_coding.toString(16) + ':', Buffer.isBuffer(message) ? 'Buffer ' + message.toString('hex').replace(/..(?=.)/g, '$& ') : JSON.stringify(message))
}
E
timeout 30 node try.js | tee out
sed -n 's/^#= //p' "$me" | diff - out
