// Rows leave the store: events and ended calls after their retention, a number's data on request.
// Rows are made old with the sqlite3 tool while the daemon is down.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { Rig } from './lib/rig.mjs';
import { until } from './lib/until.mjs';

let rig;
let failing;
before(async () => {
  rig = await Rig.start({ 'retention.days': 30 });
  failing = new Set();
  rig.receiver.answer = (seen) => (failing.has(seen.path) ? 500 : 200);
});
after(async () => { await rig?.stop(); });

const day = 24 * 3600 * 1000;
const sql = (text) => execFileSync('sqlite3', [path.join(rig.daemon.dir, 'hookswitch.db'), text], { encoding: 'utf8' }).trim();

/** Runs SQL while the daemon is down. */
async function while_down(text) {
  await rig.daemon.kill('SIGTERM');
  const said = sql(text);
  await rig.daemon.run();
  return said;
}

const list = async (query) => (await rig.daemon.must('GET', `/v1/events?limit=500&${query}`)).data;
const of = (number) => list(`number=${encodeURIComponent(number)}`);
const metric = async (name) => Number(new RegExp(`^${name} (.*)$`, 'm').exec((await rig.daemon.api('GET', '/metrics')).text)[1]);
const delivered = (number, n) => until(async () => (await of(number)).filter((e) => e.state === 'delivered').length === n,
  { what: `${n} delivered` });

async function ingest(number, n, as = rig.daemon.api.bind(rig.daemon)) {
  const events = [];
  for (let i = 0; i < n; i++)
    events.push({ event: 'incoming_call', did_number: number, caller_id: '+19175550100', call_id: `${number}-${i}` });
  const answer = await as('POST', '/v1/events', events);
  assert.equal(answer.status, 202, answer.text);
}

test('events go after their retention, with deliveries and attempts; the young and the pending stay', async () => {
  const old = await rig.line();
  const young = await rig.line();
  const stuck = await rig.line();
  failing.add(stuck.where);
  await ingest(old.number, 50);
  await ingest(young.number, 5);
  await ingest(stuck.number, 1);
  await delivered(old.number, 50);
  await delivered(young.number, 5);
  await until(async () => {
    const [event] = await of(stuck.number);
    return (await rig.daemon.must('GET', `/v1/events/${event.id}`)).deliveries[0].attempts.length > 0;
  }, { what: 'a first attempt' });
  const then = Date.now() - 31 * day;
  await while_down(`UPDATE events SET occurred_at = ${then} WHERE number IN ('${old.number}', '${stuck.number}');
    INSERT INTO calls (call_id, account, trunk, number, peer, destination, phase, started_at, answered_at, ended_at,
      end_reason, sip_status, simulated, facts, legs) VALUES
      ('call_old', 1, 't', '${old.number}', '+1', '', 2, ${then}, 0, ${then}, 0, 200, 0, '{}', ''),
      ('call_young', 1, 't', '${old.number}', '+1', '', 2, ${Date.now()}, 0, ${Date.now()}, 0, 200, 0, '{}', '')`);
  await until(async () => (await of(old.number)).length === 0, { what: 'the old ones to go' });
  assert.equal((await of(young.number)).length, 5);
  assert.equal((await of(stuck.number)).length, 1, 'a pending one stays');
  await until(async () => (await rig.daemon.api('GET', '/v1/calls/call_old')).status === 404, { what: 'the old call to go' });
  assert.equal((await rig.daemon.api('GET', '/v1/calls/call_young')).status, 200);
  assert.equal(await metric('hookswitch_events_expired_total'), 50);
  failing.delete(stuck.where);
  await rig.daemon.must('POST', `/v1/endpoints/${stuck.endpoint.id}/enable`);
  await rig.receiver.wait(stuck.where, 1);
  assert.equal(await while_down('SELECT (SELECT count(*) FROM deliveries WHERE event_n NOT IN (SELECT n FROM events)) ' +
    "|| ' ' || (SELECT count(*) FROM attempts WHERE delivery_n NOT IN (SELECT n FROM deliveries))"), '0 0');
});

