// The limits of one call: targets looked at, events, bytes of headers and of its row. Past a limit the call goes on or ends, with
// its call_ended, and says so.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Rig, agent, carrier } from './lib/rig.mjs';
import { Answerer, Caller, Refuser } from './lib/ua.mjs';
import { until } from './lib/until.mjs';

let rig, refuser;
before(async () => {
  rig = await Rig.start({ 'sip.t1_ms': 100 });
  refuser = await Refuser.open(agent);
});
after(async () => {
  refuser?.close();
  await rig?.stop();
});

const ALL = ['incoming_call', 'call_ringing', 'call_forward_failed', 'call_answered', 'call_ended'];
const leadsTo = (number) => ({ type: 'access_number', destination: number });
const times = (n, target) => Array(n).fill(target);

/** A number with targets and an endpoint that wants all events of calls. */
async function line(targets, endpoint = {}) {
  const number = `+4479114${String(10000 + rig.next++)}`;
  const where = `/limits/${number.slice(1)}`;
  await rig.daemon.number(number, targets);
  const made = await rig.daemon.must('POST', '/v1/endpoints',
    { url: rig.receiver.url + where, numbers: [number], events: ALL, sip_headers: true, ...endpoint });
  rig.receiver.expect(where, made);
  return { number, where };
}

const final = (caller) => until(() => caller.answers.map((a) => Number(/^SIP\/2.0 (\d+)/.exec(a)[1])).find((s) => s >= 200),
  { what: 'a final answer', timeout: 15000 });

/** Calls, is refused, and gives the events. */
async function refused({ number, where }, options) {
  const caller = await Caller.open(carrier, rig.daemon.sip);
  caller.send('INVITE', number, options);
  const status = await final(caller);
  await caller.send('ACK', number, { branch: `z9hG4bK${caller.id}1INVITE`, to: ';tag=x' });
  caller.close();
  return { status, events: await eventsOf(where) };
}

async function eventsOf(where) {
  await until(() => rig.receiver.names(where).includes('call_ended'), { what: `call_ended at ${where}` });
  return rig.receiver.of(where).map((e) => e.body);
}

/** Calls, is answered, hangs up, and gives the events. */
async function answered({ number, where }, options = {}) {
  const caller = await Caller.open(carrier, rig.daemon.sip);
  caller.send('INVITE', number, options);
  const { to, uri } = await caller.wait(200, 'INVITE');
  await caller.send('ACK', number, { ...options, headers: [], to, uri });
  await caller.send('BYE', number, { ...options, headers: [], cseq: 2, to, uri });
  await caller.wait(200, 'BYE');
  caller.close();
  return eventsOf(where);
}

test('a call looks at 64 targets, however they are nested, and the edge stays quick', async () => {
  let next = (await line([])).number;
  for (let depth = 0; depth < 6; depth++) next = (await line(times(16, leadsTo(next)))).number;
  const at = Date.now();
  const { status, events } = await refused(await line(times(16, leadsTo(next))));
  assert.ok(Date.now() - at < 3000, `${Date.now() - at} ms`);
  assert.equal(status, 480);
  assert.deepEqual(events.map((e) => [e.event, e.detail]),
    [['incoming_call', undefined], ['call_ended', 'a call looks at 64 targets']]);
});

test('the 64th target is tried, the 65th is not', async () => {
  const empty = await line([]);
  for (const [looks, status] of [[63, 486], [64, 480]]) {
    // `looks` targets that lead nowhere, then one that is busy
    const inner = [];
    for (let left = looks - 4; left > 0; left -= 15) inner.push(await line(times(Math.min(left, 15), leadsTo(empty.number))));
    assert.equal(inner.length, 4);
    const own = await line([...inner.map((l) => leadsTo(l.number)), refuser.target(486)]);
    assert.equal((await refused(own)).status, status, `${looks} looks before`);
  }
});

test('targets that an answer names count with the number\'s own', async () => {
  const empty = await line([]);
  const wide = await line(times(16, leadsTo(empty.number)));
  const own = await line([refuser.target(603)], { control: true });
  rig.receiver.say.set(own.where, { action: 'forward', targets: [...times(15, leadsTo(wide.number)), refuser.target(486)] });
  const { status, events } = await refused(own);
  assert.equal(status, 480);
  assert.equal(events.at(-1).detail, 'a call looks at 64 targets');
});

test('a call has 40 events at most: its end is the last, and the sequence has no gap', async () => {
  const inner = await line(times(16, refuser.target(503)));
  const own = await line(times(3, leadsTo(inner.number)));
  const { status, events } = await refused(own);
  assert.equal(status, 500);
  assert.deepEqual(events.map((e) => e.sequence), events.map((_, i) => i + 1));
  assert.equal(events.length, 39); // the 40th is call_answered's
  assert.equal(events.at(-1).event, 'call_ended');
  assert.equal(events.at(-1).detail, 'a call has 40 events');
});

