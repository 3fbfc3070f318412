// Deliveries that wait for an endpoint that is down stay in the store: they survive a kill, and arrive in order when the
// endpoint is back, also from lanes that are longer than the part kept in memory.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Daemon, freePort } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

const number = '+447911123456';
let daemon;
before(async () => { daemon = await Daemon.start(); });
after(() => daemon.stop());

/** A receiver of its own at a port that may have been closed before; `most` is how many it had at once. */
function listen(port) {
  const r = { seen: [], most: 0, now: 0 };
  const server = createServer((req, res) => {
    r.most = Math.max(r.most, ++r.now);
    let body = '';
    req.on('data', (bytes) => { body += bytes; });
    req.on('end', () => {
      r.seen.push({ at: Date.now(), ...JSON.parse(body) });
      setImmediate(() => { r.now--; res.writeHead(200).end(); });
    });
  });
  r.close = () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); });
  server.unref(); // a test that fails before close() must not keep the file from ending
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(r)));
}

const metric = async (name) =>
  Number(new RegExp(`^${name} (\\d+)$`, 'm').exec((await daemon.api('GET', '/metrics')).text)[1]);

async function ingest(events) {
  for (let i = 0; i < events.length; i += 200)
    await daemon.must('POST', '/v1/events', events.slice(i, i + 200));
}

const call = (id, event, more = {}) =>
  ({ event, did_number: number, caller_id: '+19175550100', call_id: id, ...more });

test('600 calls and a lane of 700 texts wait for an endpoint that is down, over a kill; all arrive in order', async () => {
  const port = await freePort();
  const made = await daemon.must('POST', '/v1/endpoints', { url: `http://127.0.0.1:${port}/` });
  const kinds = ['incoming_call', 'call_answered', 'call_ended'];
  for (const event of kinds)
    await ingest(Array.from({ length: 600 }, (_, i) => call(`c${i}`, event,
      { call_answered: { destination: 'sip:a@b' }, call_ended: { duration_sec: 1 } }[event])));
  await ingest(Array.from({ length: 700 }, (_, i) => ({ event: 'sms_received', from: '+19175550100', to: number,
    message: `text ${i}` })));
  const pending = (n) => async () => await metric('hookswitch_deliveries_pending') === n;
  await until(pending(2500), { what: '2500 pending deliveries' }); // told to the courier after the answer to us
  await daemon.restart();
  assert.ok(await pending(2500)(), 'all are known after the kill');

  const receiver = await listen(port);
  await daemon.must('POST', `/v1/endpoints/${made.id}/enable`); // a person says it is back
  await until(pending(0), { what: 'an empty backlog', timeout: 60000 });

  assert.equal(new Set(receiver.seen.map((e) => e.id)).size, 2500);
  const texts = receiver.seen.filter((e) => e.event === 'sms_received').map((e) => e.message);
  assert.deepEqual(texts, Array.from({ length: 700 }, (_, i) => `text ${i}`));
  const calls = new Map();
  for (const e of receiver.seen.filter((one) => one.call_id))
    calls.set(e.call_id, [...(calls.get(e.call_id) ?? []), e]);
  for (const [id, events] of calls) {
    assert.deepEqual(events.map((e) => e.event), kinds, id);
    assert.deepEqual(events.map((e) => e.sequence), [1, 2, 3], id);
  }
  assert.equal(calls.size, 600);
  assert.ok(receiver.most <= 8, `at most 8 lanes at once, not ${receiver.most}`);
  assert.equal(await metric('hookswitch_lanes_waiting'), 0);
  await receiver.close();
});

test('since when an endpoint fails is known after a restart: it is probed, not hammered', async () => {
  const port = await freePort();
  const falls = () => daemon.log.split('is failing: probed from now on').length;
  const before = falls();
  await daemon.must('POST', '/v1/endpoints', { url: `http://127.0.0.1:${port}/`, events: ['sms_received'] });
  const text = (i) => ({ event: 'sms_received', from: `+1917555${String(1000 + i)}`, to: number, message: `text ${i}` });
  await ingest(Array.from({ length: 40 }, (_, i) => text(i)));
  await until(() => falls() > before, { what: 'the endpoint to fall' });
  await daemon.kill();
  const receiver = await listen(port);
  await daemon.run();
  // A probe comes within five seconds of the start; what waits follows it at once.
  await until(() => receiver.seen.length >= 40, { what: 'all texts after a probe', timeout: 20000 });
  assert.equal(new Set(receiver.seen.map((e) => e.id)).size, 40);
  await receiver.close();
});
