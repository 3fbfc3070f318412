// Another PBX that posts events over HTTP as fast as it is let, and the customers' receivers; both keep a log of
// their own. What is compared in the end are these logs, never the daemon's store.
//
// A sender makes calls of three events with ids of its own, one request after the other or several in one, and
// repeats what was not accepted, as it is. So the order in which a call's events came to be is known to it.
import http from 'node:http';
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from './until.mjs';
import { key } from './daemon.mjs';

const REPEAT_MS = 20;

export class Receivers {
  /** `n` endpoints of one server. `status(path)`: what to answer; `close`: after each answer. */
  static async start(n, { status = () => 200, close = false } = {}) {
    const r = new Receivers();
    r.paths = Array.from({ length: n }, (_, i) => `/r${i}`);
    r.calls = new Map(r.paths.map((p) => [p, new Map()])); // path → call_id → [{ id, text, sequence }]
    r.ids = new Map(r.paths.map((p) => [p, new Map()]));   // path → id → text, of what was taken
    r.status = status;
    r.duplicates = 0;
    r.taken = 0;
    r.wrong = [];
    r.server = http.createServer((req, res) => {
      let text = '';
      req.setEncoding('utf8');
      req.on('data', (s) => { text += s; });
      req.on('end', () => {
        const status = r.status(req.url);
        if (status < 300) r.take(req.url, req.headers['webhook-id'], text);
        res.writeHead(status, { 'content-length': 0, ...(close ? { connection: 'close' } : {}) }).end();
      });
    });
    r.server.keepAliveTimeout = 60000;
    await new Promise((resolve) => { r.server.listen(0, '127.0.0.1', resolve); });
    r.url = `http://127.0.0.1:${r.server.address().port}`;
    return r;
  }

  take(path, id, text) {
    const ids = this.ids.get(path);
    const before = ids.get(id);
    if (before !== undefined) {
      this.duplicates++;
      if (before !== text) this.wrong.push(`${path} ${id}: ${before} then ${text}`);
      return;
    }
    ids.set(id, text);
    this.taken++;
    const body = JSON.parse(text);
    if (body.id !== id) this.wrong.push(`${path}: header ${id}, body ${body.id}`);
    const calls = this.calls.get(path);
    if (!calls.has(body.call_id)) calls.set(body.call_id, []);
    calls.get(body.call_id).push({ id, sequence: body.sequence });
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
  }
}

export class Senders {
  constructor(daemon, { workers = 6, numbers, padding = 0 }) {
    Object.assign(this, { daemon, numbers, workers, padding, next: 0, accepted: 0, acceptedAt: 0 });
    this.calls = new Map();    // call_id → { number, ids: [accepted, in order] }
    this.answers = new Map();  // status or error code → how often
    this.refused = []; // must stay empty: there is nothing wrong with what we send
    this.run = Math.random().toString(36).slice(2, 8);
    this.agent = new http.Agent({ keepAlive: true, maxSockets: workers });
  }

  start() {
    this.stopping = false;
    this.done = Promise.all(Array.from({ length: this.workers }, (_, i) => this.work(i)));
    return this;
  }

  /** After what is on its way has been answered. */
  async stop() {
    this.stopping = true;
    await this.done;
    this.agent.destroy();
  }

  count(...names) {
    return names.reduce((n, name) => n + (this.answers.get(name) ?? 0), 0);
  }

  makeCall() {
    const number = this.numbers[this.next % this.numbers.length];
    const call_id = `c-${this.run}-${this.next++}`;
    const base = { did_number: number, caller_id: '+19175550100', call_id };
    const more = this.padding ? { caller_name: 'x'.repeat(this.padding) } : {};
    return [
      { event: 'incoming_call', id: `${call_id}-1`, ...base, ...more },
      { event: 'call_answered', id: `${call_id}-2`, ...base, ...more, destination: 'sip:100@pbx' },
      { event: 'call_ended', id: `${call_id}-3`, ...base, ...more, duration_sec: 3 },
    ];
  }