test('headers of more than 8 KiB in all are in the events; too large ones are cut, and that is said', async () => {
  const own = await line([refuser.target(486)]);
  const parts = Array.from({ length: 9 }, (_, i) => `X-Part-${i}: ${'v'.repeat(900)}`);
  const { events: [first] } = await refused(own, { headers: [...parts, 'X-Account: 42'] });
  assert.equal(first.sip_header_x_account, '42');
  assert.equal(Object.keys(first).filter((k) => k.startsWith('sip_header_')).length, 10);
  assert.equal(first.truncated, undefined);
  const { events: [second] } = await refused(await line([refuser.target(486)]), { headers: [`X-Context: ${'v'.repeat(9000)}`, 'X-Account: 42'] });
  assert.equal(second.sip_header_x_account, '42');
  assert.equal(second.sip_header_x_context.length, 1024);
  assert.equal(second.truncated, true);
});

test('headers that JSON makes too large are left out of the event, which is stored and says so', async () => {
  const callee = await Answerer.open(agent);
  const own = await line([callee.target()]);
  const events = await answered(own, { headers: Array.from({ length: 20 }, (_, i) => `X-${i}: ${'\x01'.repeat(1000)}`) });
  assert.deepEqual(events.map((e) => [e.event, e.sequence, e.truncated]),
    [['incoming_call', 1, true], ['call_answered', 2, true], ['call_ended', 3, true]]);
  callee.close();
});

test('several headers of one name are joined; those of the daemon\'s own name count for nothing', async () => {
  const own = await line([refuser.target(486)]);
  const { events } = await refused(own, { headers: ['X-A: one', 'X-A: two', 'x-a: three', 'X-A_B: u', 'X-A-B: v',
    'X-Hookswitch-Simulated: 1', 'X-Hookswitch-Call-Id: call_x'] });
  for (const e of events) {
    assert.equal(e.sip_header_x_a, 'one, two, three');
    assert.equal(e.sip_header_x_a_b, 'u, v');
    assert.equal(e.simulated, undefined);
    assert.deepEqual(Object.keys(e).filter((k) => k.startsWith('sip_header_x_hookswitch')), []);
  }
  const invite = refuser.invites.find((i) => i.text.includes('X-A_B: u')).text;
  assert.doesNotMatch(invite, /^X-Hookswitch-Simulated/mi);
  assert.doesNotMatch(invite, /call_x/);
  const { simulated } = await rig.daemon.must('GET', `/v1/calls/${events[0].call_id}`);
  assert.notEqual(simulated, true);
});

test('legs whose addresses are as long as they may be: the call is answered and ends', async () => {
  const callee = await Answerer.open(agent, { display: `"${'d'.repeat(15500)}" ` });
  const own = await line([callee.target()]);
  const events = await answered(own, { display: `"${'t'.repeat(15500)}" ` });
  assert.deepEqual(events.map((e) => e.event), ['incoming_call', 'call_answered', 'call_ended']);
  callee.close();
});

test('an INVITE whose addresses are too long to be kept gets 513, which nobody repeats', async () => {
  const own = await line([refuser.target(486)]);
  const caller = await Caller.open(carrier, rig.daemon.sip);
  caller.send('INVITE', own.number, { display: `"${'t'.repeat(17000)}" ` });
  assert.equal(await final(caller), 513);
  assert.doesNotMatch(caller.answers.at(-1), /Retry-After/);
  caller.close();
});

// ---- endpoints ----

const MOST = 64;

/** Makes an endpoint; gives its status and problem. */
const make = (numbers, more = {}) => rig.daemon.api('POST', '/v1/endpoints',
  { url: `${rig.receiver.url}/many`, events: ['call_ended'], numbers, ...more });

async function full(number) {
  for (let i = 0; i < MOST; i += 8) await Promise.all(times(8, 0).map(() => make([number])));
}

