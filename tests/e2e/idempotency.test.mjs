// Idempotency-Key: a repeated request gets the first answer again and is done once; also for two at once, and across kill -9.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Rig } from './lib/rig.mjs';
import { key as operatorKey } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

let rig, next = 0;
before(async () => { rig = await Rig.start(); });
after(async () => { await rig?.stop(); });

const fresh = () => `key-${process.pid}-${next++}`;
const post = (where, body, key, headers = {}) => rig.daemon.api('POST', where, body, { 'idempotency-key': key, ...headers });
const call = (line, more = {}) => ({ event: 'incoming_call', did_number: line.number, caller_id: '+19175550100', ...more });
const stored = async (line) => (await rig.daemon.must('GET', `/v1/events?number=${encodeURIComponent(line.number)}&limit=500`)).data;
const replayed = (answer) => answer.headers.get('idempotent-replayed') === 'true';
const sql = (text) => execFileSync('sqlite3', [path.join(rig.daemon.dir, 'hookswitch.db'), text], { encoding: 'utf8' }).trim();

test('ingest without ids: the repeat is the same events', async () => {
  const line = await rig.line();
  const key = fresh();
  const batch = [call(line), call(line), call(line)];
  const first = await post('/v1/events', batch, key);
  assert.equal(first.status, 202);
  assert.equal(replayed(first), false);
  const again = await post('/v1/events', batch, key);
  assert.equal(again.status, 202);
  assert.equal(replayed(again), true);
  assert.equal(again.text, first.text);
  assert.equal(again.headers.get('content-type'), 'application/json');
  await rig.receiver.wait(line.where, 3);
  assert.equal((await stored(line)).length, 3);
  assert.equal((await post('/v1/events', batch, fresh())).json.data.length, 3); // another key: others
  assert.equal((await stored(line)).length, 6);
});

test('the same key with anything else is refused, and the first answer stays', async () => {
  const line = await rig.line();
  const key = fresh();
  const first = await post('/v1/events', call(line), key);
  for (const [where, body] of [['/v1/events', call(line, { caller_name: 'x' })], ['/v1/events', [call(line)]],
    ['/v1/numbers', { number: '+15550008001' }], [`/v1/endpoints/${line.endpoint.id}/test`, undefined]]) {
    const refused = await post(where, body, key);
    assert.equal(refused.status, 422, where);
    assert.equal(refused.json.code, 'idempotency_key_reused');
    assert.match(refused.json.detail, /used for another request/);
    assert.equal(replayed(refused), false);
  }
  assert.equal((await post('/v1/events', call(line), key)).text, first.text);
  assert.equal((await stored(line)).length, 1);
  assert.equal((await rig.daemon.api('GET', '/v1/numbers/%2B15550008001')).status, 404);
});

test('two at once, twenty at once: one is done, all get its answer', async () => {
  const line = await rig.line();
  for (const [n, body] of [[2, call(line)], [20, [call(line), call(line)]]]) {
    const key = fresh();
    const before = (await stored(line)).length;
    const answers = await Promise.all(Array.from({ length: n }, () => post('/v1/events', body, key)));
    assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([202]));
    assert.equal(new Set(answers.map((a) => a.text)).size, 1);
    assert.equal(answers.filter((a) => !replayed(a)).length, 1);
    assert.equal((await stored(line)).length, before + [body].flat().length);
  }
  const numbers = await Promise.all(Array.from({ length: 10 }, () => post('/v1/numbers', { number: '+15550008010' }, 'ten')));
  assert.deepEqual(numbers.map((a) => a.status), Array(10).fill(201));
  assert.equal(numbers.filter((a) => !replayed(a)).length, 1);
});

