// The API as a program uses it: ingest from another PBX, resending, secrets, accounts that see only their own.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Rig } from './lib/rig.mjs';

let rig;
before(async () => { rig = await Rig.start(); });
after(async () => { await rig?.stop(); });

const call = (line, event, more = {}) => ({ event, did_number: line.number, caller_id: '+19175550100', ...more });

test('ingest: a call of another PBX, in order, its own ids kept, repeats absorbed', async () => {
  const line = await rig.line();
  const incoming = call(line, 'incoming_call', { id: `pbx-${line.number}`, call_id: `c-${line.number}` });
  const first = await rig.daemon.must('POST', '/v1/events', incoming);
  assert.deepEqual(first, { id: incoming.id, duplicate: false, data: [{ id: incoming.id, duplicate: false }] });
  const again = await rig.daemon.must('POST', '/v1/events', incoming);
  assert.deepEqual(again.data, [{ id: incoming.id, duplicate: true }]);
  await rig.daemon.must('POST', '/v1/events', [
    call(line, 'call_answered', { call_id: incoming.call_id, destination: 'sip:100@pbx' }),
    call(line, 'call_ended', { call_id: incoming.call_id, duration_sec: 3, end_reason: 'completed' }),
  ]);
  const events = await rig.receiver.wait(line.where, 3);
  assert.deepEqual(events.map((e) => [e.event, e.sequence]), [['incoming_call', 1], ['call_answered', 2], ['call_ended', 3]]);
  assert.deepEqual(Object.keys(events[2]).slice(0, 6), ['event', 'did_number', 'caller_id', 'duration_sec', 'timestamp', 'id']);
  assert.equal(events[0].id, incoming.id);
  assert.equal(events[0].call_id, incoming.call_id);
});

test('ingest: sms_received', async () => {
  const line = await rig.line();
  await rig.daemon.must('POST', '/v1/events', { event: 'sms_received', from: 'ACME', to: line.number, message: 'grüß 😀' });
  const [sms] = await rig.receiver.wait(line.where, 1);
  assert.deepEqual(Object.keys(sms).slice(0, 5), ['event', 'from', 'to', 'message', 'timestamp']);
  assert.equal(sms.message, 'grüß 😀');
});

test('ingest: nothing of a batch is taken when one is wrong, and the field is named', async () => {
  const line = await rig.line();
  const good = call(line, 'incoming_call');
  for (const [bad, field] of [
    [{ ...good, event: 'nothing' }, 'event'], [{ ...good, did_number: '0791' }, 'did_number'],
    [{ ...good, colour: 1 }, 'colour'], [{ ...good, timestamp: 'yesterday' }, 'timestamp'],
    [{ ...good, id: 'a b' }, 'id'], [{ ...good, event: 'call_ended', duration_sec: 'long' }, 'duration_sec']]) {
    const answer = await rig.daemon.api('POST', '/v1/events', [good, bad]);
    assert.equal(answer.status, 422, field);
    assert.equal(answer.json.field, `[1].${field}`);
  }
  assert.deepEqual((await rig.daemon.must('GET', `/v1/events?number=${encodeURIComponent(line.number)}`)).data, []);
});

test('deliveries and attempts are listed; an event can be sent again, a test event too', async () => {
  const line = await rig.line();
  let refuse = 1;
  rig.receiver.answer = (seen) => (seen.path === line.where && refuse-- > 0 ? 500 : 200);
  const { data: [{ id }] } = await rig.daemon.must('POST', '/v1/events', call(line, 'incoming_call'));
  await rig.receiver.wait(line.where, 1);
  rig.receiver.answer = () => 200;
  let event;
  do event = await rig.daemon.must('GET', `/v1/events/${id}`); while (event.state !== 'delivered');
  assert.equal(event.deliveries[0].endpoint, line.endpoint.id);
  assert.deepEqual(event.deliveries[0].attempts.map((a) => a.status), [500, 200]);
  await rig.daemon.must('POST', `/v1/events/${id}/resend`, {});
  const [, again] = await rig.receiver.wait(line.where, 2);
  assert.equal(again.id, id);
  await rig.daemon.must('POST', `/v1/endpoints/${line.endpoint.id}/test`);
  assert.equal((await rig.receiver.wait(line.where, 3))[2].event, 'ping');
});

