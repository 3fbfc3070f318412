// Pools of all accounts: one account's targets keep every connection that they get, and no other account notices.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { Daemon } from './lib/daemon.mjs';
import { Agent, answerTo } from './lib/agent.mjs';
import { Caller } from './lib/ua.mjs';
import { until } from './lib/until.mjs';

let daemon;
const open = [];
before(async () => {
  daemon = await Daemon.start({ 'sip.t1_ms': 100, 'sip.trace_bytes': 0 });
  await daemon.must('POST', '/v1/trunks', { name: 'carrier', sources: ['127.0.0.2/32'] });
});
after(() => daemon?.finish(open));

const held = async (what) => { open.push(await what); return open.at(-1); };

async function line(number, name) {
  const { id } = await daemon.must('POST', '/v1/accounts', { name });
  await daemon.must('POST', '/v1/numbers', { number, account: id });
  return (targets) => daemon.must('PUT', `/v1/numbers/${encodeURIComponent(number)}/forward`, { targets });
}

async function call(number, status) {
  const c = await Caller.open('127.0.0.2', daemon.sip);
  await c.send('INVITE', number);
  await c.wait(status, 'INVITE');
  await c.send('ACK', number, { branch: `z9hG4bK${c.id}1INVITE`, ...(await c.wait(status, 'INVITE')) });
  c.close();
}

test('one account takes all connections it can get: another one and a carrier get theirs', { timeout: 300000 }, async () => {
  const greedy = await held(Agent.open({ transport: 'tcp', host: '0.0.0.0', answer: () => 486 }));
  const good = await held(Agent.open({ transport: 'tcp' }));
  const [forward, forwardGood] = [await line('+447911000001', 'greedy'), await line('+447911000002', 'good')];
  await forwardGood([{ type: 'sip', destination: good.uri() }]);
  for (let n = 0; n < 3200;) {
    await forward(Array.from({ length: 16 }, () => {
      n++;
      return { type: 'sip', destination: greedy.uri(`127.1.${n >> 7}.${1 + (n & 127)}`), ring_timeout_s: 5 };
    }));
    await call('+447911000001', n <= 3072 ? 486 : 500); // past its room the targets cannot be reached
  }
  assert.equal(greedy.connections.size, 3072);
  const carrier = net.connect({ host: '127.0.0.1', port: daemon.sip, localAddress: '127.0.0.2' });
  open.push({ close: () => carrier.destroy() });
  let answer = '';
  carrier.on('data', (bytes) => { answer += bytes; });
  carrier.write(['OPTIONS sip:x@127.0.0.1 SIP/2.0', 'Via: SIP/2.0/TCP 127.0.0.2:5060;branch=z9hG4bKo', 'Max-Forwards: 70',
    'From: <sip:c@127.0.0.2>;tag=1', 'To: <sip:x@127.0.0.1>', 'Call-ID: o', 'CSeq: 1 OPTIONS', 'Content-Length: 0', '', ''].join('\r\n'));
  await until(() => answer.startsWith('SIP/2.0 200'), { what: 'the carrier\'s answer' });
  await call('+447911000002', 200);
  await until(() => greedy.connections.size === 3071, { what: 'one of the greedy account\'s to have made way' });
  assert.match((await daemon.api('GET', '/metrics')).text, /^hookswitch_sip_connections_made_way_total 1$/m);
});

test('an answer that comes byte by byte is an answer', async () => {
  const slow = await held(Agent.open({ transport: 'tcp', host: '127.0.0.4', answer: () => 0 }));
  const forward = await line('+447911000003', 'slow');
  await forward([{ type: 'sip', destination: slow.uri() }]);
  const c = await held(Caller.open('127.0.0.2', daemon.sip));
  await c.send('INVITE', '+447911000003');
  const invite = await slow.wait('INVITE');
  const [connection] = slow.connections;
  connection.setNoDelay(true);
  for (const byte of answerTo(invite.text, 200, { contact: slow.uri(), body: 'v=0\r\no=- 1 1 IN IP4 127.0.0.4\r\ns=-\r\n' })) {
    connection.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await c.wait(200, 'INVITE');
});
