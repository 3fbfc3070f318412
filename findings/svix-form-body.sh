#!/bin/sh
# FINDING: npm svix cannot verify a webhook that is a form: the signature is right, and it throws a JSON error.
#
# Versions: npm svix 1.99.1 and standardwebhooks 1.1.1.
# A good engineer would guess: verify() checks a signature over bytes; a body that is no JSON passes, is returned as it is, or can be asked for.
# Seen: after the signature was found right, both parse the body as JSON, and throw SyntaxError, which is not their WebhookVerificationError. In
#   standardwebhooks 1.1 `{ jsonParse: false }` prevents it (it returns undefined); svix, which is the same code wrapped, takes no such argument: there is
#   no way. An empty signed body divides the two as well.
# Output seen:
#= svix, form: SyntaxError
#= svix, form, jsonParse false: SyntaxError
#= svix, form, one byte changed: WebhookVerificationError
#= svix, JSON: verified, object
#= svix, empty: SyntaxError
#= standardwebhooks, form: SyntaxError
#= standardwebhooks, form, jsonParse false: verified, undefined
#= standardwebhooks, form, one byte changed: WebhookVerificationError
#= standardwebhooks, JSON: verified, object
#= standardwebhooks, empty: verified, undefined
# Why it matters: webhooks of telephony are often forms. A handler that answers 400 for any error refuses all of them; one that answers 500 for
#   what is no WebhookVerificationError has them sent again and again. Use standardwebhooks with `{ jsonParse: false }` for both.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0"); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts svix@1.99.1 standardwebhooks@1.1.1 >/dev/null || exit 2
for p in svix standardwebhooks; do echo "$p $(node -p "JSON.parse(require('fs').readFileSync('node_modules/$p/package.json')).version")"; done
cat >try.js <<'E'
const { createHmac } = require('crypto')
const key = Buffer.from('0123456789abcdef0123456789abcdef')
const now = String(Math.floor(Date.now() / 1000))
function attempt(name, Webhook, body, sent = body, options) {
  const signature = createHmac('sha256', key).update(`msg_1.${now}.${body}`).digest('base64')
  const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': now, 'webhook-signature': 'v1,' + signature }
  let result
  try { result = 'verified, ' + typeof new Webhook('whsec_' + key.toString('base64')).verify(sent, headers, options) } catch (e) { result = e.name }
  console.log(name + ':', result)
}
const form = 'event=sms_received&from=%2B447700900123&message=hello'
for (const library of ['svix', 'standardwebhooks']) {
  const { Webhook } = require(library)
  attempt(library + ', form', Webhook, form)
  attempt(library + ', form, jsonParse false', Webhook, form, form, { jsonParse: false })
  attempt(library + ', form, one byte changed', Webhook, form, form + '!')
  attempt(library + ', JSON', Webhook, '{"event":"sms_received"}')
  attempt(library + ', empty', Webhook, '')
}
E
timeout 30 node try.js | tee out
sed -n 's/^#= //p' "$me" | diff - out
