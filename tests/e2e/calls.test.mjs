// Calls between sipp as carrier and sipp as agent, with the webhooks an Express application gets.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Rig } from './lib/rig.mjs';
import { sipp, send, recv, pause, uac, uas } from './lib/sipp.mjs';
import { agent, carrier } from './lib/rig.mjs';
import { Caller } from './lib/ua.mjs';

let rig;
before(async () => { rig = await Rig.start(); });
after(async () => { await rig?.stop(); });

const answeredByCaller = [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), pause(1200),
  uac.bye(), recv(200)];
const agentAnswers = [uas.invite(), uas.ringing(), uas.ok(), recv('ACK'), recv('BYE'),
  uas.reply(200, 'OK')];

function sameCall(events) {
  assert.equal(new Set(events.map((e) => e.call_id)).size, 1, 'one call_id');
  assert.deepEqual(events.map((e) => Number(e.sequence)), events.map((_, i) => i + 1));
}

test('answered and ended by the caller: three events, JSON', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, agentAnswers);
  const caller = await rig.carry(line, answeredByCaller);
  await Promise.all([caller.done, callee.done]);
  const events = await rig.receiver.wait(line.where, 3);
  assert.deepEqual(events.map((e) => e.event), ['incoming_call', 'call_answered', 'call_ended']);
  sameCall(events);
  const [incoming, answered, ended] = events;
  assert.deepEqual(Object.keys(incoming).slice(0, 4), ['event', 'did_number', 'caller_id', 'timestamp']);
  assert.equal(incoming.did_number, line.number);
  assert.equal(incoming.caller_id, '+19175550100');
  assert.equal(incoming.caller_name, 'Ann Lee');
  assert.match(incoming.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.match(incoming.occurred_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(incoming.trunk, 'carrier');
  assert.deepEqual(Object.keys(answered).slice(0, 5),
    ['event', 'did_number', 'caller_id', 'destination', 'timestamp']);
  assert.equal(answered.destination, `sip:agent@${agent}:${line.ports[0]}`);
  assert.deepEqual(Object.keys(ended).slice(0, 5),
    ['event', 'did_number', 'caller_id', 'duration_sec', 'timestamp']);
  assert.equal(ended.duration_sec, 1);
  assert.equal(ended.answered, true);
  assert.equal(ended.end_reason, 'completed');
  assert.equal(ended.ended_by, 'caller');
  assert.equal(ended.sip_status, 200);
  assert.equal(ended.destination, answered.destination);
  const headers = rig.receiver.of(line.where)[0].headers;
  assert.match(headers['user-agent'], /^hookswitch\//);
  assert.equal(headers['webhook-id'], incoming.id);
  assert.equal(headers['webhook-attempt'], '1');
  assert.equal(headers['content-type'], 'application/json');
});

test('the same as a form', async () => {
  const line = await rig.line({ endpoint: { format: 'form' } });
  const callee = rig.attend(line, agentAnswers);
  const caller = await rig.carry(line, answeredByCaller);
  await Promise.all([caller.done, callee.done]);
  const events = await rig.receiver.wait(line.where, 3);
  assert.deepEqual(events.map((e) => e.event), ['incoming_call', 'call_answered', 'call_ended']);
  sameCall(events);
  assert.equal(events[2].duration_sec, '1');
  assert.equal(events[2].answered, 'true');
  assert.equal(events[0].caller_id, '+19175550100');
  assert.equal(rig.receiver.of(line.where)[0].headers['content-type'],
    'application/x-www-form-urlencoded');
});

test('ended by the callee', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), uas.ok(), recv('ACK'), pause(100),
    uas.bye(), recv(200)]);
  const caller = await rig.carry(line, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(),
    recv('BYE'), uas.reply(200, 'OK')]);
  await Promise.all([caller.done, callee.done]);
  const ended = (await rig.receiver.wait(line.where, 3))[2];
  assert.equal(ended.ended_by, 'callee');
  assert.equal(ended.end_reason, 'completed');
});

test('busy: 486 reaches the caller, call_ended says busy', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.answer(486, 'Busy Here', { retrans: 500 }), recv('ACK')]);
  const caller = await rig.carry(line, [uac.invite(), uac.ringing, recv(486), uac.ackFailure()]);
  await Promise.all([caller.done, callee.done]);
  const [, ended] = await rig.receiver.wait(line.where, 2);
  assert.equal(ended.event, 'call_ended');
  assert.equal(ended.end_reason, 'busy');
  assert.equal(ended.answered, false);
  assert.equal(ended.duration_sec, 0);
  assert.equal(ended.sip_status, 486);
  assert.equal(ended.destination, undefined);
});