test('two secrets sign while one replaces the other', async () => {
  const line = await rig.line();
  const rotated = await rig.daemon.must('POST', `/v1/endpoints/${line.endpoint.id}/rotate-secret`);
  assert.notEqual(rotated.secret, line.endpoint.secret);
  await rig.daemon.must('POST', '/v1/events', call(line, 'incoming_call'));
  await rig.receiver.wait(line.where, 1); // verified with the old one
  rig.receiver.expect(line.where, rotated);
  await rig.daemon.must('POST', '/v1/events', call(line, 'incoming_call'));
  await rig.receiver.wait(line.where, 2); // and with the new one
});

test('a new secret may be one of one\'s own, and what else comes with it is refused', async () => {
  const line = await rig.line();
  const where = `/v1/endpoints/${line.endpoint.id}/rotate-secret`;
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  assert.equal((await rig.daemon.must('POST', where, { secret })).secret, secret);
  rig.receiver.expect(line.where, { secret });
  await rig.daemon.must('POST', '/v1/events', call(line, 'incoming_call'));
  await rig.receiver.wait(line.where, 1);
  const { secret: last } = await rig.daemon.must('POST', where, { keep_old_s: 0 }); // the one before signs no more
  rig.receiver.expect(line.where, { secret: last });
  await rig.daemon.must('POST', '/v1/events', call(line, 'incoming_call'));
  await rig.receiver.wait(line.where, 2);
  const { headers } = rig.receiver.events.filter((seen) => seen.path === line.where).at(-1);
  assert.equal(headers['webhook-signature'].split(' ').length, 1);
  for (const [body, field] of [[{ keep_old_s: -1 }, 'keep_old_s'], [{ secret: 'abc' }, 'secret'], [{ secret: [secret] }, 'secret'], [{ secert: secret }, 'secert']]) {
    const answer = await rig.daemon.api('POST', where, body);
    assert.deepEqual([answer.status, answer.json.field], [422, field]);
  }
});

test('what the daemon keeps beside a setting is not for requests', async () => {
  const endpoint = { url: 'https://example.com/' };
  for (const [where, body, field] of [
    ['/v1/endpoints', { ...endpoint, secret_old_until_ms: 1 }, 'secret_old_until_ms'], ['/v1/endpoints', { ...endpoint, disabled_why: 'x' }, 'disabled_why'],
    ['/v1/endpoints', { ...endpoint, secret: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] }, 'secret'],
    ['/v1/keys', { name: 'k', hash: 'x' }, 'hash'], ['/v1/users', { username: 'u', role: 'support', password: 'long enough', password_hash: 'x' }, 'password_hash']]) {
    const answer = await rig.daemon.api('POST', where, body);
    assert.deepEqual([answer.status, answer.json.field], [422, field]);
    const unknown = await rig.daemon.api('POST', where, { ...body, [field]: undefined, colour: 1 });
    assert.match(unknown.json.detail, /^colour: no such field; known: /);
    if (field !== 'secret') assert.ok(!unknown.json.detail.includes(field), unknown.json.detail);
  }
});

test('a call that has ended cannot be hung up', async () => {
  const line = await rig.line();
  const { call_id } = await rig.daemon.must('POST', '/v1/simulate', { kind: 'call', number: line.number });
  const answer = await rig.daemon.api('POST', `/v1/calls/${call_id}/hangup`);
  assert.deepEqual([answer.status, answer.json.code], [409, 'call_ended']);
  assert.equal((await rig.daemon.api('POST', '/v1/calls/call_nobody/hangup')).status, 404);
});

