// A time range of an endpoint is sent again: counted first, in order, across a kill, and cancelled.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Rig } from './lib/rig.mjs';
import { until } from './lib/until.mjs';

let rig;
let failing; // paths whose receiver answers 500
before(async () => {
  rig = await Rig.start();
  failing = new Set();
  rig.receiver.answer = (seen) => (failing.has(seen.path) ? 500 : 200);
});
after(async () => { await rig?.stop(); });

const year = { since: '2020-01-01T00:00:00Z' };

/** A number without an endpoint. */
async function numberAlone() {
  const number = `+4479112${String(10000 + rig.next++)}`;
  await rig.daemon.must('POST', '/v1/numbers', { number });
  return number;
}

/** `n` calls of three events each, ingested in order. */
async function ingest(number, n) {
  const events = [];
  for (let i = 0; i < n; i++)
    for (const event of ['incoming_call', 'call_answered', 'call_ended'])
      events.push({ event, did_number: number, caller_id: '+19175550100', call_id: `${number}-${i}`,
        ...(event === 'call_ended' ? { duration_sec: 1 } : {}), ...(event === 'call_answered' ? { destination: 'sip:a@b' } : {}) });
  while (events.length)
    await rig.daemon.must('POST', '/v1/events', events.splice(0, 300));
}

async function endpoint(number, where, more = {}) {
  const made = await rig.daemon.must('POST', '/v1/endpoints', rig.receiver.endpoint(where, { numbers: [number], ...more }));
  rig.receiver.expect(where, made);
  return made;
}

const recover = (ep, body = year) => rig.daemon.must('POST', `/v1/endpoints/${ep.id}/recover`, body);
const look = (job) => rig.daemon.must('GET', `/v1/recoveries/${job.id}`);
const ended = (job) => until(async () => {
  const now = await look(job);
  return now.state === 'running' ? null : now;
}, { what: 'the recovery to end', timeout: 60000 });

/** Every call has all its events; repeats apart they came in order, numbered 1, 2, 3. */
function judge(where, calls) {
  const seen = new Map();
  for (const { body } of rig.receiver.of(where)) {
    const list = seen.get(body.call_id) ?? new Map();
    seen.set(body.call_id, list);
    if (list.has(body.id)) continue;
    assert.equal(body.sequence, list.size + 1, `in order within ${body.call_id}`);
    list.set(body.id, body.event);
  }
  assert.equal(seen.size, calls);
  for (const [id, list] of seen)
    assert.deepEqual([...list.values()], ['incoming_call', 'call_answered', 'call_ended'], id);
}

test('what came before the endpoint existed: counted, then sent in order, once', async () => {
  const number = await numberAlone();
  await ingest(number, 40);
  const ep = await endpoint(number, '/late');
  assert.deepEqual(await recover(ep, { ...year, dry_run: true }), { count: 120 });
  assert.deepEqual(await recover(ep, { since: Date.now() + 1000 - 3600000, until: Date.now() - 3500000, dry_run: true }), { count: 0 });
  const job = await recover(ep);
  assert.match(job.id, /^rec_/);
  assert.equal(job.endpoint, ep.id);
  assert.equal(job.count, 120);
  const end = await ended(job);
  assert.equal(end.state, 'finished');
  assert.equal(end.done, 120);
  await rig.receiver.wait('/late', 120);
  judge('/late', 40);
  assert.deepEqual(await recover(ep, { ...year, dry_run: true }), { count: 0 });
  await ended(await recover(ep));
  assert.equal(rig.receiver.of('/late').length, 120, 'none of them twice');
  const list = await rig.daemon.must('GET', `/v1/endpoints/${ep.id}/recoveries?limit=1`);
  assert.equal(list.data.length, 1);
  const rest = await rig.daemon.must('GET', `/v1/endpoints/${ep.id}/recoveries?limit=1&cursor=${list.next_cursor}`);
  assert.deepEqual(rest.data.map((r) => r.id), [job.id]);
  assert.equal(rest.next_cursor, null);
});

test('what was given up keeps its number; what the filters do not want stays away', async () => {
  const number = await numberAlone();
  const where = '/given-up';
  failing.add(where);
  const ep = await endpoint(number, where, { events: ['call_ended', 'incoming_call'], retry: { schedule_s: [1], give_up_after_s: 1 } });
  await ingest(number, 2);
  await until(async () => (await rig.daemon.must('GET', `/v1/events?endpoint=${ep.id}&state=given_up`)).data.length === 4,
    { what: 'four to be given up', timeout: 30000 });
  failing.delete(where);
  const end = await ended(await recover(ep));
  assert.equal(end.done, 4);
  const events = await rig.receiver.wait(where, 4);
  for (const call of [0, 1])
    assert.deepEqual(events.filter((e) => e.call_id === `${number}-${call}`).map((e) => [e.event, e.sequence]),
      [['incoming_call', 1], ['call_ended', 2]]);
});