test('cancelled while it rings: CANCEL goes on, 487 comes back', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), recv('CANCEL'), uas.reply(200, 'OK'),
    ...uas.terminated()]);
  const caller = await rig.carry(line, [uac.invite(), recv(100, { optional: true }), recv(180), pause(200),
    uac.cancel(), recv(200), recv(487), uac.ackFailure()]);
  await Promise.all([caller.done, callee.done]);
  const [, ended] = await rig.receiver.wait(line.where, 2);
  assert.equal(ended.end_reason, 'canceled');
  assert.equal(ended.ended_by, 'caller');
  assert.equal(ended.sip_status, 487);
});

test('nobody answers: 480 after the ring timeout', async () => {
  const line = await rig.line({ target: { ring_timeout_s: 1 } });
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), recv('CANCEL'), uas.reply(200, 'OK'),
    ...uas.terminated()]);
  const caller = await rig.carry(line, [uac.invite(), uac.ringing, recv(480), uac.ackFailure()]);
  await Promise.all([caller.done, callee.done]);
  const [, ended] = await rig.receiver.wait(line.where, 2);
  assert.equal(ended.end_reason, 'no_answer');
  assert.equal(ended.sip_status, 480);
});

test('the first target fails, the second answers', async () => {
  const line = await rig.line({ n: 2, target: [{}, { when: 'failed' }],
    endpoint: { events: ['incoming_call', 'call_answered', 'call_ended', 'call_forward_failed'] } });
  const first = rig.attend(line, [uas.invite(), uas.answer(503, 'Service Unavailable', { retrans: 500 }), recv('ACK')]);
  const second = sipp(agentAnswers, { ip: agent, port: line.ports[1] });
  const caller = await rig.carry(line, answeredByCaller);
  await Promise.all([caller.done, first.done, second.done]);
  const events = await rig.receiver.wait(line.where, 4);
  assert.deepEqual(events.map((e) => e.event),
    ['incoming_call', 'call_forward_failed', 'call_answered', 'call_ended']);
  sameCall(events);
  assert.equal(events[2].destination, `sip:agent@${agent}:${line.ports[1]}`);
});

test('nobody listens at the first target: the next one is tried', async () => {
  const line = await rig.line({ n: 2 });
  const second = sipp(agentAnswers, { ip: agent, port: line.ports[1] });
  const caller = await rig.carry(line, answeredByCaller);
  await Promise.all([caller.done, second.done]);
  assert.equal((await rig.receiver.wait(line.where, 3))[1].destination,
    `sip:agent@${agent}:${line.ports[1]}`);
});

test('direct_ip: the called number is the user part', async () => {
  const line = await rig.line({ type: 'direct_ip' });
  const callee = rig.attend(line, [uas.invite(`
    <ereg regexp="sip:.447911[0-9]+@" search_in="msg" check_it="true" assign_to="uri"/>
    <log message="[$uri]"/>`), ...agentAnswers.slice(1)]);
  const caller = await rig.carry(line, answeredByCaller);
  await Promise.all([caller.done, callee.done]);
  assert.equal((await rig.receiver.wait(line.where, 3))[1].destination, `${agent}:${line.ports[0]}`);
});

test('re-INVITE from the caller and from the callee is relayed with its SDP', async () => {
  const line = await rig.line();
  const hold = uac.sdp.replace('a=rtpmap', 'a=sendonly\na=rtpmap');
  const held = '<ereg regexp="a=sendonly" search_in="body" check_it="true" assign_to="hold"/><log message="[$hold]"/>';
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), uas.ok(), recv('ACK'),
    recv('INVITE', { actions: held }), uas.reply(200, 'OK', { body: uac.sdp }), recv('ACK'),
    pause(100),
    uas.inDialog('INVITE', 1, { headers: 'Content-Type: application/sdp', body: hold, retrans: 500 }),
    recv(100, { optional: true }), recv(200), uas.inDialog('ACK', 1),
    recv('BYE'), uas.reply(200, 'OK')]);
  const caller = await rig.carry(line, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), pause(100),
    uac.inDialog('INVITE', 2, { headers: 'Content-Type: application/sdp', body: hold, retrans: 500 }),
    recv(100, { optional: true }), recv(200, { rrs: true }), uac.ack(2),
    recv('INVITE', { actions: held }), uas.reply(200, 'OK', { body: uac.sdp }), recv('ACK'),
    pause(100), uac.bye(3), recv(200)]);
  await Promise.all([caller.done, callee.done]);
  assert.deepEqual(rig.receiver.names(line.where).length > 0, true);
  assert.equal((await rig.receiver.wait(line.where, 3))[2].end_reason, 'completed');
});

