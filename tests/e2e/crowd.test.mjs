// Hundreds of connections ask at the same moment, again and again, on a machine that is busy with other things. Each has its
// answer within two seconds, whether it is given at once, after a commit, or in a stream.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
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
      kept.socket.on('close', () => { kept.closed = true; kept.waits?.({ status: 'closed', ms: 0 }); });
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
      if (this.closed) resolve({ status: 'closed', ms: 0 });
      setTimeout(() => resolve({ status: 'none', ms: Infinity }), 4 * limitMs).unref();
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

const isStopped = (pid) => readdirSync(`/proc/${pid}/task`).every((task) =>
  /^State:\tT/m.test(readFileSync(`/proc/${pid}/task/${task}/status`, 'latin1')));

/** One after another, so that no burst of connects is measured. */
async function many(n, open) {
  const list = [];
  for (let i = 0; i < n; i++) list.push(await open(i));
  return list;
}

/** Does `step` and looks at its answers. A request that is forgotten has none however long one waits; a machine that has much else to do
 * may be late once, so that a step with late answers is done again, twice at most. Gives the longest wait. */
async function inTime(what, wanted, step) {
  for (let turn = 1; ; turn++) {
    const answers = await step(turn);
    const late = answers.filter((a) => a.ms > limitMs), none = answers.filter((a) => a.status === 'none');
    assert.equal(none.length, 0, `${what}: ${none.length} of ${answers.length} have no answer after ${4 * limitMs} ms`);
    assert.deepEqual([...new Set(answers.map((a) => a.status))], [wanted], what);
    if (!late.length) return Math.max(...answers.map((a) => a.ms));
    assert.ok(turn < 3, `${what}: ${late.length} of ${answers.length} were late three times in a row`);
  }
}

const event = (id) => JSON.stringify({ event: 'incoming_call', did_number: '+447911123456', caller_id: 'unknown', id });

for (const threads of [1, 2])
  test(`a crowd that asks at once is answered, ${threads} thread(s) (CROWD_SEED=${seed})`, { timeout: 300000 }, async (t) => {
    const draw = numbers(seed + threads);
    const daemon = await Daemon.start({ 'sip.listen': '', 'http.threads': threads });
    const others = busy();
    t.after(async () => {
      for (const o of others) o.kill('SIGKILL');
      await daemon.stop();
    });
    const crowd = await many(draw(200, 500), async () => {
      const kept = await Kept.open(daemon.http, '127.0.0.1');
      await inTime('one alone', 200, async () => [await kept.ask('GET', '/healthz')]);
      return kept;
    });
    const readers = await many(draw(20, 60), () => Reader.open(daemon.http));
    let longest = 0;
    const step = async (...args) => { longest = Math.max(longest, await inTime(...args)); };
    for (let round = 0; round < rounds; round++) {
      const now = crowd.slice(0, draw(150, crowd.length));
      await step(`round ${round}, all of them`, 200, () => Promise.all(crowd.map((c) => c.ask('GET', '/healthz'))));
      // The daemon has no core for a moment, and then all is there at once. A loop takes so many events at a time, 128 mostly: exactly as
      // many are as good a number as any.
      for (let k = 0; k < 10; k++) {
        const n = [128, 256, draw(100, 200), draw(100, crowd.length), now.length][draw(0, 4)];
        await step(`round ${round}, ${n} answered at once`, 200, async () => {
          daemon.process.kill('SIGSTOP');
          await until(() => isStopped(daemon.process.pid), { what: 'the daemon to stand still' });
          const answers = crowd.slice(0, n).map((c) => c.ask('GET', '/healthz'));
          daemon.process.kill('SIGCONT');
          return Promise.all(answers);
        });
      }
      await step(`round ${round}, answered after the commit`, 202, (turn) =>
        Promise.all(now.map((c, i) => c.ask('POST', '/v1/events', event(`alone-${round}-${turn}-${i}`)))));
      await step(`round ${round}, in streams`, 202, async (turn) => {
        const ids = now.map((_, i) => `crowd-${round}-${turn}-${i}`);
        const since = Date.now();
        const answers = await Promise.all(now.map((c, i) => c.ask('POST', '/v1/events', event(ids[i]))));
        const all = (r) => ids.every((id) => r.seen.has(id));
        await until(() => readers.every(all), { what: 'the streams', timeout: 4 * limitMs }).catch(() => {});
        return answers.concat(readers.map((r) => (all(r) ? { status: 202, ms: Math.max(...ids.map((id) => r.seen.get(id))) - since }
          : { status: 'none', ms: Infinity })));
      });
      // Each asks again when it has its answer, in a rhythm of its own.
      await step(`round ${round}, one request after another`, 202, (turn) => Promise.all(now.map(async (c, i) => {
        let worst = { status: 202, ms: 0 };
        for (let k = 0; k < 3 && worst.status === 202; k++) {
          const answer = await c.ask('POST', '/v1/events', event(`again-${round}-${turn}-${i}-${k}`));
          if (answer.status !== 202 || answer.ms > worst.ms) worst = answer;
        }
        return worst;
      })));
    }
    for (const c of [...crowd, ...readers]) c.socket.destroy();
    t.diagnostic(`${crowd.length} connections, ${readers.length} streams, ${rounds} rounds: the longest wait was ${longest} ms`);
  });
