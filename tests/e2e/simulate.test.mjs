// POST /v1/simulate: calls and messages that no carrier brought take the road of real ones.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Daemon } from './lib/daemon.mjs';
import { Receiver } from './lib/receiver.mjs';

const number = '+447911123456';

test('simulate', async (t) => {
  const d = await Daemon.start();
  const receiver = await Receiver.start();
  t.after(async () => { await d.stop(); await receiver.stop(); });
  receiver.expect('/hook', await d.number(number, [], receiver.endpoint('/hook')));
  let seen = 0;
  const next = async (n) => {
    seen += n;
    return (await receiver.wait('/hook', seen)).slice(-n);
  };

  await t.test('an answered call, with its times', async () => {
    const made = await d.must('POST', '/v1/simulate',
      { kind: 'call', number, from: '+442079460000', ring_sec: 4, duration_sec: 61, caller_name: 'Ann', destination: 'sip:desk@example.com' });
    const [incoming, answered, ended] = await next(3);
    assert.deepEqual([incoming, answered, ended].map((e) => e.event), ['incoming_call', 'call_answered', 'call_ended']);
    assert.deepEqual([incoming, answered, ended].map((e) => e.id), made.events);
    for (const [i, e] of [incoming, answered, ended].entries()) {
      assert.equal(e.simulated, true);
      assert.equal(e.call_id, made.call_id);
      assert.equal(e.sequence, i + 1);
      assert.equal(e.did_number, number);
      assert.equal(e.caller_id, '+442079460000');
      assert.equal(e.caller_name, 'Ann');
    }
    assert.equal(answered.destination, 'sip:desk@example.com');
    assert.equal(answered.ring_sec, 4);
    assert.equal(ended.duration_sec, 61);
    assert.equal(ended.end_reason, 'completed');
    assert.equal(Date.parse(answered.occurred_at) - Date.parse(incoming.occurred_at), 4000);
    assert.equal(Date.parse(ended.occurred_at) - Date.parse(answered.occurred_at), 61000);
    const call = await d.must('GET', `/v1/calls/${made.call_id}`);
    assert.equal(call.state, 'ended');
    assert.equal(call.simulated, true);
  });

  for (const [outcome, reason, status] of [['busy', 'busy', 486], ['no_answer', 'no_answer', 480],
    ['canceled', 'canceled', 487], ['rejected', 'rejected', 603], ['failed', 'failed', 503]])
    await t.test(`a call that is ${outcome}`, async () => {
      await d.must('POST', '/v1/simulate', { kind: 'call', number, outcome, ring_sec: 2 });
      const [incoming, ended] = await next(2);
      assert.equal(incoming.event, 'incoming_call');
      assert.equal(ended.event, 'call_ended');
      assert.equal(ended.end_reason, reason);
      assert.equal(ended.sip_status, status);
      assert.equal(ended.answered, false);
      assert.equal(ended.duration_sec, 0);
      assert.equal(ended.ring_sec, 2);
    });

  await t.test('a message, also a Unicode one, from a sender with letters', async () => {
    const made = await d.must('POST', '/v1/simulate', { kind: 'sms', number, from: 'ACME', message: 'Ünïcode 😀' });
    const [sms] = await next(1);
    assert.equal(sms.event, 'sms_received');
    assert.equal(sms.from, 'ACME');
    assert.equal(sms.to, number);
    assert.equal(sms.message, 'Ünïcode 😀');
    assert.equal(sms.message_id, made.message_id);
    assert.equal(sms.simulated, true);
    assert.equal(sms.parts, 1);
    await d.must('POST', '/v1/simulate', { kind: 'sms', to: number });
    assert.equal((await next(1))[0].message, 'Hello, is this line active?');
  });

  await t.test('what cannot be is refused by name', async () => {
    const cases = [
      [{}, 'kind'],
      [{ kind: 'fax', number }, 'kind'],
      [{ kind: 'call' }, 'number'],
      [{ kind: 'call', number: '0791' }, 'number'],
      [{ kind: 'call', number, from: 'Acme' }, 'from'],
      [{ kind: 'call', number, outcome: 'maybe' }, 'outcome'],
      [{ kind: 'call', number, outcome: 'busy', duration_sec: 5 }, 'duration_sec'], [{ kind: 'call', number, outcome: 'answered', duration_sec: 86401 }, 'duration_sec'],
      [{ kind: 'call', number, ring_sec: 601 }, 'ring_sec'],
      [{ kind: 'call', number, message: 'hello' }, 'message'],
      [{ kind: 'sms', number, ring_sec: 1 }, 'ring_sec'],
      [{ kind: 'sms', number, message: 'x'.repeat(16385) }, 'message'],
    ];
    for (const [body, field] of cases) {
      const answer = await d.api('POST', '/v1/simulate', body);
      assert.equal(answer.status, 422, JSON.stringify(body));
      assert.equal(answer.json.field, field, answer.text);
    }
    assert.equal((await d.api('POST', '/v1/simulate', { kind: 'call', number: '+441110000000' })).status, 404);
    await d.must('POST', '/v1/numbers', { number: '+442222222222', voice: false, sms: false });
    for (const kind of ['call', 'sms'])
      assert.equal((await d.api('POST', '/v1/simulate', { kind, number: '+442222222222' })).json.field, 'number');
  });

  await t.test("another account's number is an unknown one", async () => {
    const account = await d.must('POST', '/v1/accounts', { name: 'tenant' });
    const { key } = await d.must('POST', '/v1/keys', { name: 'k', scopes: ['*'], account: account.id });
    const headers = { authorization: `Bearer ${key}` };
    assert.equal((await d.api('POST', '/v1/simulate', { kind: 'call', number }, headers)).status, 404);
    const read = await d.must('POST', '/v1/keys', { name: 'r', scopes: ['read'] });
    assert.equal((await d.api('POST', '/v1/simulate', { kind: 'call', number }, { authorization: `Bearer ${read.key}` })).status, 403);
  });
});

