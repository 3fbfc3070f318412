// A webhook receiver as users write one: Express 5, express.json() and express.urlencoded(), a switch
// on `event`; standardwebhooks (and svix) verify what came in over the exact bytes.
import express from 'express';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { until } from './until.mjs';

// Both libraries' verify() also parses JSON; for a form body their sign() gives the same proof.
function verifySignature(secret, req) {
  if (req.is('json')) {
    new Webhook(secret).verify(req.raw, req.headers);
    new SvixWebhook(secret).verify(req.raw, req.headers);
    return;
  }
  const at = new Date(Number(req.headers['webhook-timestamp']) * 1000);
  for (const kind of [Webhook, SvixWebhook]) {
    const due = new kind(secret).sign(req.headers['webhook-id'], at, req.raw.toString());
    if (!req.headers['webhook-signature'].split(' ').includes(due)) throw new Error('it does not fit');
  }
}

export class Receiver {
  constructor() {
    this.events = [];      // as the handler saw them, verified
    this.refused = [];     // signature did not fit
    this.secrets = new Map(); // path → secret
    this.answer = () => 200;  // (event) → status
    this.say = new Map();     // path → body of the 200 to incoming_call
    this.respond = new Map(); // path → (event, res) that answers by itself, each POST is kept
  }

  static async start() {
    const r = new Receiver();
    const app = express();
    const verify = (req, res, bytes) => { req.raw = bytes; };
    app.use(express.json({ verify }), express.urlencoded({ extended: false, verify }));
    app.post('/{*path}', (req, res) => {
      const secret = r.secrets.get(req.path);
      const respond = r.respond.get(req.path);
      try {
        if (secret || !respond) verifySignature(secret, req); // a question to no endpoint has none
      } catch (error) {
        r.refused.push({ path: req.path, headers: req.headers, error: error.message });
        res.sendStatus(401);
        return;
      }
      const seen = { path: req.path, headers: req.headers, body: req.body, at: Date.now() };
      if (respond) {
        r.events.push(seen);
        respond(seen, res);
        return;
      }
      const status = r.answer(seen);
      if (status < 300) {
        switch (req.body.event) {
          case 'incoming_call':
          case 'call_answered':
          case 'call_ended':
          case 'sms_received':
          case 'call_ringing':
          case 'call_forward_failed':
          case 'ping':
            r.events.push(seen);
            break;
          default:
            res.sendStatus(400);
            return;
        }
      }
      const say = req.body.event === 'incoming_call' && r.say.get(req.path);
      if (say) res.status(status).send(say);
      else res.sendStatus(status);
    });
    await new Promise((resolve) => { r.server = app.listen(0, '127.0.0.1', resolve); });
    r.url = `http://127.0.0.1:${r.server.address().port}`;
    return r;
  }

  /** Makes an endpoint object for POST /v1/endpoints; `expect` afterwards with its answer. */
  endpoint(path, more = {}) {
    return { url: this.url + path, format: 'json', ...more };
  }

  expect(path, endpoint) {
    this.secrets.set(path, endpoint.secret);
  }

  of(path) {
    return this.events.filter((e) => e.path === path);
  }

  names(path) {
    return this.of(path).map((e) => e.body.event);
  }

  /** Waits until `n` events came to `path`; gives their bodies. */
  async wait(path, n, timeout = 10000) {
    await until(() => this.of(path).length >= n,
      { what: `${n} events at ${path} (there: ${this.names(path)}; refused: ${this.refused.length})`, timeout });
    return this.of(path).map((e) => e.body);
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