test('64 endpoints may want one event of one number; the 65th is refused, however it comes', async () => {
  const { number } = await line([], { events: ['call_answered'] });
  const other = await line([], { events: ['call_answered'] });
  await full(number);
  const refused = await make([number]);
  assert.equal(refused.status, 422);
  assert.equal(refused.json.code, 'too_many_endpoints');
  assert.match(refused.json.detail, new RegExp(`At most 64 endpoints .* call_ended of \\${number} has 64`));
  assert.equal((await make([other.number, number])).status, 422);
  assert.equal((await make('*')).status, 422);
  assert.equal((await make([number], { disabled: true })).status, 422);
  // others of the account, and other events, have their own count
  const elsewhere = await make([other.number]);
  const quiet = await make([number], { events: ['sms_received'] });
  assert.deepEqual([elsewhere.status, quiet.status], [201, 201]);
  const patch = (id, body) => rig.daemon.api('PATCH', `/v1/endpoints/${id}`, body);
  assert.equal((await patch(elsewhere.json.id, { numbers: [number] })).json.code, 'too_many_endpoints');
  assert.equal((await patch(quiet.json.id, { events: ['call_ended'] })).json.code, 'too_many_endpoints');
  assert.equal((await patch(quiet.json.id, { description: undefined, url: `${rig.receiver.url}/more` })).status, 200);
  const account = await rig.daemon.must('POST', '/v1/accounts', { name: `many ${rig.next}` });
  const foreign = await make('*', { account: account.id });
  assert.equal(foreign.status, 201);
  assert.equal((await patch(foreign.json.id, { account: 'default' })).json.code, 'too_many_endpoints');
  assert.equal((await rig.daemon.api('DELETE', `/v1/endpoints/${elsewhere.json.id}`)).status, 204);
});

test('of many that come at once no more than 64 are taken', async () => {
  const { number } = await line([], { events: ['call_answered'] });
  const all = await Promise.all(times(90, 0).map(() => make([number])));
  assert.equal(all.filter((r) => r.status === 201).length, MOST);
  assert.equal(all.filter((r) => r.json.code === 'too_many_endpoints').length, 90 - MOST);
});

test('a store that has more endpoints for one event keeps them: all get it, and calls end', async () => {
  const own = await line([refuser.target(486)], { events: ['call_ended'] });
  await rig.daemon.kill('SIGTERM');
  const db = `${rig.daemon.dir}/hookswitch.db`;
  // 300 more rows like the one that is there
  execFileSync('sqlite3', [db, `INSERT INTO settings (kind, id, account, key, doc, version, created_at, updated_at)
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 300)
    SELECT kind, id || i, account, key || i, doc, version, created_at, updated_at FROM settings, c
    WHERE kind = 2 AND doc LIKE '%${own.number}%'`]);
  await rig.daemon.run();
  const caller = await Caller.open(carrier, rig.daemon.sip);
  caller.send('INVITE', own.number);
  assert.equal(await final(caller), 486);
  await caller.send('ACK', own.number, { branch: `z9hG4bK${caller.id}1INVITE`, to: ';tag=x' });
  caller.close();
  await until(() => rig.receiver.of(own.where).length === 301, { what: '301 deliveries', timeout: 30000 });
  assert.equal((await make([own.number], { events: ['call_ended'] })).json.code, 'too_many_endpoints');
});

// ---- events that can never be sent ----

test('an event that can never be sent is given up at once, and the lane goes on', async () => {
  const own = await line([refuser.target(486)], { retry: { schedule_s: [1], give_up_after_s: 600 } });
  let refuse = true;
  rig.receiver.respond.set(own.where, (event, res) => res.sendStatus(refuse ? 500 : 200));
  const poison = (nth, payload) => `UPDATE events SET payload = ${payload} WHERE n = (SELECT n FROM events
    WHERE number = '${own.number}' AND kind = 0 ORDER BY n LIMIT 1 OFFSET ${nth})`;
  for (let i = 0; i < 3; i++) {
    const caller = await Caller.open(carrier, rig.daemon.sip);
    caller.send('INVITE', own.number);
    await final(caller);
    await caller.send('ACK', own.number, { branch: `z9hG4bK${caller.id}1INVITE`, to: ';tag=x' });
    caller.close();
  }
  await until(() => rig.receiver.of(own.where).length >= 3, { what: 'first attempts' });
  await rig.daemon.kill();
  const db = `${rig.daemon.dir}/hookswitch.db`;
  execFileSync('sqlite3', [db, `${poison(0, "'no JSON'")}; ${poison(1, "'{\"event\":\"' || hex(zeroblob(40000)) || '\"}'")}`]);
  refuse = false;
  const before = rig.receiver.of(own.where).length;
  await rig.daemon.run();
  const taken = () => rig.receiver.of(own.where).slice(before).map((e) => e.body.event);
  await until(() => taken().filter((e) => e === 'call_ended').length === 3, { what: 'the ends of all three', timeout: 30000 });
  assert.equal(taken().filter((e) => e === 'incoming_call').length, 1);
  assert.equal(rig.daemon.log.match(/cannot be sent: malformed/g).length, 1);
  assert.equal(rig.daemon.log.match(/cannot be sent: too large/g).length, 1);
  const { data } = await rig.daemon.must('GET', '/v1/endpoints?limit=500');
  assert.equal(data.find((e) => e.numbers[0] === own.number).health.state, 'healthy');
});
