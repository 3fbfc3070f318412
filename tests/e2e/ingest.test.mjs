// POST /v1/events as other PBXs use it: refusals, and how all faults of a batch are reported at once.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Rig } from './lib/rig.mjs';

let rig;
before(async () => { rig = await Rig.start(); });
after(async () => { await rig?.stop(); });

const call = (line, event, more = {}) => ({ event, did_number: line.number, caller_id: '+19175550100', ...more });
const stored = async (line) => (await rig.daemon.must('GET', `/v1/events?number=${encodeURIComponent(line.number)}`)).data;

test('all that is wrong with a batch is told at once, and nothing of it is taken', async () => {
  const line = await rig.line();
  const good = call(line, 'incoming_call');
  const { status, json, headers } = await rig.daemon.api('POST', '/v1/events', [
    good, { ...good, did_number: '0791' }, good, 7, { ...good, colour: 1 },
    { event: 'sms_received', from: '', to: line.number, message: 'm' },
  ]);
  assert.equal(status, 422);
  assert.equal(headers.get('content-type'), 'application/problem+json');
  assert.equal(json.code, 'invalid_field');
  assert.equal(json.field, '[1].did_number');
  assert.match(json.detail, /^\[1\]\.did_number must be .*E\.164/);
  assert.equal(json.faulty, 4);
  assert.deepEqual(json.errors.map((e) => [e.index, e.field]), [[1, 'did_number'], [3, ''], [4, 'colour'], [5, 'from']]);
  for (const e of json.errors) assert.ok(e.allowed.length > 5, JSON.stringify(e));
  assert.deepEqual(await stored(line), []);
});

test('of one object, one error; of a thousand, a hundred and how many there are', async () => {
  const line = await rig.line();
  const bad = call(line, 'call_ended', { duration_sec: 3, end_reason: 'hungup' });
  const one = (await rig.daemon.api('POST', '/v1/events', bad)).json;
  assert.equal(one.field, 'end_reason');
  assert.deepEqual(one.errors, [{ index: 0, field: 'end_reason', allowed: one.allowed }]);
  assert.match(one.allowed, /completed, no_answer, busy/);
  const many = (await rig.daemon.api('POST', '/v1/events', Array.from({ length: 1000 }, () => bad))).json;
  assert.equal(many.errors.length, 100);
  assert.equal(many.faulty, 1000);
  for (const [body, what] of [[[], 'none'], [Array.from({ length: 1001 }, () => ({})), 'too many']])
    assert.equal((await rig.daemon.api('POST', '/v1/events', body)).json.field, 'body', what);
  assert.deepEqual(await stored(line), []);
});

test('all kinds are taken, and come out as ours would', async () => {
  const line = await rig.line({ endpoint: { events: ['incoming_call', 'call_ringing', 'call_forward_failed', 'call_answered',
    'call_ended', 'sms_received'] } });
  const call_id = `kinds-${line.number}`;
  const at = { timestamp: '2024-02-29T23:59:59Z' };
  const { data } = await rig.daemon.must('POST', '/v1/events', [
    call(line, 'incoming_call', { call_id, ...at, caller_verified: 'B', caller_name: 'Ann', trunk: 'pbx' }),
    call(line, 'call_ringing', { call_id, destination: 'sip:1@pbx' }),
    call(line, 'call_forward_failed', { call_id, destination: 'sip:1@pbx', reason: 'busy', sip_status: 486 }),
    call(line, 'call_answered', { call_id, destination: 'sip:2@pbx', ring_sec: 4 }),
    call(line, 'call_ended', { call_id, duration_sec: 61, answered: true, end_reason: 'completed', ended_by: 'caller', sip_status: 200 }),
    { event: 'sms_received', from: '60060', to: line.number, message: 'код 1234', encoding: 'ucs2', parts: 1, partial: false },
  ]);
  assert.equal(new Set(data.map((d) => d.id)).size, 6);
  const events = await rig.receiver.wait(line.where, 6);
  const calls = events.filter((e) => e.call_id === call_id);
  assert.deepEqual(calls.map((e) => [e.event, e.sequence]), [['incoming_call', 1], ['call_ringing', 2],
    ['call_forward_failed', 3], ['call_answered', 4], ['call_ended', 5]]);
  assert.deepEqual(calls[0].occurred_at, '2024-02-29T23:59:59.000Z');
  assert.equal(calls[2].reason, 'busy');
  const sms = events.find((e) => e.event === 'sms_received');
  assert.deepEqual([sms.from, sms.message, sms.encoding, sms.parts, sms.partial], ['60060', 'код 1234', 'ucs2', 1, false]);
});

test('own ids are kept within a batch too, and a repeat says so', async () => {
  const line = await rig.line();
  const ids = ['a', 'b', 'a'].map((x) => `${x}-${line.number}`);
  const batch = ids.map((id) => call(line, 'incoming_call', { id }));
  const first = await rig.daemon.must('POST', '/v1/events', batch);
  assert.deepEqual(first.data.map((d) => d.duplicate), [false, false, true]);
  const again = await rig.daemon.must('POST', '/v1/events', batch);
  assert.deepEqual(again.data.map((d) => d.duplicate), [true, true, true]);
  await rig.receiver.wait(line.where, 2);
  assert.equal((await stored(line)).length, 2);
});
