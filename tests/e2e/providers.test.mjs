// POST /v1/ingest/sms: SMS providers, under their own field names.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Rig } from './lib/rig.mjs';
import { lockStore } from './lib/storelock.mjs';
import { until } from './lib/until.mjs';

let rig, ingest;
before(async () => {
  rig = await Rig.start();
  ingest = await rig.daemon.must('POST', '/v1/keys', { name: 'provider', scopes: ['ingest'] });
});
after(async () => { await rig?.stop(); });

const stored = async (line) => (await rig.daemon.must('GET', `/v1/events?number=${encodeURIComponent(line.number)}`)).data;
const form = (fields) => new URLSearchParams(fields).toString();
async function provider(body, { query = '', type = 'application/x-www-form-urlencoded', auth = `Bearer ${ingest.key}`, headers = {}, method = 'POST' } = {}) {
  const answer = await fetch(`${rig.daemon.url}/v1/ingest/sms${query}`, { method, body,
    headers: { ...(type ? { 'content-type': type } : {}), ...(auth ? { authorization: auth } : {}), ...headers } });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: text ? JSON.parse(text) : undefined };
}
const basic = (user, password) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
async function sms_line(more = {}) {
  const line = await rig.line(more);
  await rig.daemon.must('PATCH', `/v1/numbers/${encodeURIComponent(line.number)}`, { sms: true });
  return line;
}

test('the ways of several providers, as form and as JSON', async () => {
  const line = await sms_line();
  const bare = line.number.slice(1);
  const json = (o) => [JSON.stringify(o), { type: 'application/json; charset=utf-8' }];
  const posts = [
    [form({ MessageSid: 'SM1', AccountSid: 'AC1', From: '+19175550100', To: line.number, Body: 'of twilio', NumMedia: '0' })],
    [form({ msisdn: '19175550100', to: bare, messageId: 'V1', text: 'of vonage', type: 'text', keyword: 'OF', 'message-timestamp': '2024-01-01 00:00:00' })],
    [form({ From: '19175550100', To: bare, Text: 'of plivo', MessageUUID: 'P1' })],
    [`from=+19175550100&to=${line.number}&text=plus+not+escaped&message_id=4`],
    json({ from: 19175550100, to: bare, text: 'numbers ünï', message_id: 5, extra: { deep: [1] } }),
    json({ data: { payload: { from: { phone_number: '+19175550100' }, to: [{ phone_number: line.number }], text: 'nested', id: 'T1' } } }),
    [form({ sender: 'ACME', recipient: `00${bare}`, content: 'a name', id: '7' })],
    [form({ source: '60060', destination: line.number, message: 'short code', id: '8' })],
    [form({ who: '0019175550100', whom: line.number, what: 'named by the request', ref: '9', from: 'x', text: 'y' })],
    [form({ from: '', to: line.number, text: '' })],
  ];
  posts[5][1].query = '?from=data.payload.from.phone_number&to=data.payload.to.0.phone_number&text=data.payload.text&message_id=data.payload.id';
  posts[8][1] = { query: '?from=nothing|who&to=whom&text=what&message_id=ref' };
  for (const [body, more] of posts) {
    const answer = await provider(body, more);
    assert.equal(answer.status, 202, `${body}: ${answer.text}`);
    assert.equal(answer.json.duplicate, false);
  }
  const events = await rig.receiver.wait(line.where, posts.length);
  assert.ok(events.every((e) => e.event === 'sms_received' && e.to === line.number && e.parts === 1 && e.partial === false));
  assert.deepEqual(events.map((e) => [e.from, e.message, e.message_id]).sort((a, b) => (a[2] < b[2] ? -1 : 1)).filter((e) => !/^msg_/.test(e[2])), [
    ['+19175550100', 'plus not escaped', '4'], ['+19175550100', 'numbers ünï', '5'], ['ACME', 'a name', '7'], ['60060', 'short code', '8'],
    ['+19175550100', 'named by the request', '9'], ['+19175550100', 'of plivo', 'P1'], ['+19175550100', 'of twilio', 'SM1'],
    ['+19175550100', 'nested', 'T1'], ['+19175550100', 'of vonage', 'V1']]);
  assert.deepEqual(events.filter((e) => /^msg_/.test(e.message_id)).map((e) => [e.from, e.message]), [['unknown', '']]);
});

