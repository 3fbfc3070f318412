// Accounts with one of everything in them, for tests that are made from the OpenAPI file: `thing` gives what stands in an
// operation's path, `body` what it is called with. What they do not know how to make, they say.
import { createServer } from 'node:http';
import { createSocket } from 'node:dgram';
import { Daemon, key as operator } from './daemon.mjs';
import { examples } from './openapi.mjs';
import { until } from './until.mjs';

export const carrier = '127.0.0.2';
let made = 0;

/** A daemon, a receiver that takes everything, an agent that never answers, and a trunk. */
export class House {
  static async start(sets = {}) {
    const h = new House();
    h.posts = []; // { path, body }
    h.receiver = createServer((req, res) => {
      const parts = [];
      req.on('data', (b) => parts.push(b)).on('end', () => {
        h.posts.push({ path: req.url, body: Buffer.concat(parts).toString() });
        res.end();
      });
    });
    await new Promise((resolve) => h.receiver.listen(0, '127.0.0.1', resolve));
    h.silent = createSocket('udp4');
    await new Promise((resolve) => h.silent.bind(0, '127.0.0.3', resolve));
    h.carrier = createSocket('udp4').on('message', () => {});
    await new Promise((resolve) => h.carrier.bind(0, carrier, resolve));
    try { h.daemon = await Daemon.start({ 'sip.t1_ms': 100, ...sets }); } catch (error) {
      h.receiver.close();
      h.silent.close();
      h.carrier.close();
      throw error;
    }
    await h.daemon.must('POST', '/v1/trunks', { name: 'carrier', sources: [carrier] });
    return h;
  }

  hook(name) { return `http://127.0.0.1:${this.receiver.address().port}/${name}`; }

  async stop() {
    try {
      await this.daemon.hangUp();
      await this.daemon.stop();
    } finally {
      this.receiver.closeAllConnections();
      await new Promise((resolve) => this.receiver.close(resolve));
      this.silent.close();
      this.carrier.close();
    }
  }
}

export class Tenant {
  /** `name` stands in all that is made for it, so that a leak can be seen. */
  static async make(house, name) {
    const t = new Tenant();
    // hasty: does not wait until its events are delivered (its endpoints may be anywhere)
    Object.assign(t, { house, name, keys: {}, hasty: false });
    t.account = await house.daemon.must('POST', '/v1/accounts', { name });
    for (const [which, scopes, more] of [['all', ['*']], ['read', ['read']], ['write', ['write']], ['ingest', ['ingest']],
      ['expired', ['*'], { expires_at_ms: Date.now() - 1000 }]]) {
      const key = await house.daemon.must('POST', '/v1/keys', { name: `${name} ${which}`, scopes, account: name, ...more });
      t.keys[which] = key.key;
    }
    t.has = {}; // collection → the id of one, which nothing changes
    for (const collection of ['numbers', 'endpoints', 'keys', 'events', 'calls', 'recoveries', 'erasures', 'accounts', 'trunks', 'smpp-links', 'users', 'extensions'])
      t.has[collection] = await t.thing(collection, { lasting: true });
    return t;
  }

  /** A request with one of its keys, or with `key` itself. */
  api(key, method, where, body, headers = {}) {
    return this.house.daemon.api(method, where, body, { authorization: `Bearer ${this.keys[key] ?? key}`, ...headers });
  }