test('INFO (DTMF), UPDATE and an offerless INVITE pass', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), uas.ok(),
    recv('ACK', { actions: '<ereg regexp="m=audio" search_in="body" check_it="true" assign_to="sdp"/><log message="[$sdp]"/>' }),
    recv('INFO', { actions: '<ereg regexp="Signal=5" search_in="body" check_it="true" assign_to="dtmf"/><log message="[$dtmf]"/>' }),
    uas.reply(200, 'OK'), recv('UPDATE'), uas.reply(200, 'OK', { body: uac.sdp }),
    recv('BYE'), uas.reply(200, 'OK')]);
  const caller = await rig.carry(line, [uac.invite({ body: '' }), uac.ringing, recv(200, { rrs: true }),
    uac.ack(1, uac.sdp), pause(100),
    uac.inDialog('INFO', 2, { headers: 'Content-Type: application/dtmf-relay', body: '\nSignal=5\nDuration=160\n', retrans: 500 }), recv(200),
    uac.inDialog('UPDATE', 3, { headers: 'Content-Type: application/sdp', body: uac.sdp, retrans: 500 }), recv(200),
    uac.bye(4), recv(200)]);
  await Promise.all([caller.done, callee.done]);
  await rig.receiver.wait(line.where, 3);
});

test('reliable 183 with PRACK, end to end', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(),
    uas.answer(183, 'Session Progress', { headers: 'Require: 100rel\nRSeq: 7', body: uac.sdp }),
    recv('PRACK', { actions: '<ereg regexp="RAck: *7 1 INVITE" search_in="msg" check_it="true" assign_to="rack"/><log message="[$rack]"/>' }),
    uas.reply(200, 'OK'),
    send(`
      SIP/2.0 200 OK
      Via: [$via]
      From:[$from]
      To:[$to];tag=[pid]a[call_number]
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: <sip:agent@[local_ip]:[local_port]>`, { retrans: 500 }),
    recv('ACK'), recv('BYE'), uas.reply(200, 'OK')]
    .map((s, i) => i === 0 ? uas.invite('<ereg regexp="SIP/2.0/UDP.*" search_in="hdr" header="Via:" assign_to="via"/><log message="[$via]"/>') : s));
  const caller = await rig.carry(line, [
    uac.invite({ headers: 'Supported: 100rel' }), recv(100, { optional: true }),
    recv(183, { rrs: true }), uac.inDialog('PRACK', 2, { headers: 'RAck: 7 1 INVITE', retrans: 500 }), recv(200),
    recv(200, { rrs: true }), uac.ack(), pause(100), uac.bye(3), recv(200)]);
  await Promise.all([caller.done, callee.done]);
  assert.equal((await rig.receiver.wait(line.where, 3))[2].end_reason, 'completed');
});

test('an answer that crosses the CANCEL is acknowledged and hung up', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), recv('CANCEL'),
    uas.reply(200, 'OK'),
    send(`
      SIP/2.0 200 OK
      [last_Via:]
      From:[$from]
      To:[$to];tag=[pid]a[call_number]
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: <sip:agent@[local_ip]:[local_port]>
      Content-Type: application/sdp`, { body: uac.sdp, retrans: 500 }),
    recv('ACK'), recv('BYE'), uas.reply(200, 'OK')]);
  const caller = await rig.carry(line, [uac.invite(), recv(100, { optional: true }), recv(180), pause(100),
    uac.cancel(), recv(200), recv(487), uac.ackFailure()]);
  await Promise.all([caller.done, callee.done]);
  const [, ended] = await rig.receiver.wait(line.where, 2);
  assert.equal(ended.end_reason, 'canceled');
  assert.equal(rig.receiver.names(line.where).length, 2);
});

test('a lost ACK: the 200 is sent again until it comes', async () => {
  const line = await rig.line();
  // The callee may have sent its 200 again before our ACK was there: that one is acknowledged, too.
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), uas.ok(), recv('ACK'),
    recv('ACK', { optional: true }), recv('BYE'), uas.reply(200, 'OK')]);
  await callee.listens();
  const caller = await Caller.open(carrier, rig.daemon.sip);
  caller.send('INVITE', line.number);
  const dialog = await caller.wait(200, 'INVITE', 3); // two of them went unacknowledged
  caller.send('ACK', line.number, dialog);
  const seen = caller.of(200, 'INVITE').length;
  caller.send('BYE', line.number, { cseq: 2, ...dialog });
  await caller.wait(200, 'BYE');
  await callee.done;
  assert.ok(caller.of(200, 'INVITE').length <= seen + 1, 'it stops when the ACK is there');
  caller.close();
  assert.equal((await rig.receiver.wait(line.where, 3))[2].end_reason, 'completed');
});