test('a sender is taken as sent; a number in it is E.164', async () => {
  const line = await sms_line();
  const senders = { 12: '12', '07700900123': '07700900123', 'a name of some thirty letters.': 'a name of some thirty letters.',
    'whatsapp:+447700900123': 'whatsapp:+447700900123', '+44 (0)7700 900123': '+447700900123', 'tel:+44-7700-900123': '+447700900123' };
  for (const from of Object.keys(senders)) assert.equal((await provider(form({ from, to: line.number, text: from }))).status, 202, from);
  for (const from of ['12', '07700900123', 'whatsapp:+447700900123'])
    await rig.daemon.must('POST', '/v1/events', { event: 'sms_received', from, to: line.number, message: from });
  const events = await rig.receiver.wait(line.where, Object.keys(senders).length + 3);
  for (const e of events) assert.equal(e.from, senders[e.message]);
});

const JSON_TYPE = { type: 'application/json' };
test('several messages of one post: each is answered, and none is lost silently', async () => {
  const line = await sms_line();
  const infobip = (...texts) => JSON.stringify({ results: texts.map(([messageId, to, text]) => ({ messageId, from: '19175550100', to, text })) });
  const query = '?from=results.*.from&to=results.*.to&text=results.*.text&message_id=results.*.messageId';
  const both = await provider(infobip(['i1', line.number, 'one'], ['i2', line.number, 'two']), { ...JSON_TYPE, query });
  assert.deepEqual([both.status, both.json], [202, { data: [{ message_id: 'i1', duplicate: false }, { message_id: 'i2', duplicate: false }] }]);
  const mixed = await provider(infobip(['i2', line.number, 'two'], ['i3', '+15550000001', 'lost?'], ['i4', line.number, 'four']), { ...JSON_TYPE, query });
  assert.equal(mixed.status, 404);
  assert.deepEqual(mixed.json.data, [{ message_id: 'i2', duplicate: true }, { error: 'not_found' }, { message_id: 'i4', duplicate: false }]);
  const root = [1, 2].map((n) => ({ type: 'message-received', message: { id: `b${n}`, from: '+19175550100', to: [line.number], text: `root ${n}` } }));
  root.push({ type: 'message-delivered', message: { id: 'b3', from: line.number, to: ['+19175550100'] } });
  const way = '?from=message.from&to=message.to.0&text=message.text&message_id=message.id&only=type:message-received';
  const bandwidth = await provider(JSON.stringify(root), { ...JSON_TYPE, query: way });
  assert.deepEqual([bandwidth.status, bandwidth.json.data[2]], [202, { ignored: true }]);
  const starred = await provider(JSON.stringify(root.slice(0, 1)), { ...JSON_TYPE, query: '?from=*.message.from&to=*.message.to.0&text=*.message.text&message_id=*.message.id' });
  assert.deepEqual(starred.json.data, [{ message_id: 'b1', duplicate: true }]);
  assert.deepEqual((await provider('[]', JSON_TYPE)).json, { data: [] });
  assert.equal((await provider(JSON.stringify(Array(1001).fill({})), JSON_TYPE)).status, 422);
  assert.deepEqual((await rig.receiver.wait(line.where, 5)).map((e) => e.message).sort(), ['four', 'one', 'root 1', 'root 2', 'two']);
});