  async must(method, where, body, key = 'all') {
    const answer = await this.api(key, method, where, body);
    if (answer.status > 299) throw new Error(`${method} ${where}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  operator(method, where, body) { return this.house.daemon.must(method, where, body); }

  label() { return `${this.name}-${made++}`; }

  nextNumber() { return `+4479${String(20000000 + made++)}`; }

  /** A new one of `collection`, made for it alone; gives its id. */
  async thing(collection, { lasting = false } = {}) {
    const maker = makers[collection];
    if (!maker) throw new Error(`lib/tenants.mjs does not know how to make one of ${collection}`);
    return maker(this, lasting);
  }

  /** A valid body of an operation; undefined when it takes none. */
  body(o) {
    if (!o.body) return undefined;
    if (bodies[o.id]) return bodies[o.id](this);
    const [type, content] = Object.entries(o.body.content)[0];
    const [example] = examples(content);
    if (example === undefined) throw new Error(`lib/tenants.mjs has no body for ${o.id} (${type}), the file no example`);
    return example;
  }
}

/** The key that an operation is meant for. */
export const keyOf = (o) => (o.open ? '' : o.scope === 'operator' || o.reserved ? operator : 'all');

/** Which collection the id in an operation's path is of. */
export const collectionOf = (o) => (/\{/.test(o.path) ? o.path.split('/')[2] : undefined);

export const fill = (o, id) => o.path.replace(/\{[^}]*\}/, encodeURIComponent(id));

const newEvent = (t, more = {}) => ({ event: 'incoming_call', did_number: t.nextNumber(), caller_id: '+19175550100', ...more });

/** A call that rings: from the carrier to one of the account's numbers, whose agent does not answer. */
async function ring(t) {
  const number = await makers.numbers(t);
  const { daemon, carrier: socket } = t.house;
  const at = socket.address();
  const invite = [
    `INVITE sip:${number}@127.0.0.1 SIP/2.0`, `Via: SIP/2.0/UDP ${at.address}:${at.port};rport;branch=z9hG4bK${made}${Math.random()}`,
    'From: <sip:+19175550100@carrier.example>;tag=a', `To: <sip:${number}@127.0.0.1>`, `Call-ID: ${t.name}${Math.random()}`,
    'CSeq: 1 INVITE', `Contact: <sip:carrier@${at.address}:${at.port}>`, 'Max-Forwards: 70', 'Content-Length: 0', '', ''].join('\r\n');
  socket.send(invite, daemon.sip, '127.0.0.1');
  return until(async () => (await t.must('GET', `/v1/calls?number=${encodeURIComponent(number)}`)).data[0]?.id, { what: 'the call' });
}

const makers = {
  async numbers(t) {
    const { port } = t.house.silent.address();
    const number = t.nextNumber();
    await t.operator('POST', '/v1/numbers', { number, account: t.name, label: t.label(), forward: { targets: [
      { type: 'sip', destination: `sip:${t.name}@127.0.0.3:${port}`, ring_timeout_s: 120 }] } });
    return number;
  },
  async endpoints(t, lasting) {
    const name = t.label();
    return (await t.must('POST', '/v1/endpoints', { url: t.house.hook(name), events: lasting ? undefined : ['ping'] })).id;
  },
  async keys(t) { return (await t.must('POST', '/v1/keys', { name: t.label(), scopes: ['write'] })).id; },
  async events(t) {
    const { data: [{ id }] } = await t.must('POST', '/v1/events', newEvent(t, { id: t.label(), call_id: t.label(), caller_name: t.name }));
    if (!t.hasty) await until(async () => (await t.must('GET', `/v1/events/${id}`)).state !== 'pending', { what: `event ${id}` });
    return id;
  },
  async calls(t, lasting) {
    if (!lasting) return ring(t);
    const number = await makers.numbers(t);
    const { call_id, events } = await t.must('POST', '/v1/simulate', { kind: 'call', number, from: '+19175550100' });
    for (const id of events)
      await until(async () => (await t.must('GET', `/v1/events/${id}`)).state !== 'pending', { what: `event ${id}` });
    return call_id;
  },
  async recoveries(t) {
    const endpoint = await makers.endpoints(t);
    const { id } = await t.must('POST', `/v1/endpoints/${endpoint}/recover`, { since: '2024-01-01T00:00:00Z' });
    await until(async () => (await t.must('GET', `/v1/recoveries/${id}`)).state !== 'running', { what: `recovery ${id}` });
    return id;
  },
  async erasures(t) {
    const { id } = await t.must('DELETE', `/v1/numbers/${encodeURIComponent(await makers.numbers(t))}/data`);
    await until(async () => (await t.must('GET', `/v1/erasures/${id}`)).state !== 'running', { what: `erasure ${id}` });
    return id;
  },
  async users(t) { return (await t.must('POST', '/v1/users', bodies.usersCreate(t))).id; },
  async extensions(t) { return (await t.must('POST', '/v1/extensions', bodies.extensionsCreate(t))).id; },
  async accounts(t, lasting) { return lasting ? t.account.id : (await t.operator('POST', '/v1/accounts', { name: t.label() })).id; },
  async trunks(t) { return (await t.operator('POST', '/v1/trunks', bodies.trunksCreate(t))).id; },
  async 'smpp-links'(t) { return (await t.operator('POST', '/v1/smpp-links', bodies.smppLinksCreate(t))).id; },
};

const bodies = {
  numbersCreate: (t) => ({ number: t.nextNumber(), label: t.label(), country: 'GB', type: 'mobile' }),
  numbersChange: (t) => ({ label: t.label() }),
  forwardSet: (t) => ({ targets: [{ type: 'sip', destination: `sip:${t.label()}@example.com`, ring_timeout_s: 20 }] }),
  endpointsCreate: (t) => ({ url: t.house.hook(t.label()), format: 'json' }),
  endpointsChange: () => ({ format: 'form', timeout_ms: 2000 }),
  endpointsRecover: () => ({ since: '2024-01-01T00:00:00Z' }),
  eventsIngest: (t) => newEvent(t),
  eventsResend: (t) => ({ endpoint: t.has.endpoints }),
  ingestSms: (t) => ({ From: '+19175550100', To: t.has.numbers, Body: 'Hello', MessageSid: t.label() }),
  simulate: (t) => ({ kind: 'sms', number: t.has.numbers, from: 'ACME', message: 'Hello' }),
  trunksCreate: (t) => ({ name: t.label(), sources: [`10.${made >> 8 & 255}.${made & 255}.1`], max_calls: 10 }),
  trunksChange: () => ({ max_cps: 7 }),
  smppLinksCreate: (t) => ({ name: t.label(), mode: 'server', system_id: `id${made++}`, password: 'secret', disabled: true }),
  smppLinksChange: () => ({ window: 7 }),
  accountsCreate: (t) => ({ name: t.label() }),
  accountsChange: () => ({ retention_days: 30 }),
  usersCreate: (t) => ({ username: t.label(), password: `of ${t.label()}`, role: 'support' }),
  usersChange: (t) => ({ username: t.label() }),
  extensionsCreate: (t) => ({ username: t.label(), password: `of ${t.label()}`, label: t.label() }),
  extensionsChange: (t) => ({ label: t.label() }),
  keysChange: (t) => ({ name: t.label() }),
  keysCreate: (t) => ({ name: t.label(), scopes: ['write'] }),
};
