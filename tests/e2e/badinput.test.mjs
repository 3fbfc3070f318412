// The answers to bad input, from outside, as CONTRACT's table has them.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { Rig, carrier } from './lib/rig.mjs';
import { freePort } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

let rig;
before(async () => { rig = await Rig.start(); });
after(async () => { await rig?.stop(); });

const request = (method, number, { more = '', cseq = method, callId = Math.random() } = {}) => [
  `${method} sip:${number}@127.0.0.1 SIP/2.0`, 'Via: SIP/2.0/UDP 127.0.0.9:5060;rport;branch=z9hG4bK' + Math.random(),
  'From: <sip:+19175550100@carrier.example>;tag=a', `To: <sip:${number}@127.0.0.1>`, `Call-ID: ${callId}`,
  `CSeq: 1 ${cseq}`, 'Contact: <sip:carrier@127.0.0.2>', 'Max-Forwards: 70', ...(more ? [more] : []),
  'Content-Length: 0', '', ''].join('\r\n');

/** Sends packets from `ip`; gives all answers that came until `enough` says so. */
async function exchange(ip, packets, enough) {
  const socket = createSocket('udp4');
  const answers = [];
  socket.on('message', (m) => answers.push(m.toString('latin1')));
  await new Promise((resolve) => socket.bind(0, ip, resolve));
  for (const p of packets) socket.send(p, rig.daemon.sip, '127.0.0.1');
  try {
    await until(() => enough(answers), { what: `answers (${answers.length} there)` });
  } finally { socket.close(); }
  return answers;
}

async function metric(name) {
  const { text } = await rig.daemon.api('GET', '/metrics');
  const line = text.split('\n').find((l) => l.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? NaN);
}

test('an unknown source gets silence over UDP, and is counted', async () => {
  const before = await metric('hookswitch_sip_unknown_source_total');
  const socket = createSocket('udp4');
  let answers = 0;
  socket.on('message', () => answers++);
  await new Promise((resolve) => socket.bind(0, '127.0.0.66', resolve));
  for (let i = 0; i < 50; i++) socket.send(request(i % 2 ? 'INVITE' : 'OPTIONS', '+447911100001'), rig.daemon.sip, '127.0.0.1');
  await until(async () => await metric('hookswitch_sip_unknown_source_total') >= before + 50, { what: 'all to be counted' });
  // A known trunk behind them in the queue has its answer; had there been one for us, it were here.
  await exchange(carrier, [request('OPTIONS', '+447911100001')], (a) => a.length > 0);
  socket.close();
  assert.equal(answers, 0);
});

test('an unknown source is closed over TCP', async () => {
  const end = await new Promise((resolve, reject) => {
    const s = connect({ host: '127.0.0.1', port: rig.daemon.sip, localAddress: '127.0.0.66' });
    let bytes = 0;
    s.on('data', (b) => { bytes += b.length; });
    s.on('connect', () => s.write(request('INVITE', '+447911100001')));
    s.on('close', () => resolve(bytes));
    s.on('error', () => {});
    s.setTimeout(8000, () => reject(new Error('still open')));
  });
  assert.equal(end, 0);
});

test('an unknown number gets 404 and makes no event', async () => {
  const answers = await exchange(carrier, [request('INVITE', '+12025550199')], (a) => a.some((m) => / 404 /.test(m)));
  assert.match(answers.at(-1), /^SIP\/2\.0 404 /);
  const events = await rig.daemon.must('GET', `/v1/events?number=${encodeURIComponent('+12025550199')}`);
  assert.deepEqual(events.data, []);
});

test('malformed SIP from a trunk gets 400 with the reason', async () => {
  const bad = request('INVITE', '+447911100001', { cseq: 'BYE' });
  const [answer] = await exchange(carrier, [bad], (a) => a.length > 0);
  assert.match(answer, /^SIP\/2\.0 400 .*CSeq/);
});

test('OPTIONS is answered 200 with Allow', async () => {
  const [answer] = await exchange(carrier, [request('OPTIONS', 'ping')], (a) => a.length > 0);
  assert.match(answer, /^SIP\/2\.0 200 /);
  assert.match(answer, /^Allow: .*INVITE/m);
});

test('an unsupported extension gets 420, a foreign scheme 416, no hops left 483', async () => {
  const line = await rig.line();
  const [a] = await exchange(carrier, [request('INVITE', line.number, { more: 'Require: nothing-we-know' })],
    (list) => list.some((m) => !/ 100 /.test(m.split('\r\n')[0])));
  assert.match(a, /^SIP\/2\.0 (100|420) /);
  const [b] = await exchange(carrier, [request('INVITE', line.number).replace(/^INVITE sip:/, 'INVITE foo:')], (l) => l.length > 0);
  assert.match(b, /^SIP\/2\.0 416 /);
  const [c] = await exchange(carrier, [request('INVITE', line.number).replace('Max-Forwards: 70', 'Max-Forwards: 0')], (l) => l.length > 0);
  assert.match(c, /^SIP\/2\.0 483 /);
});

