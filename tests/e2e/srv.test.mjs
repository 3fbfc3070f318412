// A target's name with two SRV entries (RFC 3263 §4.3). The daemon has a resolv.conf, and so a name server, of its own.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { Daemon } from './lib/daemon.mjs';
import { Agent, answerTo } from './lib/agent.mjs';
import { NameServer } from './lib/dns.mjs';
import { Caller } from './lib/ua.mjs';
import { until } from './lib/until.mjs';

const number = '+447911000001';
const two = [await Agent.open(), await Agent.open()];
const dns = await NameServer.open({
  '_sip._udp.agents.example': { srv: two.map((a, i) => ({ priority: i + 1, port: a.port, host: 'one.agents.example' })) },
  'one.agents.example': { a: [two[0].host] },
}).catch(() => null); // port 53 is root's
const mount = process.getuid() === 0 ? ['-m', 'true'] : ['-rm', 'true'];
const possible = dns && spawnSync('unshare', mount).status === 0;
const skip = possible ? false : 'this user may not listen at port 53, or not make a mount namespace (unshare -m)';
const open = [...two, ...(dns ? [dns] : [])];
let daemon;

before(async () => {
  if (!possible) return;
  daemon = await Daemon.make({ 'sip.t1_ms': 100 });
  daemon.resolvConf = dns.resolvConf;
  await daemon.run();
  await daemon.must('POST', '/v1/trunks', { name: 'carrier', sources: ['127.0.0.0/8'] });
  await daemon.must('POST', '/v1/numbers', { number,
    forward: { targets: [{ type: 'sip', destination: 'sip:agent@agents.example', ring_timeout_s: 20 }] } });
});
after(() => (daemon ? daemon.finish(open) : open.forEach((o) => o.close())));

async function call() {
  const c = await Caller.open('127.0.0.2', daemon.sip);
  open.push(c);
  await c.send('INVITE', number);
  return c;
}

async function events() {
  const { data } = await daemon.must('GET', '/v1/calls?limit=1');
  return (await daemon.must('GET', `/v1/events?call_id=${data[0].id}`)).data.map((e) => e.event).reverse();
}

test('the next entry is asked where the first says 503, and the target has not failed', { skip }, async () => {
  two[0].answer = (text) => answerTo(text, 503, { more: ['Retry-After: 30'] });
  const c = await call();
  c.within = await c.wait(200, 'INVITE');
  assert.equal(two[0].of('INVITE').length, 1);
  await two[0].wait('ACK');
  await c.send('ACK', number, c.within);
  await two[1].wait('ACK');
  await until(async () => (await events()).length === 2, { what: 'two events' });
  assert.deepEqual(await events(), ['incoming_call', 'call_answered']);
  await c.bye(number);
  await two[1].wait('BYE');
});

test('any other refusal of the first entry is the target\'s', { skip }, async () => {
  two[0].answer = () => 486;
  const asked = two[1].of('INVITE').length;
  await (await call()).wait(486, 'INVITE');
  assert.equal(two[1].of('INVITE').length, asked);
});

test('where nobody listens at the first entry the next one is asked', { skip }, async () => {
  two[0].close();
  open.splice(open.indexOf(two[0]), 1);
  await (await call()).wait(200, 'INVITE');
});