test('a number is found however its + is written, and shows its targets as they were given', async () => {
  const line = await rig.line();
  const digits = line.number.slice(1);
  const targets = [{ type: 'sip', destination: 'sip:a@example.com' }, { type: 'sip', destination: 'sip:b@example.com', when: 'always' },
    { type: 'sip', destination: 'sip:c@example.com', ring_timeout_s: 20, when: 'busy', headers: { 'X-Customer': '42' } }];
  for (const word of [`+${digits}`, `%2B${digits}`, `%2b${digits}`, digits, `%20${digits}`]) {
    assert.deepEqual((await rig.daemon.must('PUT', `/v1/numbers/${word}/forward`, { targets })).targets, targets);
    assert.equal((await rig.daemon.must('PATCH', `/v1/numbers/${word}`, { label: word })).number, line.number);
    const shown = await rig.daemon.must('GET', `/v1/numbers/${word}`);
    assert.deepEqual([shown.id, shown.label, shown.forward.targets], [line.number, word, targets]);
  }
  for (const word of ['', '0', `++${digits}`, `${digits}%20`, 'banana'])
    assert.equal((await rig.daemon.api('GET', `/v1/numbers/${word}`)).status, 404, word);
});

test('410 disables the endpoint; enabling sends what waited', async () => {
  const line = await rig.line();
  rig.receiver.answer = (seen) => (seen.path === line.where ? 410 : 200);
  await rig.daemon.must('POST', '/v1/events', call(line, 'incoming_call'));
  let endpoint;
  do endpoint = await rig.daemon.must('GET', `/v1/endpoints/${line.endpoint.id}`); while (!endpoint.disabled);
  assert.match(endpoint.disabled_why, /410/);
  assert.deepEqual(endpoint.health, { state: 'disabled', failing_since: null, last_error: null, next_attempt_at: null });
  rig.receiver.answer = () => 200;
  const enabled = await rig.daemon.must('POST', `/v1/endpoints/${line.endpoint.id}/enable`);
  assert.equal(enabled.health.state, 'healthy');
  await rig.daemon.must('POST', '/v1/events', call(line, 'incoming_call'));
  await rig.receiver.wait(line.where, 1);
});

test('an account sees its own things, and nothing of others', async () => {
  const line = await rig.line();
  await rig.daemon.must('POST', '/v1/accounts', { name: 'customer' });
  const { key } = await rig.daemon.must('POST', '/v1/keys', { name: 'his', account: 'customer' });
  const as = (method, where, body) => rig.daemon.api(method, where, body, { authorization: `Bearer ${key}` });
  assert.deepEqual((await as('GET', '/v1/numbers')).json.data, []);
  const number = encodeURIComponent(line.number);
  for (const [method, where, body] of [['GET', `/v1/numbers/${number}`], ['DELETE', `/v1/numbers/${number}`],
    ['GET', `/v1/numbers/${number}/forward`], ['GET', `/v1/endpoints/${line.endpoint.id}`],
    ['PATCH', `/v1/endpoints/${line.endpoint.id}`, { format: 'form' }], ['POST', `/v1/endpoints/${line.endpoint.id}/test`],
    ['POST', `/v1/endpoints/${line.endpoint.id}/rotate-secret`]]) {
    const foreign = await as(method, where, body);
    const unknown = await as(method, where.replace(number, '%2B15550009999').replace(line.endpoint.id, 'ep_unknown'), body);
    assert.equal(foreign.status, 404, `${method} ${where}`);
    assert.equal(foreign.text, unknown.text);
  }
  assert.equal((await as('GET', '/v1/trunks')).status, 403);
  assert.equal((await as('POST', '/v1/numbers', { number: '+15550001111', account: 'default' })).status, 403);
});

test('a webhook to a private address is blocked, and the log says so', async () => {
  const number = '+447911160000';
  await rig.daemon.number(number, [], { url: 'http://10.255.255.1/', format: 'json' });
  const { data: [{ id }] } = await rig.daemon.must('POST', '/v1/events', { event: 'incoming_call', did_number: number, caller_id: '+19175550100' });
  let event;
  do event = await rig.daemon.must('GET', `/v1/events/${id}`); while (!event.deliveries[0].attempts.length);
  assert.match(event.deliveries[0].attempts[0].error, /blocked 10\.255\.255\.1/);
  assert.equal(event.deliveries[0].attempts[0].status, null);
});
