// Behind a reverse proxy: the client of a request is the one that a trusted proxy names, and no other. Proxies are local addresses
// here; a real nginx with the how-to's configuration is in nginx.test.mjs.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { Agent, request } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Daemon, binary, key } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

const proxy = '127.0.0.8', second = '127.0.0.9', stranger = '127.0.0.10';

let d;
before(async () => { d = await Daemon.start({ 'http.trusted_proxies': `${proxy},${second}/32`, 'http.connections_per_address': 3,
  'http.stream_heartbeat_ms': 500 }); });
after(async () => { await d?.stop(); });

/** One request from a local address, with the headers as they stand (an array value is several lines). */
const ask = (at, from, method, path, body, headers = {}, agent = false) => new Promise((resolve, reject) => {
  const r = request({ host: '127.0.0.1', port: at.http, localAddress: from, method, path, agent,
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers } }, (res) => {
    let text = '';
    res.setEncoding('utf8').on('data', (s) => { text += s; }).on('end', () =>
      resolve({ status: res.statusCode, headers: res.headers, text, json: JSON.parse(text) }));
  });
  r.on('error', reject).end(body && JSON.stringify(body));
});

let n = 0;
/** Which address the audit log says a change came from. */
async function noted(at, from, headers) {
  const { json } = await ask(at, from, 'POST', '/v1/accounts', { name: `a${n++}` }, headers);
  const { json: { data } } = await ask(at, from, 'GET', `/v1/audit?id=${json.id}`, undefined, {});
  return data[0].address;
}

