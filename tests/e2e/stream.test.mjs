// The event stream: every event once and in order, across reconnects, kills and slow readers; its filters by account, and its
// limits.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Daemon, key as operator } from './lib/daemon.mjs';
import { Senders } from './lib/load.mjs';
import { EventStream } from './lib/sse.mjs';
import { until } from './lib/until.mjs';

const HEARTBEAT_MS = 200;
let daemon, next = 0;

before(async () => {
  daemon = await Daemon.start({ 'http.stream_heartbeat_ms': HEARTBEAT_MS, 'sip.listen': '' });
});
after(async () => { await daemon?.stop(); });

/** A number, and a function that posts `n` of its events with `key` and gives their ids. */
async function line(on = daemon, key = operator) {
  const number = `+4479113${String(10000 + next++)}`;
  const post = async (n = 1, more = {}) => {
    const events = Array.from({ length: n }, () => ({ event: 'incoming_call', did_number: number, caller_id: '+19175550100', ...more }));
    const answer = await on.api('POST', '/v1/events', events, { authorization: `Bearer ${key}` });
    assert.equal(answer.status, 202);
    return answer.json.data.map((e) => e.id);
  };
  return { number, post };
}

async function customer(name) {
  await daemon.must('POST', '/v1/accounts', { name });
  return daemon.must('POST', '/v1/keys', { name, account: name, scopes: ['read', 'ingest'] });
}

async function opened(options, on = daemon) {
  const stream = new EventStream(on, options);
  assert.equal(await stream.open(), 200);
  await until(() => stream.blocks > 0, { what: 'the first block' });
  return stream;
}

const query = (fields) => `?${new URLSearchParams(fields)}`;

