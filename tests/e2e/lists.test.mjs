// Lists of many rows: pages that are short or empty and go on, and cursors that are opaque and good for their account alone.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Daemon, key as operator } from './lib/daemon.mjs';
import { cli } from './lib/cli.mjs';
import { EventStream } from './lib/sse.mjs';
import { until } from './lib/until.mjs';

const HEARTBEAT_MS = 200, shape = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;
let daemon, one, two;

before(async () => {
  daemon = await Daemon.start({ 'sip.listen': '', 'http.stream_heartbeat_ms': HEARTBEAT_MS });
  [one, two] = [await customer('one'), await customer('two')];
});
after(async () => { await daemon?.stop(); });

async function customer(name) {
  await daemon.must('POST', '/v1/accounts', { name });
  return (await daemon.must('POST', '/v1/keys', { name, account: name, scopes: ['read', 'ingest'] })).key;
}
const as = (key, method, path, body) => daemon.api(method, path, body, { authorization: `Bearer ${key}` });

async function post(key, n, more = {}) {
  const ids = [];
  while (ids.length < n) {
    const events = Array.from({ length: Math.min(200, n - ids.length) }, () =>
      ({ event: 'incoming_call', did_number: '+447911150000', caller_id: '+19175550100', ...more }));
    const answer = await as(key, 'POST', '/v1/events', events);
    assert.equal(answer.status, 202);
    ids.push(...answer.json.data.map((e) => e.id));
  }
  return ids;
}

async function pages(key, path) {
  const all = [];
  for (let cursor = ''; cursor !== null;) {
    const { status, json } = await as(key, 'GET', `${path}${cursor && `&cursor=${cursor}`}`);
    assert.equal(status, 200);
    all.push(json.data.map((row) => row.id));
    cursor = json.next_cursor;
    assert.ok(cursor === null || shape.test(cursor), cursor);
  }
  return all;
}

test('what fits little is found over pages that are empty; the command line goes on by itself', async () => {
  const [oldest] = await post(operator, 1, { caller_name: 'Needle 100%' });
  const many = await post(operator, 12000);
  const found = await pages(operator, '/v1/events?q=needle');
  assert.ok(found.length > 2 && found[0].length === 0, `${found.length} pages`);
  assert.deepEqual(found.flat(), [oldest]);
  const { out, err } = await cli(daemon, ['event', 'list', 'q=needle', '--json']);
  assert.deepEqual(JSON.parse(out).data.map((e) => e.id), [oldest]);
  assert.equal(JSON.parse(out).next_cursor, null);
  assert.equal(err, '');
  const few = JSON.parse((await cli(daemon, ['event', 'list', 'q=no such text', 'limit=3', '--json'])).out);
  assert.deepEqual(few, { data: [], next_cursor: null });
  assert.deepEqual((await pages(operator, '/v1/events?q=100%25')).flat(), [oldest]); // a % is a %
  assert.deepEqual((await pages(operator, '/v1/events?q=n__dle')).flat(), []);
  assert.deepEqual((await pages(operator, '/v1/events?limit=500')).flat(), [oldest, ...many].reverse());
  const type = await pages(operator, '/v1/events?type=ping');
  assert.deepEqual(type.flat(), []);
  assert.equal((await as(operator, 'GET', `/v1/events?q=${'x'.repeat(257)}`)).status, 422);
});

test('a number of ours is found however its + is written', async () => {
  const posted = (await post(two, 1, { did_number: '+447911150009' })).at(-1);
  for (const number of ['%2B447911150009', '+447911150009', '447911150009']) {
    assert.deepEqual((await as(two, 'GET', `/v1/events?number=${number}`)).json.data.map((e) => e.id), [posted], number);
  }
});

test('an account without events is told so at once', async () => {
  assert.deepEqual(await pages(one, '/v1/events?q=needle'), [[]]);
  assert.deepEqual(await pages(one, '/v1/events?limit=1'), [[]]);
});

const cursorOf = async (key, path = '/v1/events?limit=1') => (await as(key, 'GET', path)).json.next_cursor;
const number = (text) => [...text].reduce((n, c) => n * 32n + BigInt('0123456789abcdefghjkmnpqrstvwxyz'.indexOf(c)), 0n);
const far = (a, b) => (a > b ? a - b : b - a) > 1n << 80n; // by chance once in 2^48

test('cursors tell nothing of what others do', async () => {
  const seen = [];
  await post(one, 2);
  for (const burst of [0, 1, 700, 0]) {
    await post(two, burst);
    await post(one, 1);
    seen.push(await cursorOf(one));
  }
  assert.equal(new Set(seen).size, seen.length);
  for (const cursor of seen) assert.match(cursor, shape);
  const n = seen.map(number);
  for (let i = 0; i < n.length; i++)
    for (let k = 0; k < i; k++) {
      assert.ok(far(n[i], n[k]), `${seen[i]} ${seen[k]}`);
      if (k > 0) assert.ok(far(n[i] - n[i - 1], n[k] - n[k - 1]), 'steps of the same size look alike');
    }
});

test('a silent stream does not tell whether others have events', async () => {
  const stream = new EventStream(daemon, { key: one });
  assert.equal(await stream.open(), 200);
  const ids = [];
  const beats = async (n) => {
    for (const from = stream.comments; stream.comments < from + n;) {
      const had = stream.comments;
      await until(() => stream.comments > had, { what: 'a heartbeat' });
      ids.push(stream.last);
    }
  };
  await beats(3);
  await post(two, 5);
  await beats(3);
  assert.equal(new Set(ids).size, ids.length);
  stream.close();
  await until(() => stream.ended, { what: 'the end' });
  const missed = await post(one, 2);
  await stream.open(); // where the heartbeat came to
  await stream.wait(2);
  assert.deepEqual(stream.ids(), missed);
  stream.close();
});

test('a cursor is good for who got it, in its list', async () => {
  await post(two, 3);
  const cursor = await cursorOf(two), refused = async (key, path, field = 'cursor') => {
    const answer = await as(key, 'GET', path);
    assert.equal(answer.status, 422, path);
    assert.equal(answer.json.field, field);
  };
  assert.equal((await as(two, 'GET', `/v1/events?cursor=${cursor}`)).status, 200);
  await refused(one, `/v1/events?cursor=${cursor}`);
  await refused(operator, `/v1/events?account=two&cursor=${cursor}`);
  await refused(two, `/v1/events?cursor=${await cursorOf(operator, '/v1/events?account=two&limit=1')}`);
  for (const list of ['/v1/calls', '/v1/messages', '/v1/messages/threads', '/v1/endpoints', '/v1/audit'])
    await refused(two, `${list}?cursor=${cursor}`);
  await refused(two, `/v1/events/stream?last_event_id=${cursor}`, 'last_event_id');
  for (const bad of ['n5', 'n0', 't5.3', cursor.slice(1), `${cursor}0`, cursor.toUpperCase(), cursor.replace(/.$/, (c) => (c === '0' ? '1' : '0'))])
    await refused(two, `/v1/events?cursor=${bad}`);
  const before = (await as(two, 'GET', `/v1/events?limit=2&cursor=${cursor}`)).json.data.map((e) => e.id);
  await daemon.restart();
  assert.deepEqual((await as(two, 'GET', `/v1/events?limit=2&cursor=${cursor}`)).json.data.map((e) => e.id), before);
});
