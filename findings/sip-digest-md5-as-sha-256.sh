#!/bin/sh
# FINDING: npm sip answers a SHA-256 challenge with an MD5 response that says it is SHA-256.
#
# Versions: npm sip 0.0.6.
# A good engineer would guess: a library that has MD5 only passes over a challenge with another algorithm, or throws.
# Seen: it repeats the challenge's algorithm in lower case and computes MD5: 32 hex digits where SHA-256 has 64. When MD5 is offered behind it
#   the first one is answered all the same.
# Output seen:
#= algorithm=sha-256, response of 32 hex digits, which is the MD5 one: true
#= two challenges, the second MD5: algorithm=sha-256
# Why it matters: the server sees a wrong password, and counts it towards a ban; the password is right. A response whose length does not fit its
#   algorithm is this, and no attack. Such a client needs MD5 as the first or only challenge.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts sip@0.0.6 >/dev/null || exit 2
echo "sip $(node -p 'require("sip/package.json").version'), node $(node --version)"
cat >try.js <<'E'
const sip = require('sip'), digest = require('sip/digest'), md5 = s => require('crypto').createHash('md5').update(s).digest('hex')
function answer(...algorithms) {
  const response = sip.parse(['SIP/2.0 401 Unauthorized', 'Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1', 'From: <sip:u@example.com>;tag=1',
    'To: <sip:u@example.com>;tag=2', 'Call-ID: 1', 'CSeq: 1 REGISTER',
    ...algorithms.map(a => `WWW-Authenticate: Digest realm="example.com", nonce="a1b2c3", algorithm=${a}, qop="auth"`),
    'Content-Length: 0', '', ''].join('\r\n'))
  const request = { method: 'REGISTER', uri: 'sip:example.com', headers: {} }
  digest.signRequest({}, request, response, { user: 'u', password: 'p' })
  return request.headers.authorization[0]
}
const bare = s => s.replace(/"/g, '')
const a = answer('SHA-256'), response = bare(a.response)
const expected = md5([md5('u:example.com:p'), 'a1b2c3', a.nc, bare(a.cnonce), a.qop, md5('REGISTER:sip:example.com')].join(':'))
console.log(`algorithm=${a.algorithm}, response of ${response.length} hex digits, which is the MD5 one:`, response === expected)
console.log(`two challenges, the second MD5: algorithm=${answer('SHA-256', 'MD5').algorithm}`)
E
timeout 30 node try.js | tee out
sed -n 's/^#= //p' "$me" | diff - out