  async work(i) {
    for (let round = 0; !this.stopping; round++) {
      const style = (round + i) % 3;
      if (style === 0) {
        for (const event of this.makeCall()) if (!await this.post([event], event)) return;
      } else if (style === 1) {
        const all = this.makeCall();
        if (!await this.post(all)) return;
      } else { // several calls in one request, interleaved
        const calls = Array.from({ length: 8 }, () => this.makeCall());
        const all = [0, 1, 2].flatMap((k) => calls.map((c) => c[k]));
        if (!await this.post(all)) return;
      }
    }
  }

  /** Until it is accepted (true), or the senders stop (false: then nobody counts on it). */
  async post(events, body = events) {
    const text = JSON.stringify(body);
    for (;;) {
      const status = await this.request(text);
      this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
      this.onAnswer?.(status);
      if (status === 202) {
        this.accepted += events.length;
        this.acceptedAt = Date.now();
        for (const e of events) {
          if (!this.calls.has(e.call_id)) this.calls.set(e.call_id, { number: e.did_number, ids: [] });
          this.calls.get(e.call_id).ids.push(e.id);
        }
        return true;
      }
      if (this.stopping) return false;
      if (status >= 400 && status < 500) this.refused.push({ status, text });
      await pause(REPEAT_MS);
    }
  }

  request(text) {
    return new Promise((resolve) => {
      const req = http.request(`${this.daemon.url}/v1/events`, { method: 'POST', agent: this.agent, headers: {
        authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } },
      (res) => {
        res.resume();
        res.on('end', () => resolve(res.statusCode));
        res.on('error', (error) => resolve(error.code));
      });
      req.on('error', (error) => resolve(error.code));
      req.end(text);
    });
  }

  /** Waits until events are accepted again, `n` of them from now. */
  async moreAccepted(n = 1, timeout = 20000) {
    const from = this.accepted;
    await until(() => this.accepted >= from + n, { what: `${n} events to be accepted`, timeout, every: 1 });
  }
}

/** Numbers, and endpoints that want all of them. */
export async function furnish(daemon, receivers, numbers = 4) {
  const list = Array.from({ length: numbers }, (_, i) => `+4479112${String(10000 + i)}`);
  for (const number of list) await daemon.must('POST', '/v1/numbers', { number, label: 'load' });
  for (const path of receivers.paths)
    await daemon.must('POST', '/v1/endpoints', { url: receivers.url + path, format: 'json', numbers: '*',
      concurrency: 64, retry: { schedule_s: [1], give_up_after_s: 3600 } });
  return list;
}

/** All that was accepted came to every endpoint, each call's events in order, counted without a gap. */
export async function settled(senders, receivers, { timeout = 20000 } = {}) {
  const missing = () => {
    for (const [path, ids] of receivers.ids)
      for (const [, call] of senders.calls)
        for (const id of call.ids) if (!ids.has(id)) return `${id} at ${path}`;
    return '';
  };
  let what = '';
  await until(() => (what = missing()) === '', { what: 'all that was accepted to be delivered', timeout, every: 100 })
    .catch((error) => { throw new Error(`${error.message}; missing: ${what}`); });
  assert.deepEqual(receivers.wrong, []);
  assert.deepEqual(senders.refused, []);
  for (const [path, calls] of receivers.calls)
    for (const [call_id, events] of calls) {
      const came = events.map((e) => e.id);
      assert.deepEqual(came, [1, 2, 3].slice(0, came.length).map((k) => `${call_id}-${k}`), `in order at ${path} ${JSON.stringify(events)}`);
      assert.deepEqual(events.map((e) => e.sequence), [1, 2, 3].slice(0, came.length), `counted at ${path}`);
    }
  return { events: senders.accepted, calls: senders.calls.size, deliveries: receivers.taken, duplicates: receivers.duplicates };
}
