// Messages as people read them: the list with its filters, threads, pages that stay right while messages come and go.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Rig } from './lib/rig.mjs';
import { until } from './lib/until.mjs';

let rig;
before(async () => { rig = await Rig.start(); });
after(async () => { await rig?.stop(); });

const q = encodeURIComponent;
const sms = (line, from, message, more = {}) => ({ event: 'sms_received', from, to: line.number, message, ...more });
const call = (line) => ({ event: 'incoming_call', did_number: line.number, caller_id: '+19175550100' });
const get = async (query = '') => rig.daemon.must('GET', `/v1/messages?${query}`);
const threads = async (query = '') => rig.daemon.must('GET', `/v1/messages/threads?${query}`);
const texts = (list) => list.data.map((m) => m.message);

/** All pages, from the first. */
async function pages(where, query, each = async () => {}) {
  const all = [];
  for (let cursor = '', n = 0; ; n++) {
    const page = await rig.daemon.must('GET', `${where}?${query}${cursor && `&cursor=${cursor}`}`);
    all.push(...page.data);
    if (!page.next_cursor) return all;
    cursor = page.next_cursor;
    await each(n);
  }
}

test('a message is what was sent, with its state', async () => {
  const line = await rig.line();
  const { data: [{ id }] } = await rig.daemon.must('POST', '/v1/events', sms(line, 'ACME', 'ünï "quoted" 😀',
    { message_id: 'm-1', encoding: 'ucs2', parts: 2, partial: true, timestamp: '2024-11-15T14:33:12Z' }));
  await rig.daemon.must('POST', '/v1/events', call(line));
  await rig.receiver.wait(line.where, 2);
  await until(async () => (await get(`number=${q(line.number)}`)).data[0].state === 'delivered');
  const { data, next_cursor } = await get(`number=${q(line.number)}`);
  assert.equal(next_cursor, null);
  assert.equal(data.length, 1);
  const { received_at, account, ...message } = data[0];
  assert.match(account, /^acc_/);
  assert.ok(Math.abs(Date.parse(received_at) - Date.now()) < 60000);
  assert.deepEqual(message, { id, message_id: 'm-1', from: 'ACME', to: line.number, message: 'ünï "quoted" 😀',
    timestamp: '2024-11-15T14:33:12Z', encoding: 'ucs2', parts: 2, partial: true, state: 'delivered' });
  await rig.daemon.must('POST', '/v1/events', sms(line, '60060', 'bare'));
  const [bare] = (await get(`number=${q(line.number)}`)).data;
  assert.deepEqual([bare.message_id, bare.encoding, bare.parts, bare.partial], [null, null, null, null]);
});

test('filters: number, peer, time, text', async () => {
  const [one, two] = [await rig.line(), await rig.line()];
  await rig.daemon.must('POST', '/v1/events', [sms(one, '+19175550100', 'Hello one'), sms(one, 'ACME', '50% "off"'),
    sms(two, '+19175550100', 'hello TWO'), call(one)]);
  const since = new Date().toISOString();
  assert.deepEqual(texts(await get(`number=${q(one.number)}`)), ['50% "off"', 'Hello one']);
  assert.deepEqual(texts(await get(`number=${one.number}`)), ['50% "off"', 'Hello one']); // its + not escaped
  assert.deepEqual(texts(await get(`number=${q(one.number)}&peer=${q('+19175550100')}`)), ['Hello one']);
  assert.deepEqual(texts(await get(`number=${q(one.number)}&peer=ACME`)), ['50% "off"']);
  assert.deepEqual(texts(await get('q=HELLO')), ['hello TWO', 'Hello one']);
  assert.deepEqual(texts(await get(`q=${q('50% "OFF"')}`)), ['50% "off"']);
  assert.deepEqual(texts(await get('q=sms_received')), []); // not the names of fields
  assert.deepEqual(texts(await get('q=xyzzy')), []);
  assert.deepEqual(texts(await get(`q=acme&number=${q(one.number)}`)), ['50% "off"']);
  assert.deepEqual(texts(await get(`number=${q(two.number)}&since=${since}`)), []);
  await until(() => Date.now() > Date.parse(since));
  await rig.daemon.must('POST', '/v1/events', sms(two, '+19175550100', 'later'));
  assert.deepEqual(texts(await get(`number=${q(two.number)}&since=${since}`)), ['later']);
  assert.deepEqual(texts(await get(`number=${q(two.number)}&until=${since}`)), ['hello TWO']);
  for (const bad of ['limit=0', 'limit=501', 'cursor=x', 'since=yesterday', 'since=2024-02-30T00:00:00Z', `q=${'x'.repeat(129)}`])
    assert.equal((await rig.daemon.api('GET', `/v1/messages?${bad}`)).status, 422, bad);
  for (const bad of ['limit=0', 'cursor=n5', 'cursor=t5', 'cursor=t5.x', 'cursor=t5.3'])
    assert.equal((await rig.daemon.api('GET', `/v1/messages/threads?${bad}`)).status, 422, bad);
});

