// Hostile receivers: each attempt ends in time, says in the log how, reads no more than it may, leaves no descriptor
// behind, and nobody else waits for it.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { createSocket } from 'node:dgram';
import { Daemon, freePort } from './lib/daemon.mjs';
import { Receiver } from './lib/receiver.mjs';
import { Authority } from './lib/certificates.mjs';
import { Hostile, ways } from './lib/hostile.mjs';
import { descriptors, endpoint, metric, ping } from './lib/pings.mjs';
import { until } from './lib/until.mjs';

const TIMEOUT = 1500;
const READ_MAX = (16 + 64) * 1024; // head and body
const received = 'hookswitch_http_client_received_bytes_total';
let daemon, healthy, ca;
const stop = [];
before(async () => {
  ca = new Authority();
  daemon = await Daemon.start({ 'deliver.timeout_ms': TIMEOUT, 'http_client.ca_file': ca.path });
  healthy = await Receiver.start();
});
after(async () => {
  for (const s of stop) await s.stop();
  await daemon?.stop();
  await healthy?.stop();
  ca.remove();
});

/** Pings a healthy receiver all the while; gives how long its slowest delivery took. */
async function beside(name, work) {
  const where = `/beside/${encodeURIComponent(name)}`;
  const e = await daemon.must('POST', '/v1/endpoints', healthy.endpoint(where, { numbers: [] }));
  healthy.expect(where, e);
  let busy = true;
  const lane = (async () => {
    let slowest = 0;
    do slowest = Math.max(slowest, (await ping(daemon, e)).attempt.duration_ms); while (busy);
    return slowest;
  })();
  try { await work(); } finally { busy = false; }
  return lane;
}

async function judge(h, way, { timeout = TIMEOUT } = {}) {
  const e = await endpoint(daemon, h.url);
  const { attempt } = await ping(daemon, e);
  if (way.err) assert.match(attempt.error ?? `status ${attempt.status}`, way.err);
  if (way.status) {
    assert.equal(attempt.status, way.status);
    assert.ok(!attempt.error, attempt.error);
  }
  assert.ok(attempt.duration_ms <= timeout + 500, `${attempt.duration_ms} ms`);
  return attempt;
}

test('each way to misbehave ends in time, is bounded, and is told in the log', async (t) => {
  await ping(daemon, await endpoint(daemon, `${healthy.url}/warm`)); // what is opened once is open
  for (const [name, way] of Object.entries(ways))
    await t.test(name, async () => {
      const h = await Hostile.start(way);
      stop.push(h);
      const before = await metric(daemon, received);
      await judge(h, way);
      const read = (await metric(daemon, received)) - before;
      assert.ok(read <= (way.most ?? READ_MAX), `${read} bytes were read`);
    });
});

test('all of them at once: nobody beside them waits, and no descriptor stays', async () => {
  const before = descriptors(daemon);
  const all = await Promise.all(Object.values(ways).map(async (way) => [await Hostile.start(way), way]));
  stop.push(...all.map(([h]) => h));
  const slowest = await beside('all', () => Promise.all(all.map(([h, way]) => judge(h, way))));
  assert.ok(slowest < TIMEOUT, `a healthy receiver's delivery took ${slowest} ms: it waited for one that hangs`);
  await until(() => descriptors(daemon) <= before + 2, { what: `descriptors to be ${before} again (${descriptors(daemon)})` });
});

test('a reset right behind the bytes before it is seen at once, however the two arrive', async () => {
  const resets = ['a reset within the head', 'a reset within the body', 'a reset after the request'].map((name) => ways[name]);
  for (let round = 0; round < 10; round++) {
    const all = await Promise.all(resets.map(async (way) => [await Hostile.start(way), way]));
    stop.push(...all.map(([h]) => h));
    await Promise.all(all.map(async ([h, way]) => {
      const { duration_ms } = await judge(h, way);
      assert.ok(duration_ms < TIMEOUT, `${duration_ms} ms`);
    }));
  }
});

test('the default timeout: 15 s for one that says nothing, one that trickles, and for both URLs together', async () => {
  const d = await Daemon.start();
  try {
    const [silent, slow, deaf] = await Promise.all(['says nothing', 'a byte of the head each second', 'says nothing']
      .map((name) => Hostile.start(ways[name])));
    stop.push(silent, slow, deaf);
    const attempts = await Promise.all([
      ping(d, await endpoint(d, silent.url)), ping(d, await endpoint(d, slow.url)),
      ping(d, await endpoint(d, silent.url, { fallback_url: deaf.url }))]);
    for (const { attempt } of attempts) {
      assert.match(attempt.error, /in time/);
      assert.ok(attempt.duration_ms >= 14500 && attempt.duration_ms <= 15500, `${attempt.duration_ms} ms`);
    }
    assert.equal(deaf.requests, 1);
  } finally { await d.stop(); }
});