test('retransmitted INVITE and BYE make one call', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, agentAnswers);
  await callee.listens();
  const caller = await Caller.open(carrier, rig.daemon.sip);
  caller.send('INVITE', line.number);
  caller.send('INVITE', line.number);
  const dialog = await caller.wait(200, 'INVITE');
  caller.send('ACK', line.number, dialog);
  caller.send('BYE', line.number, { cseq: 2, ...dialog });
  caller.send('BYE', line.number, { cseq: 2, ...dialog });
  await caller.wait(200, 'BYE');
  await callee.done;
  caller.send('BYE', line.number, { cseq: 2, ...dialog });
  await caller.wait(200, 'BYE', 2);
  caller.close();
  await rig.receiver.wait(line.where, 3);
  assert.deepEqual(rig.receiver.names(line.where), ['incoming_call', 'call_answered', 'call_ended']);
});

test('over TCP on both sides', async () => {
  const line = await rig.line({ transport: ';transport=tcp' });
  const callee = rig.attend(line, agentAnswers, { transport: 't1' });
  const caller = await rig.carry(line, answeredByCaller, { transport: 't1' });
  await Promise.all([caller.done, callee.done]);
  assert.equal((await rig.receiver.wait(line.where, 3))[2].end_reason, 'completed');
});

test('two hundred calls at twenty a second, each with its three events in order', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, agentAnswers, { calls: 200 });
  const caller = await rig.carry(line, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(),
    pause(50), uac.bye(), recv(200)], { calls: 200, rate: 20 });
  await Promise.all([caller.done, callee.done]);
  const events = await rig.receiver.wait(line.where, 600, 20000);
  const calls = Map.groupBy ? Map.groupBy(events, (e) => e.call_id)
    : events.reduce((m, e) => m.set(e.call_id, [...(m.get(e.call_id) ?? []), e]), new Map());
  assert.equal(calls.size, 200);
  for (const list of calls.values())
    assert.deepEqual(list.map((e) => e.event), ['incoming_call', 'call_answered', 'call_ended']);
  assert.equal(rig.receiver.refused.length, 0);
});

test('the caller hides his number', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, agentAnswers);
  const caller = await rig.carry(line, [uac.invite({ headers: 'Privacy: id\nP-Asserted-Identity: <sip:+19175550100@carrier.example>' }),
    ...answeredByCaller.slice(1)]);
  await Promise.all([caller.done, callee.done]);
  for (const event of await rig.receiver.wait(line.where, 3)) assert.equal(event.caller_id, 'anonymous');
});

test('the answer of a control endpoint routes the call, rejects it, or means default', async () => {
  const line = await rig.line({ n: 2, endpoint: { control: true, control_timeout_ms: 2000 } });
  await rig.daemon.must('PUT', `/v1/numbers/${encodeURIComponent(line.number)}/forward`,
    { targets: [{ type: 'sip', destination: `sip:own@${agent}:${line.ports[0]}` }] });
  const say = (body) => rig.receiver.say.set(line.where, body);
  const play = async (steps, port) => {
    const callee = port && sipp(agentAnswers, { ip: agent, port });
    const caller = await rig.carry(line, steps);
    await Promise.all([caller.done, callee?.done]);
  };
  say({ action: 'forward', targets: [{ type: 'sip', destination: `sip:chosen@${agent}:${line.ports[1]}` }] });
  await play(answeredByCaller, line.ports[1]);
  assert.equal((await rig.receiver.wait(line.where, 3))[1].destination, `sip:chosen@${agent}:${line.ports[1]}`);
  say({ action: 'reject', sip_status: 486 });
  await play([uac.invite(), uac.ringing, recv(486), uac.ackFailure()]);
  assert.equal((await rig.receiver.wait(line.where, 5))[4].end_reason, 'busy');
  say('OK');
  await play(answeredByCaller, line.ports[0]);
  assert.equal((await rig.receiver.wait(line.where, 8))[6].destination, `sip:own@${agent}:${line.ports[0]}`);
});

test('a target of type webhook is asked; access_number leads to another number, loops do not', async () => {
  const line = await rig.line();
  const other = await rig.line();
  const number = (l) => `/v1/numbers/${encodeURIComponent(l.number)}/forward`;
  await rig.daemon.must('PUT', number(line), { targets: [{ type: 'webhook', destination: `${rig.receiver.url}${line.where}` }] });
  rig.receiver.say.set(line.where, { action: 'forward', targets: [{ type: 'access_number', destination: other.number }] });
  const callee = rig.attend(other, agentAnswers);
  const caller = await rig.carry(line, answeredByCaller);
  await Promise.all([caller.done, callee.done]);
  // The URL is an endpoint's: its delivery is the question.
  const names = (await rig.receiver.wait(line.where, 3)).map((e) => e.event);
  assert.deepEqual(names, ['incoming_call', 'call_answered', 'call_ended']);
  await rig.daemon.must('PUT', number(line), { targets: [{ type: 'access_number', destination: other.number }] });
  await rig.daemon.must('PUT', number(other), { targets: [{ type: 'access_number', destination: line.number }] });
  const looped = await rig.carry(line, [uac.invite(), uac.ringing, recv(500), uac.ackFailure()]);
  await looped.done;
});