async function metric(name, on = daemon) {
  const text = await (await fetch(`${on.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)[1]);
}

test('from now on: retry and a place at once, then events as they come, and heartbeats', async () => {
  const { post, number } = await line();
  await post(2); // before
  const stream = await opened();
  assert.match(stream.headers['content-type'], /^text\/event-stream$/);
  assert.equal(stream.headers['cache-control'], 'no-store');
  assert.equal(stream.headers['x-accel-buffering'], 'no');
  assert.equal(stream.retry, 1000);
  assert.match(stream.last, /^[0-7][0-9a-hjkmnp-tv-z]{25}$/);
  const ids = await post(3);
  await stream.wait(3);
  assert.deepEqual(stream.ids(), ids);
  assert.deepEqual(Object.keys(stream.events[0].data).slice(0, 6), ['event', 'did_number', 'caller_id', 'timestamp', 'id', 'occurred_at']);
  const listed = await daemon.must('GET', `/v1/events${query({ number, limit: 3 })}`);
  for (const [i, e] of listed.data.reverse().entries())
    assert.deepEqual({ ...e, account: undefined, state: undefined }, { ...stream.events[i].data, account: undefined, state: undefined });
  const heard = stream.comments;
  await until(() => stream.comments >= heard + 3, { what: 'heartbeats' });
  assert.equal(stream.events.length, 3);
  assert.deepEqual(stream.wrong, []);
  stream.close();
});

test('HEAD, other methods, wrong parameters', async () => {
  const where = '/v1/events/stream';
  const head = await daemon.api('HEAD', where);
  assert.equal(head.status, 200);
  assert.match(head.headers.get('content-type'), /event-stream/);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await daemon.api(method, where, method === 'DELETE' ? undefined : {});
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get('allow'), 'GET, HEAD, OPTIONS');
  }
  assert.equal((await daemon.api('GET', where, undefined, { authorization: 'Bearer nobody' })).status, 401);
  for (const [name, value] of [['type', 'nothing'], ['number', '+'.padEnd(80, '1')], ['since', 'yesterday'], ['q', 'x'],
    ['endpoint', 'ep_x'], ['last_event_id', '12'], ['last_event_id', 'n'], ['last_event_id', 'n-1'],
    ['last_event_id', 'n99999999999999999999'], ['call_id', 'x'.repeat(65)]]) {
    const answer = await daemon.api('GET', where + query({ [name]: value }));
    assert.equal(answer.status, 422, `${name}=${value}`);
    assert.equal(answer.json.field, name);
  }
  await until(async () => (await metric('hookswitch_streams')) === 0, { what: 'no stream to be left' });
});

test('a client that goes and comes gets each event once, whenever it goes', async () => {
  const { post, number } = await line();
  const stream = new EventStream(daemon, { query: query({ number }) });
  await stream.open();
  await until(() => stream.blocks, { what: 'a place' });
  const due = [];
  for (let round = 0; round < 25; round++) {
    const hangup = stream.events.length + round % 5;
    stream.onEvent = () => { if (stream.events.length > hangup) stream.close(); };
    const posted = post(1 + round % 7);
    if (stream.ended) await stream.open();
    due.push(...await posted);
  }
  stream.onEvent = undefined;
  stream.close();
  await until(() => stream.ended, { what: 'the end' });
  await stream.open();
  await stream.wait(due.length);
  assert.deepEqual(stream.ids(), due);
  const late = await opened({ query: query({ number, since: '2000-01-01T00:00:00Z' }) }); // all of it, out of the store
  await late.wait(due.length);
  assert.deepEqual(late.ids(), due);
  assert.deepEqual(late.events.map((e) => e.id), stream.events.map((e) => e.id)); // a place is the same text each time
  for (const [i, { id }] of late.events.entries()) { // out of the middle: exactly what came after it
    if (i % 29) continue;
    const rest = await opened({ query: query({ number, last_event_id: id }) });
    await rest.wait(due.length - i - 1);
    assert.deepEqual(rest.ids(), due.slice(i + 1));
    rest.close();
  }
  for (const s of [stream, late]) s.close();
});

test('since: what occurred from then on', async () => {
  const { post, number } = await line();
  const at = async (id) => (await daemon.must('GET', `/v1/events/${id}`)).occurred_at;
  const [first] = await post(1);
  let id;
  do [id] = await post(1); while (await at(id) === await at(first)); // not in the same millisecond
  const stream = await opened({ query: query({ number, since: await at(id) }) });
  await stream.wait(1);
  assert.deepEqual(stream.ids(), [id]);
  const more = await post(2);
  await stream.wait(3);
  assert.deepEqual(stream.ids(), [id, ...more]);
  stream.close();
});

test('filters: number, type, call_id', async () => {
  const a = await line(), b = await line();
  const streams = {
    number: await opened({ query: query({ number: a.number }) }),
    plus: await opened({ query: `?number=${a.number}` }), // the + arrives as a blank
    type: await opened({ query: query({ type: 'call_ended', number: b.number }) }),
    call: await opened({ query: query({ call_id: 'the-call' }) }),
  };
  const [first] = await a.post(1);
  const [second] = await b.post(1, { call_id: 'the-call' });
  const [third] = await b.post(1, { event: 'call_ended', call_id: 'the-call', duration_sec: 1 });
  const due = { number: [first], plus: [first], type: [third], call: [second, third] };
  for (const [name, stream] of Object.entries(streams)) {
    await stream.wait(due[name].length);
    const heard = stream.comments; // a heartbeat later nothing else has come
    await until(() => stream.comments > heard + 1, { what: 'a heartbeat' });
    assert.deepEqual(stream.ids(), due[name], name);
    stream.close();
    const rest = await opened({ query: query({ last_event_id: stream.last }) }); // heartbeats moved the place on
    const since = rest.comments;
    await until(() => rest.comments > since, { what: 'a heartbeat' });
    assert.deepEqual(rest.ids(), [], name);
    rest.close();
  }
});

test('an account sees its own events, the operator all', async () => {
  const { key, id } = await customer('one');
  const own = await line(daemon, key), foreign = await line();
  const his = await opened({ key }), all = await opened();
  const ids = [...await foreign.post(2), ...await own.post(1), ...await foreign.post(1), ...await own.post(1)];
  await all.wait(5);
  await his.wait(2);
  assert.deepEqual(all.ids(), ids);
  assert.deepEqual(his.ids(), [ids[2], ids[4]]);
  const tried = await opened({ key, query: query({ number: foreign.number, since: '2000-01-01T00:00:00Z' }) });
  const heard = tried.comments;
  await until(() => tried.comments > heard + 2, { what: 'heartbeats' });
  assert.deepEqual(tried.ids(), []);
  await daemon.must('DELETE', `/v1/keys/${id}`);
  for (const stream of [his, tried])
    await until(() => stream.ended, { what: 'its streams to end', timeout: 5000 });
  assert.equal(his.why, 'end'); // whole, not torn
  his.last = undefined;
  assert.equal(await his.open(), 401);
  assert.equal(all.ended, false);
  all.close();
});

test('a key without the scope, and one that expires', async () => {
  await daemon.must('POST', '/v1/accounts', { name: 'two' });
  const ingest = await daemon.must('POST', '/v1/keys', { name: 'in', account: 'two', scopes: ['ingest'] });
  assert.equal(await new EventStream(daemon, { key: ingest.key }).open(), 403);
  const brief = await daemon.must('POST', '/v1/keys', { name: 'brief', account: 'two', scopes: ['read'], expires_at_ms: Date.now() + 800 });
  const stream = await opened({ key: brief.key });
  await until(() => stream.ended, { what: 'its end' });
  assert.equal(await stream.open(), 401);
});

test('a slow reader holds nobody up, is cut off when it takes nothing, and has missed nothing', async () => {
  const { post, number } = await line();
  const socket = connect({ host: '127.0.0.1', port: daemon.http });
  let got = '';
  socket.on('data', (text) => { got += text; });
  socket.write(`GET /v1/events/stream?number=${encodeURIComponent(number)} HTTP/1.0\r\nAuthorization: Bearer ${operator}\r\n\r\n`);
  await until(() => got.includes('\n\n'), { what: 'its beginning' });
  socket.pause();
  const quick = await opened({ query: query({ number }) });
  const due = [];
  const open = await metric('hookswitch_streams');
  while (await metric('hookswitch_streams') === open) // more than sockets hold: it stalls
    due.push(...await post(100, { caller_name: 'x'.repeat(2000) }));
  await quick.wait(due.length);
  assert.deepEqual(quick.ids(), due);
  assert.equal(quick.ended, false);
  let closed = false;
  socket.on('close', () => { closed = true; });
  socket.on('error', () => {});
  socket.resume();
  await until(() => closed, { what: 'the end of what was on its way' });
  const slow = new EventStream(daemon, { query: query({ number }) });
  slow.rest = '';
  slow.take(got.slice(got.indexOf('\r\n\r\n') + 4));
  assert.ok(slow.events.length < due.length);
  await slow.open();
  await slow.wait(due.length);
  assert.deepEqual(slow.ids(), due);
  for (const s of [slow, quick]) s.close();
});

test('large events, many at once: live and out of the store', async () => {
  const { post, number } = await line();
  const live = await opened({ query: query({ number }) });
  const more = { event: 'sms_received', from: 'ACME', to: number, message: 'ü'.repeat(7000), did_number: undefined, caller_id: undefined };
  const due = [];
  for (let i = 0; i < 12; i++) due.push(...await post(5, more));
  await live.wait(due.length);
  assert.deepEqual(live.ids(), due);
  const late = await opened({ query: query({ number, since: '2000-01-01T00:00:00Z' }) });
  await late.wait(due.length);
  assert.deepEqual(late.events.map((e) => e.data.message.length), due.map(() => 7000));
  for (const s of [live, late]) s.close();
});

test('1,000 streams at once, each gets every event once and in order', { timeout: 120000 }, async (t) => {
  const many = await Daemon.start({ 'sip.listen': '' });
  const resident = () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${many.process.pid}/status`, 'utf8'))[1]);
  const before = resident();
  const { post } = await line(many);
  const streams = Array.from({ length: 1000 }, () => new EventStream(many));
  for (let i = 0; i < streams.length; i += 50)
    assert.deepEqual(new Set(await Promise.all(streams.slice(i, i + 50).map((s) => s.open()))), new Set([200]));
  await until(() => streams.every((s) => s.blocks), { what: 'all of them', timeout: 30000 });
  assert.equal(await metric('hookswitch_streams', many), 1000);
  const due = [];
  for (let i = 0; i < 10; i++) due.push(...await post(1 + i % 4));
  await until(() => streams.every((s) => s.events.length >= due.length), { what: 'all to have all', timeout: 60000 });
  for (const s of streams) assert.deepEqual(s.ids(), due);
  t.diagnostic(`1,000 streams: ${((resident() - before) / 1000).toFixed(1)} KiB of resident memory each`);
  assert.equal(await new EventStream(many).open(), 429); // its account has its 1,000
  assert.deepEqual(await many.kill('SIGTERM'), { code: 0, signal: null });
  await until(() => streams.every((s) => s.ended), { what: 'all to end', timeout: 30000 });
  assert.deepEqual(new Set(streams.map((s) => s.why)), new Set(['end']));
  await many.stop();
});