test('an account keeps its events as long as it is set to', async () => {
  const account = await rig.daemon.must('POST', '/v1/accounts', { name: 'short' });
  const { key } = await rig.daemon.must('POST', '/v1/keys', { name: 'its', account: account.id });
  const as = (method, where, body) => rig.daemon.api(method, where, body, { authorization: `Bearer ${key}` });
  const [his, mine] = ['+447911300001', '+447911300002'];
  await rig.daemon.must('POST', '/v1/numbers', { number: his, account: account.id });
  await rig.daemon.must('POST', '/v1/numbers', { number: mine });
  await ingest(his, 3, as);
  await ingest(mine, 3);
  await while_down(`UPDATE events SET occurred_at = ${Date.now() - 10 * day} WHERE number IN ('${his}', '${mine}')`);
  assert.equal((await as('PATCH', `/v1/accounts/${account.id}`, { retention_days: 7 })).status, 403);
  assert.equal((await rig.daemon.api('PATCH', '/v1/accounts/default', { name: 'mine' })).status, 422);
  assert.equal((await rig.daemon.api('PATCH', `/v1/accounts/${account.id}`, { retention_days: 0 })).status, 422);
  assert.equal((await of(his)).length, 3);
  const set = await rig.daemon.must('PATCH', `/v1/accounts/${account.id}`, { retention_days: 7 });
  assert.equal(set.retention_days, 7);
  await until(async () => (await of(his)).length === 0, { what: 'his to go' });
  assert.equal((await of(mine)).length, 3);
});

test("a number's data is erased: nothing of it is left, and nothing of it is sent", async () => {
  const line = await rig.line({ endpoint: { concurrency: 1, retry: { schedule_s: [1], give_up_after_s: 3600 } } });
  const other = await rig.line();
  failing.add(line.where);
  await ingest(other.number, 5);
  await ingest(line.number, 300);
  await delivered(other.number, 5);
  await ingest(line.number, 1); // an event of the number is the newest of all
  const asked = await rig.daemon.must('DELETE', `/v1/numbers/${encodeURIComponent(line.number)}/data`);
  assert.match(asked.id, /^era_/);
  const end = await until(async () => {
    const now = await rig.daemon.must('GET', `/v1/erasures/${asked.id}`);
    return now.state === 'finished' ? now : null;
  }, { what: 'the erasure to finish' });
  assert.equal(end.events, 301);
  assert.equal(end.number, line.number);
  assert.deepEqual(await of(line.number), []);
  assert.equal((await of(other.number)).length, 5);
  assert.ok((await list('')).every((e) => e.event), 'the emptied row is not shown');
  const all = await rig.daemon.must('POST', '/v1/endpoints', rig.receiver.endpoint('/all', { events: ['incoming_call'] }));
  const { count } = await rig.daemon.must('POST', `/v1/endpoints/${all.id}/recover`, { since: 1, dry_run: true });
  assert.equal(count, (await list('')).filter((e) => e.account === all.account && e.event === 'incoming_call').length, 'nor counted');
  assert.equal((await rig.daemon.api('DELETE', `/v1/endpoints/${all.id}`)).status, 204);
  assert.equal((await rig.daemon.must('GET', `/v1/numbers/${encodeURIComponent(line.number)}`)).number, line.number);
  failing.delete(line.where);
  await rig.daemon.must('POST', `/v1/endpoints/${line.endpoint.id}/enable`);
  await until(async () => (await metric('hookswitch_deliveries_pending')) === 0, { what: 'nothing to be pending' });
  await ingest(line.number, 1);
  const [next] = await rig.receiver.wait(line.where, 1);
  assert.equal(rig.receiver.of(line.where).length, 1, 'the new one alone');
  assert.equal(next.call_id, `${line.number}-0`);
  // The endpoint's own outage is told with its URL, in which the tests put the number.
  assert.match(await while_down(`SELECT count(*) FROM events WHERE payload LIKE '%${line.number.slice(1)}%'
    AND payload NOT LIKE '%"event":"endpoint_%'`), /^1$/);
});
