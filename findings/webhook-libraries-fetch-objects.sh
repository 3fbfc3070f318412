#!/bin/sh
# FINDING: npm standardwebhooks and svix refuse what a fetch-style handler holds in its hands: its Headers, and its body as bytes.
#
# Versions: npm standardwebhooks 1.1.1, svix 1.99.1, under node's own Request and Headers.
# A good engineer would guess: verify(await request.text(), request.headers) works in a handler of the web's standard kind; the body may as well be
#   new Uint8Array(await request.arrayBuffer()), for a signature is over bytes. And a body that is signed right verifies.
# Seen: Headers has no properties of its own, so "Missing required headers", as if the sender had forgotten them. A Uint8Array that is no node Buffer
#   is an Error that is not their WebhookVerificationError. And a Buffer is made into a string of UTF-8 before it is hashed: bytes that are not UTF-8
#   (a text in Latin-1, say) never verify, however right the signature is.
# Output seen:
#= standardwebhooks, text and a plain object: verified
#= standardwebhooks, text and Headers: WebhookVerificationError: Missing required headers
#= standardwebhooks, Uint8Array: Error: Expected payload to be of type string or Buffer.
#= standardwebhooks, Buffer: verified
#= standardwebhooks, Buffer in Latin-1: WebhookVerificationError: No matching signature found
#= svix, text and a plain object: verified
#= svix, text and Headers: WebhookVerificationError: Missing required headers
#= svix, Uint8Array: Error: Expected payload to be of type string or Buffer.
#= svix, Buffer: verified
#= svix, Buffer in Latin-1: WebhookVerificationError: No matching signature found
# Why it matters: whoever reads "missing" looks at the sender and at proxies. It is Object.fromEntries(request.headers), and Buffer.from(bytes). A sender
#   that signs bytes does well to send nothing but UTF-8.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts svix@1.99.1 standardwebhooks@1.1.1 >/dev/null || exit 2
for p in standardwebhooks svix; do echo "$p $(node -p "JSON.parse(require('fs').readFileSync('node_modules/$p/package.json')).version")"; done
cat >try.js <<'E'
const { createHmac } = require('crypto')
const key = Buffer.from('0123456789abcdef0123456789abcdef')
const signed = body => {
  const now = String(Math.floor(Date.now() / 1000))
  return new Request('http://127.0.0.1/hook', { method: 'POST', body, headers: { 'webhook-id': 'msg_1', 'webhook-timestamp': now,
    'webhook-signature': 'v1,' + createHmac('sha256', key).update(`msg_1.${now}.`).update(body).digest('base64') } })
}
async function main() {
  for (const library of ['standardwebhooks', 'svix']) {
    const webhook = new (require(library).Webhook)('whsec_' + key.toString('base64'))
    const attempt = async (name, body, take) => {
      let result = 'verified'
      try { webhook.verify(...await take(signed(body))) } catch (e) { result = e.name + ': ' + e.message }
      console.log(`${library}, ${name}:`, result)
    }
    const json = Buffer.from('{"from":"+447700900123"}'), latin1 = Buffer.from('name=Andr\xe9', 'latin1')
    const plain = r => Object.fromEntries(r.headers)
    await attempt('text and a plain object', json, async r => [await r.text(), plain(r)])
    await attempt('text and Headers', json, async r => [await r.text(), r.headers])
    await attempt('Uint8Array', json, async r => [new Uint8Array(await r.arrayBuffer()), plain(r)])
    await attempt('Buffer', json, async r => [Buffer.from(await r.arrayBuffer()), plain(r)])
    await attempt('Buffer in Latin-1', latin1, async r => [Buffer.from(await r.arrayBuffer()), plain(r)])
  }
}
main()
E
timeout 30 node try.js | tee out
sed -n 's/^#= //p' "$me" | diff - out