test('a call over the trunk\'s limit gets 503 with Retry-After and makes no event', async () => {
  await rig.daemon.must('POST', '/v1/trunks', { name: 'narrow', sources: ['127.0.0.7'], max_calls: 1 });
  const line = await rig.line(); // its agent does not answer: the first call stays
  const answers = await exchange('127.0.0.7', [request('INVITE', line.number), request('INVITE', line.number)],
    (a) => a.some((m) => /^SIP\/2\.0 503 /.test(m)));
  assert.match(answers.find((m) => /^SIP\/2\.0 503 /.test(m)), /^Retry-After: \d+/m);
});

test('the daemon outlives random bytes from a trunk', async () => {
  const junk = Array.from({ length: 300 }, (_, i) => {
    const b = Buffer.from(request('INVITE', '+447911100001'));
    for (let k = 0; k < 1 + (i % 40); k++) b[(i * 7919 + k * 104729) % b.length] = (i * 31 + k * 17) & 255;
    return i % 3 ? b : b.subarray(0, (i * 37) % b.length);
  });
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, carrier, resolve));
  for (const j of junk) socket.send(j, rig.daemon.sip, '127.0.0.1');
  const answers = await exchange(carrier, [request('OPTIONS', 'alive')], (a) => a.length > 0);
  socket.close();
  assert.match(answers[0], /^SIP\/2\.0 200 /);
});

test('API: bad JSON, unknown field, bad number, bad URL, too large, wrong key', async () => {
  const api = (...args) => rig.daemon.api(...args);
  assert.equal((await api('POST', '/v1/numbers', '{"number":')).status, 400);
  const unknown = await api('POST', '/v1/numbers', { number: '+447911199999', colour: 'red' });
  assert.ok([400, 422].includes(unknown.status));
  assert.match(unknown.text, /colour/);
  const number = await api('POST', '/v1/numbers', { number: '0791112345' });
  assert.ok([400, 422].includes(number.status));
  assert.match(number.headers.get('content-type'), /application\/problem\+json/);
  assert.match(number.text, /number/);
  assert.ok((number.json.code ?? '').length > 0);
  for (const url of ['ftp://example.com/', 'http://user:pw@example.com/', 'nonsense', 'http://example.com/a b'])
    assert.ok([400, 422].includes((await api('POST', '/v1/endpoints', { url, format: 'json' })).status), url);
  assert.equal((await api('POST', '/v1/numbers', `{"label":"${'x'.repeat(300 * 1024)}"}`)).status, 413);
  assert.equal((await api('GET', '/v1/numbers', undefined, { authorization: 'Bearer wrong' })).status, 401);
  assert.equal((await api('GET', '/v1/numbers/%2B19999999999')).status, 404);
  assert.equal((await api('GET', '/nowhere')).status, 404);
  assert.equal((await api('DELETE', '/v1/numbers')).status, 405);
});

test('the configuration names an unknown key and the near one', async () => {
  const { spawnSync } = await import('node:child_process');
  const { binary } = await import('./lib/daemon.mjs');
  const serve = (set, env = {}) => spawnSync(binary, ['serve', '--set', set], { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } });
  const r = serve('sip.lisen=udp:127.0.0.1:5060');
  assert.equal(r.status, 2);
  assert.match(r.stderr, /sip\.lisen/);
  assert.match(r.stderr, /sip\.listen/);
  const variable = serve('sip.listen=', { HOOKSWITCH_HTTP_LISTN: '127.0.0.1:1' });
  assert.equal(variable.status, 2);
  assert.match(variable.stderr, /HOOKSWITCH_HTTP_LISTN: unknown key "http\.listn"; did you mean "http\.listen"\?/);
  assert.match(serve('colour=red').stderr, /unknown key "colour"; `hookswitch config` lists them all/);
  assert.ok(await freePort());
});

test('a value that the configuration cannot have is a fault of usage', async () => {
  const { spawnSync } = await import('node:child_process');
  const { binary } = await import('./lib/daemon.mjs');
  for (const set of ['http.listen=banana', 'http.listen=127.0.0.1:99999', 'store.url=mysql://x', 'sip.listen=smoke:127.0.0.1:5060', 'sip.advertise=a b',
    'smpp.listen=banana', 'http_client.allow=10.0.0.0/99', 'retention.days=many', 'http.rate_per_sec=-1', 'deliver.couriers=0', 'log.level=loud']) {
    const r = spawnSync(binary, ['serve', '--set', `data_dir=${rig.daemon.dir}-other`, '--set', set], { encoding: 'utf8', timeout: 20000 });
    assert.equal(r.status, 2, `${set}: ${r.stderr}`);
    assert.ok(r.stderr.includes(set.split('=')[0]), r.stderr);
  }
});