test('settings: created once, answered with ETag and Location; an error is not kept', async () => {
  const key = fresh();
  const body = { number: '+15550008020', label: 'one' };
  assert.equal((await post('/v1/numbers', { number: '1555' }, key)).status, 422);
  const first = await post('/v1/numbers', body, key);
  assert.equal(first.status, 201);
  const again = await post('/v1/numbers', body, key);
  assert.equal(again.status, 201);
  assert.equal(replayed(again), true);
  for (const name of ['etag', 'location']) assert.equal(again.headers.get(name), first.headers.get(name));
  assert.equal(again.text, first.text);
  assert.equal((await rig.daemon.api('POST', '/v1/numbers', body)).status, 409); // without the key it is what it was
  await rig.daemon.api('DELETE', '/v1/numbers/%2B15550008020');
  assert.equal((await post('/v1/numbers', body, key)).status, 201); // said again; nothing is made
  assert.equal((await rig.daemon.api('GET', '/v1/numbers/%2B15550008020')).status, 404);
});

test('secrets that are shown once: again to whom they were shown, to nobody else, and not in the store', async () => {
  const made = fresh(), body = { name: 'of the test', scopes: ['read', 'write'] };
  const first = await post('/v1/keys', body, made);
  assert.match(first.json.key, /^hsk_/);
  assert.equal((await post('/v1/keys', body, made)).json.key, first.json.key);
  const other = await post('/v1/keys', body, made, { authorization: `Bearer ${first.json.key}` });
  assert.equal(other.status, 422);
  assert.equal(other.json.code, 'idempotency_key_reused');
  assert.doesNotMatch(other.text, /hsk_/);
  for (const name of execFileSync('find', [rig.daemon.dir, '-type', 'f'], { encoding: 'utf8' }).trim().split('\n')) {
    const bytes = readFileSync(name);
    for (const secret of [first.json.key, operatorKey, Buffer.from(first.json.key).toString('base64').slice(0, 40)])
      assert.equal(bytes.includes(secret), false, name);
  }
  const line = await rig.line();
  const rotate = fresh();
  const one = await post(`/v1/endpoints/${line.endpoint.id}/rotate-secret`, undefined, rotate);
  const two = await post(`/v1/endpoints/${line.endpoint.id}/rotate-secret`, undefined, rotate);
  assert.equal(two.json.secret, one.json.secret);
  rig.receiver.expect(line.where, one.json); // it is the one that signs: rotated once
  await rig.daemon.must('POST', '/v1/events', call(line));
  await rig.receiver.wait(line.where, 1);
});

test('test, resend, recover: once each', async () => {
  const line = await rig.line();
  const [ping, resend, recover] = [fresh(), fresh(), fresh()];
  const { data: [{ id }] } = await rig.daemon.must('POST', '/v1/events', call(line));
  await rig.receiver.wait(line.where, 1);
  for (let i = 0; i < 3; i++) {
    assert.equal((await post(`/v1/endpoints/${line.endpoint.id}/test`, undefined, ping)).status, 202);
    assert.equal((await post(`/v1/events/${id}/resend`, {}, resend)).status, 202);
  }
  assert.equal((await rig.daemon.must('GET', `/v1/events/${id}`)).deliveries.length, 2);
  const since = new Date(Date.now() - 3600e3).toISOString();
  const jobs = [];
  for (let i = 0; i < 2; i++) {
    jobs.push((await post(`/v1/endpoints/${line.endpoint.id}/recover`, { since }, recover)).json);
    await until(async () => (await rig.daemon.must('GET', `/v1/recoveries/${jobs[0].id}`)).state === 'finished');
  }
  assert.deepEqual(jobs[1], jobs[0]);
  assert.equal((await rig.daemon.must('GET', `/v1/endpoints/${line.endpoint.id}/recoveries`)).data.length, 1);
  await rig.daemon.must('POST', '/v1/events', call(line, { call_id: 'last' }));
  await until(() => rig.receiver.of(line.where).some((e) => e.body.call_id === 'last'));
  assert.deepEqual(rig.receiver.names(line.where).sort(), ['incoming_call', 'incoming_call', 'incoming_call', 'ping']);
});

test('a simulated call and message: once each', async () => {
  const line = await rig.line();
  await rig.daemon.must('PATCH', `/v1/numbers/${encodeURIComponent(line.number)}`, { sms: true });
  for (const body of [{ kind: 'call', number: line.number }, { kind: 'sms', number: line.number, message: 'hello' }]) {
    const key = fresh();
    const before = (await stored(line)).length;
    const first = await post('/v1/simulate', body, key);
    assert.equal(first.status, 202, first.text);
    const made = (await stored(line)).length;
    assert.ok(made > before);
    for (let i = 0; i < 3; i++) assert.deepEqual((await post('/v1/simulate', body, key)).json, first.json);
    assert.equal((await stored(line)).length, made);
  }
});