test('how many: of an account, and in all', async () => {
  const small = await Daemon.start({ 'sip.listen': '', 'http.stream_heartbeat_ms': HEARTBEAT_MS, 'http.streams_max': 3, 'http.streams_per_account': 2 });
  await small.must('POST', '/v1/accounts', { name: 'one' });
  const { key } = await small.must('POST', '/v1/keys', { name: 'one', account: 'one', scopes: ['read'] });
  const streams = [await opened({}, small), await opened({}, small)];
  const refused = async (status, code, as) => {
    const answer = await small.api('GET', '/v1/events/stream', undefined, as ? { authorization: `Bearer ${as}` } : {});
    assert.equal(answer.status, status);
    assert.equal(answer.json.code, code);
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
  };
  await refused(429, 'too_many_streams');
  streams.push(await opened({ key }, small));
  await refused(503, 'streams_full', key);
  streams[0].close();
  await until(async () => (await metric('hookswitch_streams', small)) === 2, { what: 'its place to be free' });
  streams.push(await opened({ key }, small));
  await refused(503, 'streams_full');
  await small.stop();
});

test('erased events do not come', async () => {
  const a = await line(), b = await line();
  await daemon.must('POST', '/v1/numbers', { number: a.number, label: 'erased' });
  const before = await opened({ query: query({ since: '2000-01-01T00:00:00Z' }) });
  await a.post(5);
  const kept = await b.post(2);
  await until(() => kept.every((id) => before.ids().includes(id)), { what: 'all of them' });
  const job = await daemon.must('DELETE', `/v1/numbers/${encodeURIComponent(a.number)}/data`);
  await until(async () => (await daemon.must('GET', `/v1/erasures/${job.id}`)).state === 'finished', { what: 'the erasure' });
  const after = await opened({ query: query({ since: '2000-01-01T00:00:00Z' }) });
  await until(() => after.ids().includes(kept[1]), { what: 'what is left' });
  assert.ok(after.events.every((e) => e.data.did_number !== a.number));
  for (const s of [before, after]) s.close();
});

