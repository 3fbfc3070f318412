// One account's receivers hang in all slots of its share. Meanwhile another account's events are delivered.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { Daemon } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

const endpoints = 40, lanes = 100;
let daemon;
before(async () => { daemon = await Daemon.start(); });
after(async () => { await daemon?.stop(); });

/** A receiver that answers each POST at once, until `hang`; `held` is how many wait for an answer then. */
async function receiver() {
  const r = { hang: false, held: 0, taken: 0 };
  r.server = net.createServer((socket) => {
    let waits = false;
    socket.on('error', () => {});
    socket.on('data', () => {
      if (r.hang) { r.held += !waits; waits = true; return; }
      r.taken++;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
    socket.on('close', () => { r.held -= waits; });
  }).listen(0, '127.0.0.1');
  await once(r.server, 'listening');
  r.url = `http://127.0.0.1:${r.server.address().port}`;
  r.close = () => { r.server.close(); };
  return r;
}

async function account(name, number) {
  const { id } = await daemon.must('POST', '/v1/accounts', { name });
  await daemon.must('POST', '/v1/numbers', { number, account: id });
  return id;
}

let texts = 0;
const text = (number) => daemon.must('POST', '/v1/simulate',
  { kind: 'sms', number, from: `+1555${1000000 + texts++}`, message: 'x' });

test('hanging endpoints of one account, proven good, hold up no other account', { timeout: 120000 }, async () => {
  const hanging = await receiver(), good = await receiver();
  try {
    const evil = await account('evil', '+447911000001');
    const other = await account('good', '+447911000002');
    for (let i = 0; i < endpoints; i++)
      await daemon.must('POST', '/v1/endpoints', { url: `${hanging.url}/${i}`, events: ['sms_received'], numbers: '*',
        account: evil, timeout_ms: 30000, concurrency: 256 });
    await daemon.must('POST', '/v1/endpoints', { url: `${good.url}/`, events: ['sms_received'], numbers: '*', account: other });
    await text('+447911000001');
    await until(() => hanging.taken === endpoints, { what: 'all endpoints to be proven' });
    hanging.hang = true;
    for (let i = 0; i < lanes; i++) await text('+447911000001'); // 4,000 deliveries, each in a lane of its own
    const metric = async (name) => Number((await daemon.api('GET', '/metrics')).text.match(new RegExp(`^${name} (\\d+)`, 'm'))[1]);
    let last = -1;
    await until(async () => { // until it gets no more
      const before = last;
      last = hanging.held;
      return before > 1000 && before === last;
    }, { what: 'the share to be taken', timeout: 25000, every: 500 });
    assert.ok(hanging.held < 2500, `${hanging.held} of 4096 slots are one account's`);
    assert.ok(await metric('hookswitch_deliveries_pending') > endpoints * lanes - 2500, 'the rest waits');
    for (let i = 0; i < 20; i++) {
      await text('+447911000002');
      await until(() => good.taken === i + 1, { what: `event ${i} of the other account`, timeout: 5000 });
    }
    assert.ok(hanging.held > 1000, `it came while ${hanging.held} were held`);
  } finally {
    hanging.close();
    good.close();
  }
});