test('a kill in the middle: it goes on where it was, in order', async () => {
  const number = await numberAlone();
  await ingest(number, 1500);
  const ep = await endpoint(number, '/killed', { concurrency: 4 });
  const job = await recover(ep);
  assert.equal(job.count, 4500);
  for (const seen of [300, 1500, 3000]) {
    await until(() => rig.receiver.of('/killed').length > seen, { what: `${seen} events`, timeout: 60000, every: 1 });
    await rig.daemon.restart();
  }
  const end = await ended(job);
  assert.equal(end.state, 'finished');
  assert.equal(end.done, 4500);
  await until(() => new Set(rig.receiver.of('/killed').map((e) => e.body.id)).size === 4500,
    { what: 'all events', timeout: 60000 });
  judge('/killed', 1500);
});

test('paced: a receiver that is down gets a short queue; one at a time; a cancel ends it', async () => {
  const number = await numberAlone();
  const where = '/paced';
  failing.add(where);
  await ingest(number, 700);
  const ep = await endpoint(number, where);
  const job = await recover(ep);
  await until(async () => (await look(job)).done > 900, { what: 'the queue to fill', timeout: 20000 });
  const twice = await rig.daemon.api('POST', `/v1/endpoints/${ep.id}/recover`, year);
  assert.equal(twice.status, 409);
  assert.equal(twice.json.code, 'recovery_running');
  assert.match((await rig.daemon.api('GET', '/metrics')).text, /\nhookswitch_recoveries_running 1\n/);
  for (let i = 0; i < 2; i++) { // the second changes nothing
    const canceled = await rig.daemon.must('POST', `/v1/recoveries/${job.id}/cancel`);
    assert.equal(canceled.state, 'canceled');
    assert.ok(canceled.done <= 1000, `${canceled.done} of 2100`);
  }
  failing.delete(where);
  await rig.daemon.must('POST', `/v1/endpoints/${ep.id}/enable`);
  const { done } = await look(job);
  await rig.receiver.wait(where, done, 30000);
  assert.equal((await ended(await recover(ep))).done, 2100 - done, 'the rest by another one');
  await until(() => new Set(rig.receiver.of(where).map((e) => e.body.id)).size === 2100, { what: 'all events', timeout: 60000 });
});

test('an endpoint that is deleted takes its recovery along', async () => {
  const number = await numberAlone();
  failing.add('/deleted');
  await ingest(number, 500);
  const ep = await endpoint(number, '/deleted');
  const job = await recover(ep);
  await until(async () => (await look(job)).done > 900, { what: 'the queue to fill', timeout: 20000 });
  await rig.daemon.api('DELETE', `/v1/endpoints/${ep.id}`);
  const end = await look(job);
  assert.equal(end.state, 'canceled');
  assert.equal(end.endpoint, ep.id);
  assert.equal((await rig.daemon.api('GET', `/v1/endpoints/${ep.id}/recoveries`)).status, 404);
});

test('what is wrong is named; what is foreign is not there', async () => {
  const line = await rig.line();
  for (const [body, field] of [[{}, 'since'], [{ since: 'yesterday' }, 'since'], [{ ...year, until: '2019-01-01T00:00:00Z' }, 'until'],
    [{ ...year, colour: 1 }, 'colour'], [{ ...year, dry_run: 1 }, 'dry_run'], [{ since: -1 }, 'since'], [[], 'body']]) {
    const answer = await rig.daemon.api('POST', `/v1/endpoints/${line.endpoint.id}/recover`, body);
    assert.equal(answer.status, 422, JSON.stringify(body));
    assert.equal(answer.json.field, field);
  }
  const job = await recover(line.endpoint);
  await rig.daemon.must('POST', '/v1/accounts', { name: 'stranger' });
  const { key } = await rig.daemon.must('POST', '/v1/keys', { name: 'his', account: 'stranger' });
  for (const [method, where, body] of [['POST', `/v1/endpoints/${line.endpoint.id}/recover`, year],
    ['GET', `/v1/endpoints/${line.endpoint.id}/recoveries`], ['GET', `/v1/recoveries/${job.id}`],
    ['POST', `/v1/recoveries/${job.id}/cancel`], ['DELETE', `/v1/numbers/${encodeURIComponent(line.number)}/data`]]) {
    const as = (path) => rig.daemon.api(method, path, body, { authorization: `Bearer ${key}` });
    const foreign = await as(where);
    const unknown = await as(where.replace(line.endpoint.id, 'ep_unknown').replace(job.id, 'rec_unknown')
      .replace(encodeURIComponent(line.number), '%2B15550009999'));
    assert.equal(foreign.status, 404, `${method} ${where}`);
    assert.equal(foreign.text, unknown.text);
  }
});
