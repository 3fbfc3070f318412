// Hundreds of connections that are kept and ask at the same moment, again and again, on a machine that is busy with other things: each
// has its answer within two seconds, whether it is given at once, after a commit, or in a stream.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import { Daemon, key } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

const seed = Number(process.env.CROWD_SEED ?? (Math.random() * 2 ** 31 | 0));
const rounds = Number(process.env.CROWD_ROUNDS ?? 12);
const limitMs = 2000;

/** The same numbers for the same seed (mulberry32). */
function numbers(state) {
  return (from, to) => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return from + ((t ^ t >>> 14) >>> 0) % (to - from + 1);
  };
}

/** A connection with a socket of its own; `ask` resolves with the status and how long that took. */
class Kept {
  static open(port, host) {
    return new Promise((resolve, reject) => {
      const kept = new Kept();
      kept.socket = connect({ port, host, noDelay: true }, () => resolve(kept));
      kept.socket.setEncoding('latin1').on('error', reject).on('data', (text) => kept.take(text));
      kept.socket.on('close', () => kept.waits?.({ status: 0, ms: Infinity }));
      kept.got = '';
    });
  }

  take(text) {
    this.got += text;
    const end = this.got.indexOf('\r\n\r\n');
    if (end < 0 || !this.waits) return;
    const length = Number(/content-length: (\d+)/i.exec(this.got)?.[1] ?? 0);
    if (this.got.length < end + 4 + length) return;
    const { waits, since } = this;
    const status = Number(this.got.split(' ')[1]);
    this.got = this.got.slice(end + 4 + length);
    this.waits = undefined;
    waits({ status, ms: Date.now() - since });
  }

  ask(method, path, body = '') {
    this.since = Date.now();
    const answer = new Promise((resolve) => {
      this.waits = resolve;
      setTimeout(() => resolve({ status: 0, ms: Infinity }), 4 * limitMs).unref();
    });
    this.socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    return answer;
  }
}

/** A reader of the stream, which knows when it saw which event. */
class Reader {
  static open(port) {
    return new Promise((resolve, reject) => {
      const reader = new Reader();
      reader.seen = new Map();
      reader.rest = '';
      reader.socket = connect(port, '127.0.0.1', () => reader.socket.write(
        `GET /v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`));
      reader.socket.setEncoding('latin1').on('error', reject).on('data', (text) => {
        if (!reader.rest && !reader.seen.size) resolve(reader);
        reader.rest += text;
        for (const [, id] of reader.rest.matchAll(/"id":"(crowd-[\d-]+)"/g)) if (!reader.seen.has(id)) reader.seen.set(id, Date.now());
        reader.rest = reader.rest.slice(-400);
      });
    });
  }
}

const busy = () => Array.from({ length: availableParallelism() }, () =>
  spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));

/** One after another, so that no burst of connects is measured. */
async function many(n, open) {
  const list = [];
  for (let i = 0; i < n; i++) list.push(await open(i));
  return list;
}

function judge(answers, wanted, what) {
  const late = answers.filter((a) => a.ms > limitMs);
  assert.equal(late.length, 0, `${what}: ${late.length} of ${answers.length} have no answer after ${limitMs} ms`);
  assert.deepEqual([...new Set(answers.map((a) => a.status))], [wanted], what);
  return Math.max(...answers.map((a) => a.ms));
}

for (const threads of [1, 2])
  test(`a crowd that asks at once is answered, ${threads} thread(s) (CROWD_SEED=${seed})`, { timeout: 300000 }, async (t) => {
    const draw = numbers(seed + threads);
    const daemon = await Daemon.start({ 'sip.listen': '', 'http.threads': threads });
    const others = busy();
    t.after(async () => {
      for (const o of others) o.kill('SIGKILL');
      await daemon.stop();
    });
    let longest = 0;
    const crowd = await many(draw(200, 500), () => Kept.open(daemon.http, '127.0.0.1'));
    const readers = await many(draw(20, 60), () => Reader.open(daemon.http));
    for (let round = 0; round < rounds; round++) {
      const now = crowd.slice(0, draw(150, crowd.length));
      for (let k = 0; k < 10; k++) {
        const plain = await Promise.all(now.map((c) => c.ask('GET', '/healthz')));
        longest = Math.max(longest, judge(plain, 200, `round ${round}, answered at once`));
      }
      const event = (i) => JSON.stringify({ event: 'incoming_call', did_number: '+447911123456', caller_id: 'unknown', id: `crowd-${round}-${i}` });
      const due = Date.now();
      const stored = await Promise.all(now.map((c, i) => c.ask('POST', '/v1/events', event(i))));
      longest = Math.max(longest, judge(stored, 202, `round ${round}, answered after the commit`));
      const all = (r) => now.every((_, i) => r.seen.has(`crowd-${round}-${i}`));
      await until(() => readers.every(all), { what: 'the streams', timeout: 4 * limitMs }).catch(() => {});
      const last = readers.map((r) => ({ status: 200, ms: all(r) ? Math.max(...now.map((_, i) => r.seen.get(`crowd-${round}-${i}`))) - due : Infinity }));
      longest = Math.max(longest, judge(last, 200, `round ${round}, in streams`));
      // Some go on at once, in turns of their own, until all have asked three times more.
      const again = await Promise.all(now.map(async (c, i) => {
        let worst = { status: 202, ms: 0 };
        for (let k = 0; k < 3; k++) {
          const a = await c.ask('POST', '/v1/events', JSON.stringify({ event: 'incoming_call', did_number: '+447911123456', caller_id: 'unknown', id: `again-${round}-${i}-${k}` }));
          if (a.status !== 202 || a.ms > worst.ms) worst = a;
          if (a.status !== 202) break;
        }
        return worst;
      }));
      longest = Math.max(longest, judge(again, 202, `round ${round}, one request after another`));
    }
    for (const c of [...crowd, ...readers]) c.socket.destroy();
    t.diagnostic(`${crowd.length} connections, ${readers.length} streams, ${rounds} rounds: the longest wait was ${longest} ms`);
  });
