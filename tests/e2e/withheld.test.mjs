// A caller who withholds the number is withheld everywhere a tenant can look; so is a callee towards the carrier.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Rig, agent, carrier } from './lib/rig.mjs';
import { Answerer, Caller, sdp } from './lib/ua.mjs';
import { until } from './lib/until.mjs';

const NUMBER = '+15558675309';
const secret = /5558675309|\(555\) 867-5309|Secret Person/;
const headers = [
  `P-Asserted-Identity: "Secret Person" <sip:${NUMBER}@carrier.example>`, `P-Preferred-Identity: <sip:${NUMBER}@carrier.example>`,
  `Remote-Party-ID: "Secret Person" <sip:${NUMBER}@carrier.example>;party=calling;privacy=full`,
  `Diversion: <sip:${NUMBER}@carrier.example>;reason=unconditional`, `History-Info: <sip:${NUMBER}@carrier.example>;index=1`,
  `Call-Info: <http://carrier.example/${NUMBER}>;purpose=icon`, `Identity: signed-${NUMBER}`, `Referred-By: <sip:${NUMBER}@carrier.example>`,
  `P-Charge-Info: <sip:${NUMBER}@carrier.example>`, `Subject: Secret Person calls`, `Reply-To: <sip:${NUMBER}@carrier.example>`,
  `X-Billing-Number: 15558675309`, 'X-Pretty: (555) 867-5309', 'X-Customer: 42', 'Supported: timer',
];
const body = sdp.replace('o=- ', `o=${NUMBER} `).replace('s=-', 's=Secret Person').replace('t=0 0', `t=0 0\r\na=ssrc:1 cname:${NUMBER}@x`);

let rig;
before(async () => { rig = await Rig.start({ 'sip.t1_ms': 100 }); });
after(async () => { await rig?.stop(); });

async function line(callee) {
  const number = `+4479115${String(10000 + rig.next++)}`;
  const where = `/withheld/${number.slice(1)}`;
  await rig.daemon.number(number, [callee.target()]);
  const made = await rig.daemon.must('POST', '/v1/endpoints', { url: rig.receiver.url + where, numbers: [number],
    events: ['incoming_call', 'call_ringing', 'call_answered', 'call_ended'], sip_headers: true });
  rig.receiver.expect(where, made);
  return { number, where };
}

const traceOf = async (id) => (await rig.daemon.must('GET', `/v1/calls/${id}/trace`)).data;

/** A call with something said within it, both ways, until it is over; with all that a tenant can see of it. */
async function call(callee, options, within = {}) {
  const { number, where } = await line(callee);
  const caller = await Caller.open(carrier, rig.daemon.sip);
  caller.send('INVITE', number, options);
  const { to, uri } = await caller.wait(200, 'INVITE');
  const dialog = { ...options, ...within, to, uri };
  await caller.send('ACK', number, { ...dialog, headers: [] });
  await until(() => callee.of('ACK').length, { what: 'the ACK' });
  await caller.send('INFO', number, { ...dialog, cseq: 2, type: 'application/dtmf-relay', body: 'Signal=5\r\n' });
  await caller.wait(200, 'INFO');
  callee.request('INFO', { headers: callee.headers, type: 'application/dtmf-relay', body: 'Signal=6\r\n' });
  await until(() => caller.requests.length, { what: 'the INFO of the callee' });
  const [info] = caller.requests;
  await caller.send('BYE', number, { ...dialog, headers: [...(dialog.headers ?? []), 'Reason: Q.850;cause=16'], cseq: 3 });
  await caller.wait(200, 'BYE');
  await until(() => rig.receiver.names(where).includes('call_ended'), { what: 'call_ended' });
  const events = rig.receiver.of(where).map((e) => e.body);
  const { call_id: id } = events[0];
  const trace = await until(async () => {
    const all = await traceOf(id);
    return all.some((m) => m.message.startsWith('BYE') && m.leg === 'b') && all;
  }, { what: 'the trace' });
  caller.close();
  return { events, trace, info, answers: [...caller.answers, ...caller.requests], got: callee.got, row: await rig.daemon.must('GET', `/v1/calls/${id}`) };
}