test('the audit log names the client that a trusted proxy names', async () => {
  for (const [from, header, due] of [
    [proxy, '203.0.113.9', '203.0.113.9'],
    [proxy, '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    [proxy, `203.0.113.9, ${second}`, '203.0.113.9'],
    [proxy, ['198.51.100.1', '203.0.113.9'], '203.0.113.9'],
    [proxy, '[2001:db8::9]:4711', '2001:db8::9'],
    [proxy, undefined, proxy],
    [proxy, 'unknown', proxy],
    [proxy, '203.0.113.9, <script>alert(1)</script>', proxy],
    [proxy, `${'1.2.3.4,'.repeat(2000)}203.0.113.9`, '203.0.113.9'],
    [second, `203.0.113.9, unknown, ${proxy}`, proxy],
    [stranger, '203.0.113.9', stranger],
    [stranger, `203.0.113.9, ${proxy}`, stranger]])
    assert.equal(await noted(d, from, header ? { 'x-forwarded-for': header } : {}), due, `${from}: ${String(header).slice(0, 80)}`);
  assert.equal(await noted(d, proxy, { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=198.51.100.1' }), '203.0.113.9', 'one header is read');
  assert.equal(await noted(d, proxy, { forwarded: 'for=198.51.100.1' }), proxy);
});

test('with Forwarded it is that header, and no other', async (t) => {
  const f = await Daemon.start({ 'http.trusted_proxies': proxy, 'http.proxy_header': 'forwarded' });
  t.after(() => f.stop());
  assert.equal(await noted(f, proxy, { forwarded: 'for=198.51.100.1;proto=https, for="[2001:db8::9]:80"', 'x-forwarded-for': '203.0.113.9' }), '2001:db8::9');
  assert.equal(await noted(f, proxy, { forwarded: 'for="198.51.100.1, for=203.0.113.9' }), proxy);
  assert.equal(await noted(f, proxy, { 'x-forwarded-for': '203.0.113.9' }), proxy);
  assert.equal(await noted(f, stranger, { forwarded: 'for=203.0.113.9' }), stranger);
});

test('guessing is slowed down by client, not by proxy', async () => {
  let name = 0;
  const guess = (from, client) => ask(d, from, 'POST', '/api/login', { username: `nobody${name++}`, password: 'a wrong one' },
    { 'x-forwarded-for': client });
  /** How many are answered until he is told to wait for `wait` s: the waits double, so this ends. */
  const guessUntil = async (wait, from, clientOf) => {
    for (let i = 0, taken = 0; ; i++) {
      const { status, headers } = await guess(from, clientOf(i));
      if (status === 429 && headers['retry-after'] >= wait) return taken;
      assert.ok([401, 429].includes(status) && taken < 40, `${status} after ${taken}`);
      taken += status === 401;
    }
  };
  assert.ok(await guessUntil(4, proxy, () => '203.0.113.66') > 30);
  assert.equal((await guess(second, '203.0.113.66')).status, 429, 'whichever proxy he comes by');
  assert.equal((await guess(proxy, `203.0.113.66, ${second}`)).status, 429);
  assert.equal((await guess(proxy, '203.0.113.67')).status, 401);
  // A stranger changes nothing by saying to be another each time.
  assert.ok(await guessUntil(1, stranger, (i) => `198.51.100.${i}`) >= 30);
});

/** A connection that stays open; resolves to whether the daemon kept it. */
const hold = (from) => new Promise((resolve) => {
  const socket = connect({ host: '127.0.0.1', port: d.http, localAddress: from });
  socket.on('error', () => {}).on('close', () => resolve({ socket, kept: false }))
    .on('data', () => resolve({ socket, kept: true }));
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
});

test('connections are counted by address; a trusted proxy\'s are not', async () => {
  const held = [];
  try {
    for (let i = 0; i < 3; i++) held.push(await hold(stranger));
    assert.deepEqual(held.map((h) => h.kept), [true, true, true]);
    assert.equal((await hold(stranger)).kept, false);
    const other = await hold('127.0.0.11');
    held.push(other);
    assert.equal(other.kept, true, 'another address has its own');
    for (let i = 0; i < 12; i++) held.push(await hold(proxy));
    assert.ok(held.slice(4).every((h) => h.kept), 'a proxy has as many as it wants');
  } finally { for (const h of held) h.socket.destroy(); }
  await until(async () => { const h = await hold(stranger); h.socket.destroy(); return h.kept; }, { what: 'its places to be free again' });
});

test('behind a proxy a client is counted by what it has in hand', async () => {
  const agent = new Agent({ keepAlive: true });
  const streams = [];
  const open = (client) => new Promise((resolve, reject) => {
    const r = request({ host: '127.0.0.1', port: d.http, localAddress: proxy, path: '/v1/events/stream', agent: false,
      headers: { authorization: `Bearer ${key}`, 'x-forwarded-for': client } }, (res) => { streams.push(r); res.resume(); resolve(res.statusCode); });
    r.on('error', reject).end();
  });
  try {
    for (let i = 0; i < 3; i++) assert.equal(await open('203.0.113.9'), 200);
    const refused = await ask(d, proxy, 'GET', '/v1/numbers', undefined, { 'x-forwarded-for': '203.0.113.9' }, agent);
    assert.deepEqual([refused.status, refused.json.code, refused.headers['retry-after']], [429, 'too_many_connections', '1']);
    const form = await ask(d, proxy, 'POST', '/api/did/list', { token: key }, { 'x-forwarded-for': '203.0.113.9' }, agent);
    assert.deepEqual([form.status, form.json.status, form.json.code], [429, false, 'too_many_connections']);
    const other = await ask(d, proxy, 'GET', '/v1/numbers', undefined, { 'x-forwarded-for': '203.0.113.10' }, agent);
    assert.equal(other.status, 200, 'on the same connection, for somebody else');
    assert.equal((await ask(d, proxy, 'GET', '/v1/numbers')).status, 200, 'and for the proxy itself');
  } finally {
    for (const r of streams) r.on('error', () => {}).destroy();
    agent.destroy();
  }
  await until(async () => (await ask(d, proxy, 'GET', '/v1/numbers', undefined, { 'x-forwarded-for': '203.0.113.9' })).status === 200,
    { what: 'its places to be free again' });
});

test('settings that cannot be are refused at the start', () => {
  for (const [set, why] of [['http.trusted_proxies=localhost', /trusted_proxies: not a list/], ['http.trusted_proxies=0.0.0.0/0', /\/0 everybody/],
    ['http.proxy_header=X-Real-IP', /proxy_header: X-Forwarded-For or Forwarded/]]) {
    const { status, stderr } = spawnSync(binary, ['serve', '--set', `data_dir=${d.dir}/none`, '--set', 'http.listen=127.0.0.1:0', '--set', set],
      { encoding: 'utf8', timeout: 20000 });
    assert.notEqual(status, 0);
    assert.match(stderr, why);
  }
});

test('SIGHUP takes other proxies and another rate, and the connections stay', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-'));
  const write = (proxies, rate) => {
    writeFileSync(path.join(dir, 'proxies'), proxies);
    writeFileSync(path.join(dir, 'rate'), `${rate}`);
  };
  write(proxy, 0);
  const at = await Daemon.start({}, { env: { HOOKSWITCH_HTTP_TRUSTED_PROXIES_FILE: path.join(dir, 'proxies'),
    HOOKSWITCH_HTTP_RATE_PER_SEC_FILE: path.join(dir, 'rate') } });
  t.after(async () => { await at.stop(); rmSync(dir, { recursive: true, force: true }); });
  const agent = new Agent({ keepAlive: true });
  assert.equal((await ask(at, second, 'GET', '/v1/numbers', undefined, {}, agent)).headers['ratelimit-limit'], undefined);
  assert.equal(await noted(at, second, { 'x-forwarded-for': '203.0.113.9' }), second);
  write(second, 50);
  at.process.kill('SIGHUP');
  await until(() => at.log.includes('read again'), { what: 'the configuration to be read again' });
  assert.equal(await noted(at, second, { 'x-forwarded-for': '203.0.113.9' }), '203.0.113.9');
  const limited = await ask(at, second, 'GET', '/v1/numbers', undefined, {}, agent);
  assert.equal(limited.headers['ratelimit-limit'], '50');
  write('nobody', 50);
  at.process.kill('SIGHUP');
  await until(() => at.log.includes('http.trusted_proxies: not a list of addresses and CIDRs: it stays as it was'), { what: 'the refusal' });
  assert.equal(await noted(at, second, { 'x-forwarded-for': '203.0.113.9' }), '203.0.113.9');
  agent.destroy();
});