test('the fallback URL has what is left of the one timeout', async () => {
  const silent = await Hostile.start(ways['says nothing']);
  stop.push(silent);
  const where = '/second';
  const e = await endpoint(daemon, silent.url, { fallback_url: healthy.url + where });
  healthy.expect(where, e);
  const { attempt } = await ping(daemon, e);
  assert.equal(attempt.status, 200);
  assert.ok(attempt.duration_ms >= TIMEOUT / 2 - 50 && attempt.duration_ms < TIMEOUT, `${attempt.duration_ms} ms`);
  const closed = await endpoint(daemon, `http://127.0.0.1:${await freePort()}/`, { fallback_url: healthy.url + where });
  healthy.expect(where, closed);
  const quick = (await ping(daemon, closed)).attempt;
  assert.equal(quick.status, 200);
  assert.ok(quick.duration_ms < TIMEOUT / 2, `${quick.duration_ms} ms`);
});

test('name servers: one that says nothing, one that talks nonsense, one that knows no such name', async () => {
  const answers = {
    'not resolved in time': () => null,
    'not resolved in time|could not be resolved': () => Buffer.from('nonsense'),
    'could not be resolved': (q) => { const a = Buffer.from(q); a.writeUInt16BE(0x8183, 2); return a; },
  };
  for (const [error, say] of Object.entries(answers)) {
    const dns = createSocket('udp4', (q, from) => { const a = say(q); if (a) dns.send(a, from.port, from.address); });
    await new Promise((resolve) => dns.bind(0, '127.0.0.1', resolve));
    const d = await Daemon.start({ 'deliver.timeout_ms': TIMEOUT, 'http_client.dns_servers': `127.0.0.1:${dns.address().port}` });
    try {
      const { attempt } = await ping(d, await endpoint(d, 'http://hook.example/'));
      assert.match(attempt.error, new RegExp(error));
      assert.ok(attempt.duration_ms <= TIMEOUT + 500, `${attempt.duration_ms} ms`);
    } finally {
      await d.stop();
      dns.close();
    }
  }
});

test('TLS faults: expired, not yet valid, another\'s name, self-signed, old versions, no TLS, a stalled handshake', async (t) => {
  const good = ca.issue('good');
  const answer = { does: (s) => s.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n') };
  const day = 86400e3;
  const legacy = { ...good, minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' };
  const faults = {
    'none': [good, null],
    'expired': [ca.issue('old', undefined, { from: Date.now() - 2 * day, until: Date.now() - day }), /expired/],
    'not yet valid': [ca.issue('new', undefined, { from: Date.now() + day, until: Date.now() + 2 * day }), /not yet valid/],
    'another\'s name': [ca.issue('name', 'DNS:elsewhere.example,IP:192.0.2.1'), /mismatch/],
    'self-signed': [ca.issue('self', undefined, { selfSigned: true }), /self.signed/],
    'TLS 1.0 only': [{ ...legacy, maxVersion: 'TLSv1' }, /version|unsupported/],
    'TLS 1.1 only': [{ ...legacy, maxVersion: 'TLSv1.1' }, /version|unsupported/],
  };
  for (const [name, [options, error]] of Object.entries(faults))
    await t.test(name, async () => {
      const h = await Hostile.start(answer, { tls: options });
      stop.push(h);
      await judge(h, error ? { err: error } : { status: 200 });
      assert.equal(h.requests, error ? 0 : 1);
    });
  const raw = {
    'not TLS at all': [(s) => s.end('HTTP/1.1 400 Bad Request\r\n\r\n'), /wrong version number/],
    'a stalled handshake': [() => {}, /in time|timed out/],
    'garbage for a handshake': [(s) => s.write('\x16\x03\x03\xff\xff' + 'x'.repeat(70000)), /./],
    'a reset in the handshake': [(s) => s.resetAndDestroy(), /closed the connection/],
    'a close in the handshake': [(s) => s.end(), /closed/],
    'handshake records without end': [(s) => {
      const hello = Buffer.from('160303000400000000', 'hex'); // HelloRequest, again and again
      const more = () => { while (!s.destroyed) if (!s.write(hello)) { s.once('drain', more); return; } };
      more();
    }, /./],
  };
  for (const [name, [does, error]] of Object.entries(raw))
    await t.test(name, async () => {
      const sockets = new Set();
      const server = net.createServer((s) => {
        sockets.add(s);
        s.on('error', () => {}).once('data', () => does(s));
      });
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      stop.push({ stop: () => { for (const s of sockets) s.destroy(); server.close(); } });
      const { attempt } = await ping(daemon, await endpoint(daemon, `https://127.0.0.1:${server.address().port}/`));
      assert.equal(attempt.status, null);
      assert.match(attempt.error, error);
      assert.ok(attempt.duration_ms <= TIMEOUT + 500, `${attempt.duration_ms} ms`);
    });
});