const anonymous = '"Anonymous" <sip:anonymous@anonymous.invalid>';
const open = `"Secret Person" <sip:${NUMBER}@carrier.example>`;
for (const [value, from] of [['id', anonymous], ['id;critical', anonymous], ['user', open], ['header;user;id', open],
  ['session;header;user;id;critical', open]]) {
  test(`Privacy: ${value}: the number is in no event, no INVITE, no request, no trace`, async () => {
    const callee = await Answerer.open(agent, { ring: ['Server: theirs'] });
    const options = { from, user: NUMBER, body, headers: [...headers, `Privacy: ${value}`] };
    // what is said within the call does not repeat that it is withheld
    const { events, trace, got, row } = await call(callee, options, { headers });
    assert.deepEqual(events.map((e) => [e.event, e.caller_id, e.caller_name]),
      ['incoming_call', 'call_ringing', 'call_answered', 'call_ended'].map((e) => [e, 'anonymous', '']));
    assert.equal(events[0].sip_header_x_customer, '42');
    assert.doesNotMatch(JSON.stringify(events), secret);
    assert.doesNotMatch(JSON.stringify(row), secret);
    for (const text of got) assert.doesNotMatch(text, secret);
    const [invite] = callee.of('INVITE');
    assert.match(invite, /^From: "Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/m);
    assert.match(invite, /^X-Customer: 42\r$/m);
    assert.match(invite, /^Supported: timer\r$/m);
    assert.match(invite, new RegExp(`^Privacy: ${value}\\r$`, 'm'));
    assert.match(invite, /^o=- 1 1 IN IP4 127\.0\.0\.2\r$/m);
    assert.match(callee.of('INFO')[0], /Signal=5/);
    for (const m of trace) assert.doesNotMatch(m.message, secret, `${m.leg} ${m.direction}`);
    assert.ok(trace.some((m) => m.leg === 'a' && m.message.startsWith('INVITE') && /^From: <sip:…>;tag=/m.test(m.message)));
    callee.close();
  });
}

test('Privacy: none, and none at all: who calls is told to all', async () => {
  for (const more of [['Privacy: none'], []]) {
    const callee = await Answerer.open(agent);
    const shown = headers.filter((h) => !h.startsWith('Remote-Party-ID'));
    const { events, trace, got } = await call(callee, { from: open, user: NUMBER, body, headers: [...shown, ...more] });
    assert.equal(events[0].caller_id, NUMBER);
    assert.equal(events[0].caller_name, 'Secret Person');
    assert.equal(events[0].sip_header_x_billing_number, '15558675309');
    assert.match(got[0], new RegExp(`^P-Asserted-Identity: "Secret Person" <sip:\\${NUMBER}@`, 'm'));
    assert.match(got[0], new RegExp(`^o=\\${NUMBER} `, 'm'));
    assert.match(trace[0].message, new RegExp(`^Contact: <sip:\\${NUMBER}@`, 'm'));
    callee.close();
  }
});

test('a callee who withholds who he is: the carrier gets neither his answer\'s identity nor that of his requests', async () => {
  const identity = [`P-Asserted-Identity: "Secret Person" <sip:${NUMBER}@pbx.example>`, `Remote-Party-ID: <sip:${NUMBER}@pbx.example>`,
    `Call-Info: <http://pbx.example/${NUMBER}>`, 'Server: Secret Person'];
  const callee = await Answerer.open(agent, { ring: [...identity, 'Privacy: id'], headers: identity });
  const { answers, info } = await call(callee, {});
  for (const text of answers) assert.doesNotMatch(text, secret);
  assert.match(info, /Signal=6/);
  callee.close();
  const shown = await Answerer.open(agent, { headers: identity });
  const told = await call(shown, {});
  assert.ok(told.answers.some((text) => /^SIP\/2.0 200/.test(text) && /^P-Asserted-Identity: "Secret Person"/m.test(text)));
  shown.close();
});

test('a body in parts: the SDP passes, what is beside it does not', async () => {
  const callee = await Answerer.open(agent);
  const parts = `--x\r\nContent-Type: application/sdp\r\n\r\n${sdp}--x\r\nContent-Type: application/isup\r\n\r\n${NUMBER}\r\n--x--\r\n`;
  await call(callee, { from: anonymous, headers: ['Privacy: id'], type: 'multipart/mixed;boundary=x', body: parts });
  const [invite] = callee.of('INVITE');
  assert.match(invite, /^Content-Type: application\/sdp\r$/m);
  assert.doesNotMatch(invite, secret);
  assert.ok(invite.endsWith(`\r\n\r\n${sdp}`));
  callee.close();
});

test('after a restart the caller is still withheld', async () => {
  const callee = await Answerer.open(agent);
  const { number, where } = await line(callee);
  const caller = await Caller.open(carrier, rig.daemon.sip);
  const options = { from: open, user: NUMBER, headers: [...headers, 'Privacy: id'] };
  caller.send('INVITE', number, options);
  const { to, uri } = await caller.wait(200, 'INVITE');
  await caller.send('ACK', number, { ...options, headers: [], to, uri });
  await until(() => callee.of('ACK').length, { what: 'the ACK' });
  await rig.daemon.restart();
  await caller.send('INFO', number, { ...options, headers, to, uri, cseq: 2 });
  await caller.wait(200, 'INFO');
  for (const text of callee.got) assert.doesNotMatch(text, secret);
  await caller.send('BYE', number, { ...options, headers: [], to, uri, cseq: 3 });
  await until(() => rig.receiver.names(where).includes('call_ended'), { what: 'call_ended' });
  assert.equal(rig.receiver.of(where).at(-1).body.caller_id, 'anonymous');
  caller.close();
  callee.close();
});
