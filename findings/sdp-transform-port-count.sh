#!/bin/sh
# FINDING: sdp-transform turns `m=audio 49170/2 RTP/AVP 0` into "m=undefined NaN undefined ".
#
# Versions: npm sdp-transform 3.0.0.
# A good engineer would guess: the number of ports (RFC 8866 §5.14: `m=<media> <port>/<number of ports> <proto> <fmt>`) is kept, or dropped, or the
#   line is kept as it is, as lines are that the library does not know.
# Seen: the m= line does not fit the library's pattern, and nothing says so. The medium has no type, port, protocol or payloads, and its a= lines stay.
#   Written out again the line is no SDP.
# Output seen:
#= m=audio 49170 RTP/AVP 0 -> type audio, port 49170, written "m=audio 49170 RTP/AVP 0"
#= m=audio 49170/1 RTP/AVP 0 -> type undefined, port undefined, written "m=undefined NaN undefined "
#= m=audio 49170/2 RTP/AVP 0 -> type undefined, port undefined, written "m=undefined NaN undefined "
# Why it matters: /1 says nothing that its absence does not, and /2 is for layered streams; any SDP may have them. An agent that edits offers with this library (to
#   take out a codec, say) answers 200 with that line, and there is no sound; one that looks for the audio finds none. Take `/n` off before.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts sdp-transform@3.0.0 >/dev/null || exit 2
echo "sdp-transform $(node -p "JSON.parse(require('fs').readFileSync('node_modules/sdp-transform/package.json')).version"), node $(node --version)"
cat >try.mjs <<'E'
import * as sdp from 'sdp-transform'
for (const port of ['49170', '49170/1', '49170/2']) {
  const line = `m=audio ${port} RTP/AVP 0`
  const session = sdp.parse(`v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n${line}\r\na=rtpmap:0 PCMU/8000\r\n`)
  const { type, port: number } = session.media[0]
  console.log(`${line} -> type ${type}, port ${number}, written`, JSON.stringify(sdp.write(session).split('\r\n').find(l => l.startsWith('m='))))
}
E
timeout 30 node try.mjs | tee out
sed -n 's/^#= //p' "$me" | diff - out