test('pages of messages neither repeat nor leave out, while messages come', async () => {
  const line = await rig.line();
  await rig.daemon.must('POST', '/v1/events', Array.from({ length: 25 }, (_, i) => sms(line, `+1917555${1000 + i % 3}`, `text ${i}`)));
  const seen = await pages('/v1/messages', `number=${q(line.number)}&limit=4`,
    () => rig.daemon.must('POST', '/v1/events', sms(line, '+19175551000', 'meanwhile')));
  assert.deepEqual(seen.map((m) => m.message), Array.from({ length: 25 }, (_, i) => `text ${24 - i}`));
});

test('threads: the last message of each, newest first, as of the first page', async () => {
  const line = await rig.line();
  const peers = Array.from({ length: 12 }, (_, i) => `+19175552${String(i).padStart(3, '0')}`);
  const batch = [];
  for (let round = 0; round < 3; round++) for (const p of peers) batch.push(sms(line, p, `${round} of ${p}`));
  batch.push(sms(line, peers[3], 'last of three'));
  await rig.daemon.must('POST', '/v1/events', batch);
  const due = [peers[3], ...[...peers].reverse().filter((p) => p !== peers[3])];
  const { data } = await threads(`number=${q(line.number)}`);
  assert.deepEqual(data.map((t) => t.peer), due);
  assert.deepEqual(data.map((t) => t.count), [4, ...Array(11).fill(3)]);
  assert.equal(data[0].number, line.number);
  assert.equal(data[0].more, false);
  assert.equal(data[0].last.message, 'last of three');
  assert.equal(data[0].last_at, data[0].last.received_at);
  assert.equal(data[1].last.message, `2 of ${peers[11]}`);
  // A message for a thread that is still to come, and one of a new thread, between two pages.
  const seen = await pages('/v1/messages/threads', `number=${q(line.number)}&limit=5`, (n) =>
    rig.daemon.must('POST', '/v1/events', [sms(line, due[11], `moved ${n}`), sms(line, `+1917555300${n}`, 'new')]));
  assert.deepEqual(seen.map((t) => t.peer), due);
  assert.equal(seen[11].count, 3);
  assert.equal((await threads(`number=${q(line.number)}`)).data[1].peer, due[11]);
  const all = await threads('limit=500');
  assert.equal(new Set(all.data.map((t) => `${t.number} ${t.peer}`)).size, all.data.length);
});

test('an account sees its own messages and threads', async () => {
  const line = await rig.line();
  await rig.daemon.must('POST', '/v1/events', sms(line, '+19175550100', 'of the default account'));
  await rig.daemon.must('POST', '/v1/accounts', { name: 'reader' });
  const { key } = await rig.daemon.must('POST', '/v1/keys', { name: 'his', account: 'reader' });
  const as = async (method, where, body) => (await rig.daemon.api(method, where, body, { authorization: `Bearer ${key}` })).json;
  const number = q(line.number);
  for (const where of ['/v1/messages', `/v1/messages?number=${number}`, `/v1/messages?number=${number}&peer=${q('+19175550100')}`,
    '/v1/messages?q=default', '/v1/messages/threads', `/v1/messages/threads?number=${number}`])
    assert.deepEqual(await as('GET', where), { data: [], next_cursor: null }, where);
  await as('POST', '/v1/events', sms(line, '+19175550100', 'of his own')); // the same number and peer
  assert.deepEqual(texts(await as('GET', `/v1/messages?number=${number}&peer=${q('+19175550100')}`)), ['of his own']);
  const [thread] = (await as('GET', '/v1/messages/threads')).data;
  assert.equal(thread.count, 1);
  assert.equal('account' in thread.last, false);
  assert.deepEqual(texts(await get(`number=${number}&peer=${q('+19175550100')}`)), ['of his own', 'of the default account']);
  assert.deepEqual((await threads(`number=${number}`)).data.map((t) => t.last.message), ['of his own', 'of the default account']);
});

test('what is erased is in neither', async () => {
  const line = await rig.line();
  await rig.daemon.must('POST', '/v1/events', Array.from({ length: 5 }, (_, i) => sms(line, `+1917555400${i % 2}`, `text ${i}`)));
  assert.equal((await threads(`number=${q(line.number)}`)).data.length, 2);
  const { id } = await rig.daemon.must('DELETE', `/v1/numbers/${q(line.number)}/data`);
  await until(async () => (await rig.daemon.must('GET', `/v1/erasures/${id}`)).state === 'finished');
  assert.deepEqual((await get(`number=${q(line.number)}`)).data, []);
  assert.deepEqual((await threads(`number=${q(line.number)}`)).data, []);
  const all = JSON.stringify([await pages('/v1/messages', 'limit=500'), await pages('/v1/messages/threads', 'limit=500')]);
  assert.doesNotMatch(all, new RegExp(`erased_|\\${line.number}`));
});