test('a simulated call goes where the answer to its incoming_call says', async (t) => {
  const d = await Daemon.start({ 'sip.listen': '' }); // also where no carrier can call
  const receiver = await Receiver.start();
  t.after(async () => { await d.stop(); await receiver.stop(); });
  const desk = [{ type: 'sip', destination: 'sip:desk@example.com' }];
  receiver.expect('/hook', await d.number(number, desk, receiver.endpoint('/hook', { control: true, control_timeout_ms: 400 })));
  let seen = 0;
  const simulate = async (say, more = {}, n = 3, headers = {}) => {
    if (typeof say === 'function') receiver.respond.set('/hook', say);
    else receiver.respond.delete('/hook');
    receiver.say.set('/hook', say);
    const answer = await d.api('POST', '/v1/simulate', { kind: 'call', number, ring_sec: 4, duration_sec: more.outcome ? 0 : 61, ...more }, headers);
    assert.equal(answer.status, 202, answer.text);
    const events = (await receiver.wait('/hook', seen += n)).slice(-n);
    assert.deepEqual(events.map((e) => e.id), answer.json.events);
    assert.deepEqual(events.map((e) => e.sequence), events.map((_, i) => i + 1));
    return { made: answer.json, events, ended: events.at(-1) };
  };

  await t.test('forward: the first target is who answers', async () => {
    const { made, events: [, answered], ended } = await simulate({ action: 'forward', targets: [
      { type: 'sip', destination: 'sip:agent@example.com' }, { type: 'sip', destination: 'sip:other@example.com' }] });
    assert.deepEqual([made.decision, answered.event, answered.destination, ended.destination, ended.duration_sec],
      ['forward', 'call_answered', 'sip:agent@example.com', 'sip:agent@example.com', 61]);
  });

  await t.test('reject: it ends as the answer says', async () => {
    for (const [sip_status, reason] of [[486, 'busy'], [603, 'rejected'], [480, 'no_answer'], [500, 'failed']]) {
      const { made, events: [incoming], ended } = await simulate({ action: 'reject', sip_status }, {}, 2);
      assert.deepEqual([made.decision, ended.event, ended.answered, ended.duration_sec, ended.end_reason, ended.ended_by, ended.sip_status],
        ['reject', 'call_ended', false, 0, reason, 'callee', sip_status]);
      assert.equal(Date.parse(ended.occurred_at) - Date.parse(incoming.occurred_at), 4000);
      const call = await d.must('GET', `/v1/calls/${made.call_id}`);
      assert.deepEqual([call.state, call.end_reason, call.sip_status], ['ended', reason, sip_status]);
    }
  });

  await t.test('default, and whatever else is said: as the request says, to where the number goes', async () => {
    for (const [say, reason] of [[{ action: 'default' }, null], ['OK', 'the answer is not JSON'],
      [{ action: 'forward' }, 'targets: missing'], [{ action: 'reject', sip_status: 200 }, 'sip_status: a number from 400 to 699']]) {
      const { made, events: [, answered] } = await simulate(say);
      assert.deepEqual([made.decision, made.decision_reason, answered.destination], ['default', reason, 'sip:desk@example.com']);
      const { deliveries: [told] } = await d.must('GET', `/v1/events/${made.events[0]}`);
      assert.deepEqual([told.decision, told.decision_reason], ['default', reason]);
    }
    const { made, ended } = await simulate({ action: 'default' }, { outcome: 'busy' }, 2);
    assert.deepEqual([made.decision, ended.end_reason], ['default', 'busy']);
  });

  await t.test('a late answer is not waited for', async () => {
    let release;
    const late = new Promise((resolve) => { release = resolve; });
    const { made, ended } = await (async () => {
      receiver.respond.set('/hook', async ({ body }, res) => { if (body.event === 'incoming_call') await late; res.send({ action: 'reject' }); });
      const answer = await d.must('POST', '/v1/simulate', { kind: 'call', number });
      release();
      const events = (await receiver.wait('/hook', seen += 3)).slice(-3);
      return { made: answer, ended: events.at(-1) };
    })();
    assert.deepEqual([made.decision, made.decision_reason, ended.end_reason], ['default', 'no answer in time', 'completed']);
  });

  await t.test('under an Idempotency-Key it is done once', async () => {
    const headers = { 'idempotency-key': 'decided' };
    const { made } = await simulate({ action: 'reject' }, {}, 2, headers);
    const again = await d.api('POST', '/v1/simulate', { kind: 'call', number, ring_sec: 4, duration_sec: 61 }, headers);
    assert.deepEqual([again.json, again.headers.get('idempotent-replayed')], [made, 'true']);
  });

  await t.test('a webhook that is the first target is asked, too', async () => {
    const other = '+442070000001';
    await d.number(other, [{ type: 'webhook', destination: `${receiver.url}/ask` }, ...desk]);
    receiver.respond.set('/ask', (_, res) => res.send({ action: 'forward', targets: [{ type: 'sip', destination: 'sip:asked@example.com' }] }));
    const made = await d.must('POST', '/v1/simulate', { kind: 'call', number: other });
    assert.equal(made.decision, 'forward');
    assert.equal((await d.must('GET', `/v1/calls/${made.call_id}`)).destination, 'sip:asked@example.com');
  });

  await t.test('an endpoint that is a later target has no say before its turn', async () => {
    const other = '+442070000002';
    await d.number(other, [...desk, { type: 'webhook', destination: `${receiver.url}/later` }], receiver.endpoint('/later'));
    receiver.respond.set('/later', (_, res) => res.send({ action: 'reject' }));
    const made = await d.must('POST', '/v1/simulate', { kind: 'call', number: other });
    assert.equal(made.decision, 'default');
    assert.equal((await d.must('GET', `/v1/calls/${made.call_id}`)).destination, 'sip:desk@example.com');
  });

  await t.test('a webhook behind a target that takes no calls is asked in its turn', async () => {
    const other = '+442070000003';
    await d.number(other, [{ type: 'pstn', destination: '+12025550100' }, { type: 'webhook', destination: `${receiver.url}/turn` }]);
    receiver.respond.set('/turn', (_, res) => res.send({ action: 'forward', targets: [{ type: 'sip', destination: 'sip:turn@example.com' }] }));
    const made = await d.must('POST', '/v1/simulate', { kind: 'call', number: other });
    assert.equal(made.decision, 'forward');
    assert.equal((await d.must('GET', `/v1/calls/${made.call_id}`)).destination, 'sip:turn@example.com');
  });

  await t.test('where no target can take it, it ends as a real call does', async () => {
    const other = '+442070000004';
    await d.number(other, [{ type: 'pstn', destination: '+12025550100' }]);
    const ended = async (more) => {
      const made = await d.must('POST', '/v1/simulate', { kind: 'call', number: other, ...more });
      const { state, end_reason, sip_status } = await d.must('GET', `/v1/calls/${made.call_id}`);
      return [made.events.length, state, end_reason, sip_status];
    };
    assert.deepEqual(await ended({}), [2, 'ended', 'failed', 500]);
    assert.deepEqual(await ended({ destination: 'sip:said@example.com' }), [3, 'ended', 'completed', 200]);
  });
});