test('kill -9 of the daemon under load: resumed streams have all that was accepted, once', { timeout: 300000 }, async (t) => {
  const harsh = await Daemon.start({ 'sip.listen': '', 'http.stream_heartbeat_ms': HEARTBEAT_MS });
  const numbers = [];
  for (let i = 0; i < 3; i++) numbers.push((await line(harsh)).number);
  const all = new EventStream(harsh, { query: '?since=2000-01-01T00:00:00Z' });
  const one = new EventStream(harsh, { query: query({ number: numbers[1], since: '2000-01-01T00:00:00Z' }) });
  const slow = new EventStream(harsh, { query: '?since=2000-01-01T00:00:00Z' });
  slow.onEvent = () => { if (slow.events.length % 97 === 0) slow.close(); }; // and gone again all the time
  for (const s of [all, one, slow]) s.follow();
  const senders = new Senders(harsh, { numbers }).start();
  for (let i = 0; i < 8; i++) {
    await senders.moreAccepted(50 + i * 37);
    await harsh.restart();
    await senders.moreAccepted();
  }
  await senders.stop();
  const accepted = new Map();
  for (const [call, { number, ids }] of senders.calls) accepted.set(call, { number, ids });
  const missing = (stream, of) => {
    const seen = new Set(stream.ids());
    for (const [, { number, ids }] of accepted) if (of(number)) for (const id of ids) if (!seen.has(id)) return id;
    return null;
  };
  const any = () => true, second = (n) => n === numbers[1];
  for (const [stream, of] of [[all, any], [slow, any], [one, second]]) {
    await until(() => missing(stream, of) === null, { what: 'all that was accepted', timeout: 60000, every: 100 })
      .catch((error) => { throw new Error(`${error.message}: ${missing(stream, of)}`); });
    assert.equal(new Set(stream.ids()).size, stream.events.length, 'nothing twice');
    assert.deepEqual(stream.wrong, []);
    const calls = new Map();
    for (const e of stream.events) {
      assert.ok(of(e.data.did_number));
      calls.set(e.data.call_id, [...(calls.get(e.data.call_id) ?? []), e.data.id]);
    }
    for (const [call, ids] of calls) assert.deepEqual(ids, [1, 2, 3].slice(0, ids.length).map((k) => `${call}-${k}`));
  }
  assert.deepEqual(all.ids().slice(0, slow.events.length), slow.ids().slice(0, all.events.length), 'one order for all');
  t.diagnostic(`${senders.accepted} events accepted, 8 kills; connects: ${all.connects}, ${one.connects}, ${slow.connects}`);
  for (const s of [all, one, slow]) await s.stop();
  await harsh.stop();
});