test('keys are an account\'s own; what is no key is refused; other methods have none', async () => {
  const line = await rig.line();
  await rig.daemon.must('POST', '/v1/accounts', { name: 'keyed' });
  const { key: his } = await rig.daemon.must('POST', '/v1/keys', { name: 'his', account: 'keyed' });
  const key = fresh();
  assert.equal((await post('/v1/events', call(line), key)).status, 202);
  const other = await post('/v1/events', { ...call(line), caller_name: 'of another account' }, key, { authorization: `Bearer ${his}` });
  assert.equal(other.status, 202);
  assert.equal(replayed(other), false);
  for (const bad of ['x'.repeat(256), 'a b', 'ü', '']) {
    const refused = await post('/v1/events', call(line), bad);
    assert.equal(refused.status, 422, bad);
    assert.equal(refused.json.field, 'Idempotency-Key');
  }
  assert.equal((await post('/v1/events', call(line), 'x'.repeat(255))).status, 202);
  const got = await rig.daemon.api('GET', '/v1/numbers', undefined, { 'idempotency-key': key });
  assert.equal(got.status, 200);
  assert.equal((await rig.daemon.api('POST', '/v1/numbers', {}, { authorization: 'Bearer hsk_wrong', 'idempotency-key': key })).status, 401);
});

test('kill -9 while senders repeat until they are heard: one event a key', async () => {
  const line = await rig.line();
  const ids = new Map();
  let stop = false, kills = 0;
  const sender = async (who) => {
    for (let i = 0; !stop || i < 20; i++) {
      const key = `kill-${process.pid}-${who}-${i}`;
      const body = call(line, { caller_name: key });
      for (;;) {
        const answer = await post('/v1/events', body, key).catch(() => null);
        if (answer?.status === 202) {
          ids.set(key, answer.json.data[0].id);
          break;
        }
        if (answer) assert.ok(answer.status >= 500, answer.text);
        await new Promise(setImmediate);
      }
    }
  };
  const senders = [0, 1, 2, 3].map(sender);
  while (kills < 5) {
    const goal = ids.size + 40;
    await until(() => ids.size >= goal, { what: 'more events' });
    await rig.daemon.restart();
    kills++;
  }
  stop = true;
  await Promise.all(senders);
  const seen = () => {
    const all = new Map();
    for (const e of rig.receiver.of(line.where)) all.set(e.body.id, e.body.caller_name);
    return all;
  };
  await until(() => seen().size >= ids.size, { what: 'all events', timeout: 20000 });
  assert.equal(Number(sql(`SELECT count(*) FROM events WHERE number = '${line.number}'`)), ids.size);
  const events = seen();
  assert.equal(events.size, ids.size);
  for (const [key, id] of ids) assert.equal(events.get(id), key);
});

test('after a day it is forgotten, and the key is new', async () => {
  const line = await rig.line();
  const key = fresh();
  for (let i = 0; i < 30; i++) await post('/v1/events', call(line), fresh()); // several chunks of them
  const first = await post('/v1/events', call(line), key);
  await rig.daemon.kill('SIGTERM');
  assert.ok(Number(sql('SELECT count(*) FROM idempotency')) > 30);
  sql(`UPDATE idempotency SET created_at = created_at - 86400000 - 1000 WHERE key <> '${key}'`);
  await rig.daemon.run();
  await until(() => sql('SELECT count(*) FROM idempotency') === '1', { what: 'the old ones to go' });
  assert.equal((await post('/v1/events', call(line), key)).text, first.text);
  await rig.daemon.kill('SIGTERM');
  sql('UPDATE idempotency SET created_at = created_at - 86400000 - 1000');
  await rig.daemon.run();
  await until(() => sql('SELECT count(*) FROM idempotency') === '0', { what: 'the last to go' });
  assert.notEqual((await post('/v1/events', call(line), key)).text, first.text);
});
