// A receiver that is down and comes back, one that refuses some, and one that refuses one event for ever: what waits flows, and
// health says how it is.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { Daemon, freePort } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

let daemon;
before(async () => {
  daemon = await Daemon.start();
  await daemon.must('POST', '/v1/numbers', { number: '+447911123456', sms: true });
});
after(async () => { await daemon?.stop(); });

/** Listens at `port`; `answer(event, nth)` gives the status. */
function listen(port, answer = () => 200) {
  const seen = [];
  const server = http.createServer((req, res) => {
    let text = '';
    req.on('data', (t) => { text += t; }).on('end', () => {
      const event = JSON.parse(text);
      seen.push(event);
      res.statusCode = answer(event, seen.length);
      res.end();
    });
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () =>
    resolve({ seen, port: server.address().port, close: () => { server.closeAllConnections(); server.close(); } })));
}

const endpoint = (port, more) => daemon.must('POST', '/v1/endpoints', { url: `http://127.0.0.1:${port}/`, events: ['sms_received'], ...more });
const text = async (message) => (await daemon.must('POST', '/v1/events',
  { event: 'sms_received', from: `+1917${String(Math.random()).slice(2, 9)}`, to: '+447911123456', message })).id;
const health = async ({ id }) => (await daemon.must('GET', `/v1/endpoints/${id}`)).health;
const pendingOf = async ({ id }) => (await daemon.must('GET', `/v1/events?endpoint=${id}&state=pending&limit=1`)).data.length;

test('what waits flows within three seconds of a receiver\'s return, also what it refuses at random', async () => {
  const port = await freePort(), e = await endpoint(port);
  const news = await listen(0), names = ['endpoint_failing', 'endpoint_recovered'];
  await daemon.must('POST', '/v1/endpoints', { url: `http://127.0.0.1:${news.port}/`, events: names });
  for (let i = 0; i < 300; i++) await text(`m${i}`);
  await until(async () => (await health(e)).state === 'failing', { what: 'an outage' });
  const { last_error: last, next_attempt_at: next, failing_since: since } = await health(e);
  assert.match(last.error, /cannot be reached/);
  assert.ok(since && next);
  const back = Date.now();
  const receiver = await listen(port, () => (Math.random() < 0.2 ? 503 : 200));
  await until(() => receiver.seen.length > 0, { what: 'the first', timeout: 10000, every: 20 });
  const first = Date.now() - back;
  await until(async () => !(await pendingOf(e)), { what: 'all of them', timeout: 120000, every: 200 });
  console.log(`# the first after ${first} ms, all after ${Date.now() - back} ms`);
  assert.equal((await health(e)).state, 'healthy');
  await until(() => news.seen.length === 2, { what: 'the news of both' });
  const [failing, recovered] = news.seen;
  assert.deepEqual([failing.event, failing.endpoint, recovered.event, recovered.endpoint], [names[0], e.id, names[1], e.id]);
  assert.match(failing.last_error, /cannot be reached/);
  assert.ok(failing.waiting > 0 && recovered.waiting > 0);
  news.close();
  receiver.close();
  await daemon.must('DELETE', `/v1/endpoints/${e.id}`);
});

test('an event that is never taken does not make its endpoint failing', async () => {
  const port = await freePort();
  const receiver = await listen(port, (event) => (event.message === 'bad' ? 422 : 200));
  const e = await endpoint(port, { retry: { schedule_s: [1] } });
  const bad = await text('bad');
  await until(async () => (await health(e)).state === 'failing', { what: 'that nothing is taken' });
  const { last_error: last, next_attempt_at: next } = await health(e);
  assert.equal(last.status, 422);
  assert.ok(next);
  await text('good');
  await until(async () => (await health(e)).state === 'healthy', { what: 'that one was taken' });
  await until(() => receiver.seen.filter((s) => s.message === 'bad').length > 12, { what: 'a dozen refusals', timeout: 30000 });
  assert.deepEqual(await health(e), { state: 'healthy', failing_since: null, last_error: null, next_attempt_at: null });
  assert.equal((await daemon.must('GET', `/v1/events/${bad}`)).deliveries[0].state, 'pending');
  receiver.close();
});