test('the rules of a URL: a scheme, a country, parts, what is no text', async () => {
  const line = await sms_line();
  const post = async (fields, query) => { const a = await provider(form({ to: line.number, ...fields }), { query }); assert.equal(a.status, 202, a.text); return a.json; };
  await post({ from: 'WhatsApp:+19175550100', to: `whatsapp:${line.number}`, text: 'scheme' }, '?strip=whatsapp:');
  await post({ from: '07700900123', text: 'national' }, '?country=44&national_prefix=0');
  await post({ msisdn: '447700900123', text: 'se', 'concat-ref': 'r', 'concat-total': '2', 'concat-part': '1' });
  await post({ msisdn: '447700900123', text: 'wn', 'concat-ref': 'r', 'concat-total': '2', 'concat-part': '2' });
  assert.deepEqual(await post({ Status: 'delivered' }, '?only=Status:received|inbound'), { ignored: true });
  const events = await rig.receiver.wait(line.where, 3);
  assert.deepEqual(events.map((e) => [e.message, e.from, e.parts]).sort(), [['national', '+447700900123', 1], ['scheme', '+19175550100', 1], ['sewn', '+447700900123', 2]]);
});

test('JSON with a mark, NUL and half pairs is read as over SMPP', async () => {
  const line = await sms_line();
  const body = `\uFEFF{"from":"ACME","to":"${line.number}","text":"\\ufeffa\\u0000b\\ud83dc\\ude00d\\ud83d\\ude00e\\\\u0000"}`;
  assert.equal((await provider(body, JSON_TYPE)).status, 202);
  const [event] = await rig.receiver.wait(line.where, 1);
  assert.equal(event.message, 'a\ufffdb\ufffdc\ufffdd\u{1f600}e\\u0000');
});

test('the provider\'s repeat is absorbed; without an id, Idempotency-Key is one', async () => {
  const line = await sms_line();
  const body = form({ from: '+19175550100', to: line.number, text: 'once', id: 'r-1' });
  assert.equal((await provider(body)).json.duplicate, false);
  const again = await Promise.all(Array.from({ length: 5 }, () => provider(body)));
  assert.deepEqual(again.map((a) => [a.status, a.json]), Array(5).fill([202, { message_id: 'r-1', duplicate: true }]));
  const bare = form({ from: '+19175550100', to: line.number, text: 'no id' });
  const headers = { 'idempotency-key': 'mine-1' };
  assert.deepEqual((await provider(bare, { headers })).json, { message_id: 'mine-1', duplicate: false });
  assert.deepEqual((await provider(bare, { headers })).json, { message_id: 'mine-1', duplicate: true });
  const [one, two] = [await provider(bare), await provider(bare)];
  assert.notEqual(one.json.message_id, two.json.message_id); // nobody can tell that they are the same
  assert.equal((await rig.receiver.wait(line.where, 4)).length, 4);
  assert.equal((await stored(line)).length, 4);
});

test('Bearer or Basic with the key as password; the scope is needed, and no key is taken from the URL', async () => {
  const line = await sms_line();
  const body = form({ from: '+19175550100', to: line.number, text: 'm' });
  for (const auth of [basic('anyone', ingest.key), basic('', ingest.key), `basic ${Buffer.from(`x:${ingest.key}`).toString('base64')}`])
    assert.equal((await provider(body, { auth })).status, 202, auth);
  for (const auth of [null, 'Bearer hsk_wrong', basic(ingest.key, 'x'), basic('x', ''), 'Basic !!!', 'Basic', `Basic ${ingest.key}`]) {
    const refused = await provider(body, { auth, query: `?key=${ingest.key}&token=${ingest.key}` });
    assert.equal(refused.status, 401, auth);
    assert.equal(refused.headers.get('www-authenticate'), 'Basic realm="hookswitch", Bearer');
  }
  const { key: reader } = await rig.daemon.must('POST', '/v1/keys', { name: 'reader', scopes: ['read', 'write'] });
  assert.equal((await provider(body, { auth: `Bearer ${reader}` })).status, 403);
  assert.equal((await rig.daemon.api('GET', '/v1/numbers', undefined, { authorization: basic('x', ingest.key) })).status, 401); // here alone
  assert.equal((await provider(undefined, { method: 'GET', type: null })).status, 405);
});

