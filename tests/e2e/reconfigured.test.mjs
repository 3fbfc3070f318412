// Calls are up, the daemon is killed and started with another configuration: they go on as far as it lets them, and each
// gets its one call_ended.
import test, { before, after, beforeEach, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { Daemon } from './lib/daemon.mjs';
import { Agent } from './lib/agent.mjs';
import { Authority } from './lib/certificates.mjs';
import { Receiver } from './lib/receiver.mjs';
import { Caller } from './lib/ua.mjs';
import { until } from './lib/until.mjs';

const number = '+447911123456';
let receiver, daemon, where, open = [], n = 0;

before(async () => { receiver = await Receiver.start(); });
after(async () => { await receiver?.stop(); });
beforeEach(() => { open = []; where = `/hook/${++n}`; });
afterEach(() => daemon?.finish(open));

/** A daemon with a carrier at 127.0.0.2 and a number whose calls go to that agent. */
async function house(destination, sets = {}, more = {}) {
  daemon = await Daemon.make({ 'sip.t1_ms': 100, ...sets }, more);
  await daemon.run();
  await daemon.must('POST', '/v1/trunks', { name: 'carrier', sources: ['127.0.0.2/32'] });
  const made = await daemon.number(number, [{ type: 'sip', destination }], receiver.endpoint(where, {}));
  receiver.expect(where, made);
}

async function agent(more) {
  const a = await Agent.open(more);
  open.push(a);
  return a;
}

async function talk() {
  const c = await Caller.open('127.0.0.2', daemon.sip);
  open.push(c);
  await c.talk(number);
  return c;
}

async function again(sets) {
  await daemon.kill();
  Object.assign(daemon.sets, sets);
  await daemon.run();
}

const ends = () => receiver.of(where).filter((e) => e.body.event === 'call_ended').map((e) => e.body);

async function theEnd() {
  await until(() => ends().length, { what: 'call_ended', timeout: 15000 });
  return ends()[0];
}

/** One for each call, and none comes twice. */
async function allEnd(calls) {
  await until(() => ends().length >= calls, { what: `${calls} × call_ended`, timeout: 30000 });
  assert.equal(new Set(ends().map((e) => e.call_id)).size, calls);
  const { data } = await daemon.must('GET', '/v1/events?type=call_ended&limit=100');
  assert.equal(data.length, calls);
}

for (const [what, first, then] of [
  ['the only listener of two', (p) => `tcp:127.0.0.1:${p},udp:127.0.0.1:${p}`, (p) => `udp:127.0.0.1:${p}`],
  ['another place in the list', (p) => `udp:127.0.0.1:${p},tcp:127.0.0.1:${p}`, (p) => `tcp:127.0.0.1:${p},udp:127.0.0.1:${p}`],
]) test(`a call goes on over a listener that is now ${what}`, async () => {
  const a = await agent();
  const d = await Daemon.make();
  await house(a.uri(), { 'sip.listen': first(d.sip) });
  daemon.sip = d.sip;
  const c = await talk();
  await again({ 'sip.listen': then(d.sip) });
  await a.wait('OPTIONS');
  await until(() => c.requests.some((r) => r.startsWith('OPTIONS ')), { what: 'the probe at the caller' });
  await c.bye(number);
  await a.wait('BYE');
  const end = await theEnd();
  assert.equal(end.end_reason, 'completed');
  assert.equal(end.ended_by, 'caller');
});

test('a call whose listener is gone ends as lost, the other leg is hung up', async () => {
  const a = await agent({ transport: 'tcp' });
  await house(a.uri());
  await talk();
  await again({ 'sip.listen': `tcp:127.0.0.1:${daemon.sip}` });
  const end = await theEnd();
  assert.equal(end.end_reason, 'lost');
  assert.equal(end.ended_by, 'system');
  assert.equal(end.answered, true);
  assert.match(end.detail, /no SIP listener reaches the caller/);
  await a.wait('BYE');
});

test('with SIP switched off the open calls end as lost', async () => {
  const a = await agent({ answer: (text) => (/^INVITE sip:ringing/.test(text) ? 180 : 200) });
  await house(a.uri());
  await talk();
  const ringing = await Caller.open('127.0.0.2', daemon.sip);
  open.push(ringing);
  await daemon.number('+447911000002', [{ type: 'sip', destination: a.uri().replace('agent', 'ringing') }]);
  await ringing.send('INVITE', '+447911000002');
  await ringing.wait(180, 'INVITE');
  await again({ 'sip.listen': '' });
  const end = await theEnd();
  assert.equal(end.end_reason, 'lost');
  assert.match(end.detail, /no SIP listener/);
  await until(async () => (await daemon.must('GET', '/v1/calls')).data.every((call) => call.ended_at),
    { what: 'all calls to have ended' });
  await again({});
  assert.equal(ends().length, 1);
});

test('fewer calls allowed than are up: those go on, new ones wait', async () => {
  const a = await agent();
  await house(a.uri());
  const calls = [];
  for (let i = 0; i < 5; i++) calls.push(await talk());
  await again({ 'sip.max_calls': 2 });
  const { text } = await daemon.api('GET', '/metrics');
  assert.match(text, /^hookswitch_calls_active 5$/m);
  const sixth = await Caller.open('127.0.0.2', daemon.sip);
  open.push(sixth);
  await sixth.send('INVITE', number);
  await sixth.wait(503, 'INVITE');
  for (const c of calls) await c.bye(number);
  await allEnd(5);
  assert.ok(ends().every((e) => e.end_reason === 'completed'));
  await talk();
});

test('rows that cannot be read end as lost, and hold up nothing', async () => {
  const a = await agent();
  await house(a.uri());
  for (let i = 0; i < 4; i++) await talk();
  await daemon.kill();
  const sql = (text) => execFileSync('sqlite3', [path.join(daemon.dir, 'hookswitch.db'), text]);
  const ids = sql('SELECT n FROM calls ORDER BY n').toString().trim().split('\n');
  sql(`UPDATE calls SET legs = 'x' WHERE n = ${ids[0]}`);
  sql(`UPDATE calls SET legs = substr(legs, 1, 40) WHERE n = ${ids[1]}`);
  sql(`UPDATE calls SET facts = '{' WHERE n = ${ids[2]}`);
  await daemon.run();
  await until(() => ends().length === 2, { what: 'two ends', timeout: 15000 });
  for (const e of ends()) {
    assert.equal(e.end_reason, 'lost');
    assert.match(e.detail, /row of the call cannot be read/);
    assert.equal(e.did_number, number);
  }
  await a.wait('OPTIONS', 2); // the other two live: one without its caller's name
  assert.equal(ends().length, 2);
});

test('a call whose number and trunk are gone ends once, as its caller wishes', async () => {
  const a = await agent();
  await house(a.uri());
  const c = await talk();
  const [trunk] = (await daemon.must('GET', '/v1/trunks')).data;
  await daemon.must('DELETE', `/v1/trunks/${trunk.id}`);
  await daemon.must('DELETE', `/v1/numbers/${encodeURIComponent(number)}`);
  await again({});
  await a.wait('OPTIONS');
  await c.bye(number);
  await allEnd(1);
  assert.equal(ends()[0].end_reason, 'completed');
});

test('over TCP: an agent and a carrier that opened the connection are found again', async () => {
  const a = await agent({ transport: 'tcp' });
  await house(a.uri());
  const carrier = await agent({ transport: 'tcp', host: '127.0.0.2' }); // listens where its Contact says
  const out = net.connect({ host: '127.0.0.1', port: daemon.sip, localAddress: '127.0.0.2' });
  out.on('error', () => {});
  open.push({ close: () => out.destroy() });
  let heard = '';
  out.on('data', (bytes) => { heard += bytes; });
  const say = (method, to = '') => out.write([`${method} sip:${number}@127.0.0.1:${daemon.sip} SIP/2.0`,
    `Via: SIP/2.0/TCP 127.0.0.2:${carrier.port};branch=z9hG4bK${method}`, 'Max-Forwards: 70', 'From: <sip:+15550001@127.0.0.2>;tag=c',
    `To: <sip:${number}@127.0.0.1>${to}`, 'Call-ID: over-tcp', `CSeq: 1 ${method}`,
    `Contact: <${carrier.uri()}>`, 'Content-Length: 0', '', ''].join('\r\n'));
  say('INVITE');
  await until(() => /^SIP\/2.0 200/m.test(heard), { what: 'the 200' });
  say('ACK', /^To:[^\r]*(;tag=[^;\r]+)/m.exec(heard.slice(heard.indexOf('SIP/2.0 200')))[1]);
  await a.wait('ACK');
  const { host, port } = a;
  await daemon.kill();
  a.close(); // and is back a moment after the first probe found nobody
  await daemon.run();
  await carrier.wait('OPTIONS');
  const back = await agent({ transport: 'tcp', host, port });
  await back.wait('OPTIONS');
  assert.equal(ends().length, 0);
});

test('over TLS our Contact is the connection, also one that was made anew: the agent hangs up on it', async () => {
  const ca = new Authority('agents');
  const a = await agent({ transport: 'tls', host: '127.0.0.1', certificate: ca.issue('agent', 'DNS:localhost') });
  const value = ({ text }, name) => new RegExp(`^${name}: ([^\\r]*)`, 'm').exec(text)[1];
  const named = (invite) => [...a.connections].find((s) => value(invite, 'Contact').includes(`@127.0.0.1:${s.remotePort};transport=tls>`));
  try {
    await house(a.uri('localhost'), {}, { env: { SSL_CERT_FILE: ca.path } });
    const c = await talk();
    await a.wait('ACK');
    const [invite] = a.of('INVITE');
    assert.ok(named(invite), value(invite, 'Contact'));
    for (const s of a.connections) s.destroy();
    await until(() => a.connections.size === 0, { what: 'the connection to be gone' });
    await c.send('INVITE', number, { ...c.within, cseq: 2 });
    const connection = named(await a.wait('INVITE', 2));
    assert.ok(connection, value(a.of('INVITE')[1], 'Contact'));
    await c.wait(200, 'INVITE', 2);
    await c.send('ACK', number, { ...c.within, cseq: 2 });
    await a.wait('ACK', 2);
    connection.write([`BYE ${/<([^>]+)>/.exec(value(a.of('INVITE')[1], 'Contact'))[1]} SIP/2.0`,
      `Via: SIP/2.0/TLS 127.0.0.1:${a.port};branch=z9hG4bKhangup`, `From: ${value(invite, 'To')};tag=agent`, `To: ${value(invite, 'From')}`,
      `Call-ID: ${value(invite, 'Call-ID')}`, 'CSeq: 1 BYE', 'Max-Forwards: 70', 'Content-Length: 0', '', ''].join('\r\n'));
    await until(() => c.requests.some((r) => r.startsWith('BYE ')), { what: 'BYE at the caller' });
    const { end_reason, ended_by } = await theEnd();
    assert.deepEqual({ end_reason, ended_by }, { end_reason: 'completed', ended_by: 'callee' });
  } finally {
    ca.remove();
  }
});

test('over TLS: the name that was verified is good after a lost connection and after a restart', async () => {
  const ca = new Authority('agents');
  const a = await agent({ transport: 'tls', host: '127.0.0.1', certificate: ca.issue('agent', 'DNS:localhost') });
  try {
    await house(a.uri('localhost'), {}, { env: { SSL_CERT_FILE: ca.path } }); // its Contact is the address
    const c = await talk();
    await a.wait('ACK');
    for (const s of a.connections) s.destroy();
    await until(() => a.connections.size === 0, { what: 'the connection to be gone' });
    await c.bye(number);
    await a.wait('BYE');
    assert.equal((await theEnd()).end_reason, 'completed');
    await talk();
    await again({});
    await a.wait('OPTIONS');
    assert.equal(ends().length, 1);
  } finally {
    ca.remove();
  }
});