test('a number that is not ours, does not take messages, or is another account\'s: 404 and no event', async () => {
  const ours = await sms_line();
  const voice = await rig.line();
  await rig.daemon.must('PATCH', `/v1/numbers/${encodeURIComponent(voice.number)}`, { sms: false });
  await rig.daemon.must('POST', '/v1/accounts', { name: 'other provider' });
  const { key: foreign } = await rig.daemon.must('POST', '/v1/keys', { name: 'f', account: 'other provider', scopes: ['ingest'] });
  const post = (to, auth) => provider(form({ from: '+19175550100', to, text: 'm', id: '1' }), auth ? { auth: `Bearer ${auth}` } : {});
  const answers = [await post('+15550000001'), await post(voice.number), await post(ours.number, foreign), await post('not a number'), await post('')];
  for (const a of answers) {
    assert.equal(a.status, 404);
    assert.equal(a.text, answers[0].text);
  }
  for (const line of [ours, voice]) assert.deepEqual(await stored(line), []);
});

test('what is wrong with a post is said; and the answer may be 200 or 204', async () => {
  const line = await sms_line();
  const good = { from: '+19175550100', to: line.number, text: 'm' };
  const check = async (status, code, body, more) => {
    const answer = await provider(body, more);
    assert.equal(answer.status, status, `${body}: ${answer.text}`);
    assert.equal(answer.json.code, code);
    return answer.json;
  };
  for (const field of ['from', 'to', 'text']) {
    const { [field]: _, ...rest } = good;
    assert.equal((await check(422, 'invalid_field', form(rest))).field, field);
  }
  assert.equal((await check(422, 'invalid_field', form({ ...good, from: 'x'.repeat(129) }))).field, 'from');
  assert.equal((await check(422, 'invalid_field', form({ ...good, text: 'x'.repeat(49153) }))).field, 'text');
  assert.equal((await check(422, 'invalid_field', form({ ...good, id: 'x'.repeat(256) }))).field, 'message_id');
  assert.equal((await check(422, 'invalid_field', form(good), { query: '?status=201' })).field, 'status');
  assert.equal((await check(422, 'invalid_field', form(good), { query: '?from=' })).field, 'from');
  await check(400, 'bad_form', 'from=%zz&to=1&text=x');
  await check(400, 'bad_form', 'from=%ff&to=1&text=x');
  await check(400, 'bad_json', '{', { type: 'application/json' });
  await check(400, 'bad_json', '7', { type: 'application/json' });
  for (const query of ['?only=x', '?country=+44', '?national_prefix=x', '?country=12345']) await check(422, 'invalid_field', form(good), { query });
  await check(415, 'unsupported_media_type', form(good), { type: 'text/plain' });
  await check(415, 'unsupported_media_type', form(good), { type: 'multipart/form-data; boundary=x' });
  await check(413, 'too_large', 'x='.padEnd(256 * 1024 + 1, 'x'));
  assert.deepEqual(await stored(line), []);
  assert.equal((await provider(form(good), { query: '?status=200' })).status, 200);
  const empty = await provider(form({ ...good, text: 'x'.repeat(49152) }), { query: '?status=204' });
  assert.deepEqual([empty.status, empty.text], [204, '']);
  assert.equal((await stored(line)).length, 2);
});

test('while the store cannot write the provider is told to come again, and then nothing is there twice', async () => {
  const line = await sms_line();
  const body = form({ from: '+19175550100', to: line.number, text: 'm', id: 'locked' });
  const unlock = await lockStore(rig.daemon.dir);
  try {
    const answer = await provider(body);
    assert.equal(answer.status, 503);
    assert.equal(answer.json.code, 'store_unavailable');
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
  } finally {
    await unlock();
  }
  await until(async () => (await provider(body)).status === 202);
  assert.equal((await provider(body)).json.duplicate, true);
  await rig.receiver.wait(line.where, 1);
  assert.equal((await stored(line)).length, 1);
});
