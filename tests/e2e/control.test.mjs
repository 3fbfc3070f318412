// Call control by the answer (CONTRACT §4): the POST leaves while the event goes to the disk, is the
// delivery's first attempt, and its answer decides where the call goes. Targets refuse with a status of their
// own, so that the caller's status shows which of them was tried.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { Rig, agent, carrier } from './lib/rig.mjs';
import { Caller, Refuser } from './lib/ua.mjs';
import { lockStore } from './lib/storelock.mjs';
import { until } from './lib/until.mjs';

const OWN = 603; // the number's own target
const CHOSEN = 488; // where an answer sends the call

let rig, callee;
before(async () => {
  rig = await Rig.start({ 'sip.t1_ms': 100 });
  callee = await Refuser.open(agent);
});
after(async () => {
  callee?.close();
  await rig?.stop();
});

const invitesTo = (status, number) => callee.invites.filter((i) => i.text.startsWith(`INVITE sip:s${status}@`)
  && (!number || i.text.includes(number)));
const forward = (more = {}) => ({ action: 'forward', targets: [callee.target(CHOSEN, more)] });

/** A number with targets, and endpoints of which each names what it does with a POST. */
async function line(targets, ...endpoints) {
  const number = `+4479112${String(10000 + rig.next++)}`;
  await rig.daemon.number(number, targets ?? [callee.target(OWN)]);
  const where = [];
  for (const [i, { respond = 'OK', ...more }] of endpoints.entries()) {
    const path = `/control/${number.slice(1)}/${i}`;
    const made = await rig.daemon.must('POST', '/v1/endpoints', { url: rig.receiver.url + path, numbers: [number],
      control: true, control_timeout_ms: 5000, retry: { schedule_s: [1], give_up_after_s: 60 }, ...more });
    rig.receiver.expect(path, made);
    rig.receiver.respond.set(path, (event, res) => {
      if (event.body.event !== 'incoming_call') res.sendStatus(200);
      else if (typeof respond === 'function') respond(event, res);
      else res.status(200).send(respond);
    });
    where.push(path);
  }
  return { number, where };
}

const incoming = (path) => rig.receiver.of(path).filter((e) => e.body.event === 'incoming_call');
const attempts = (path) => incoming(path).map((e) => e.headers['webhook-attempt']);

/** Calls; with what it ended, and after how many milliseconds. */
async function call(number, caller) {
  const own = caller ?? await Caller.open(carrier, rig.daemon.sip);
  const at = Date.now();
  own.send('INVITE', number);
  const final = await until(() => own.answers.map((a) => Number(/^SIP\/2.0 (\d+)/.exec(a)[1])).find((s) => s >= 200),
    { what: `a final answer for ${number}`, timeout: 15000 });
  await own.send('ACK', number, { branch: `z9hG4bK${own.id}1INVITE`, to: ';tag=x' });
  if (!caller) own.close();
  return { status: final, ms: Date.now() - at };
}

/** The events of the call that `path` got, and its call_ended. */
async function ended(path) {
  await until(() => rig.receiver.names(path).includes('call_ended'), { what: `call_ended at ${path}` });
  const events = rig.receiver.of(path).map((e) => e.body);
  return { events, ended: events.find((e) => e.event === 'call_ended') };
}

const delivered = (id) => until(async () => {
  const event = await rig.daemon.must('GET', `/v1/events/${id}`);
  return event.deliveries.every((d) => d.state === 'delivered') && event;
}, { what: `${id} to be delivered` });

for (const [what, say, status, reason] of [
  ['forward', () => forward(), CHOSEN, 'failed'],
  ['reject with 486', { action: 'reject', sip_status: 486 }, 486, 'busy'],
  ['reject without a status', { action: 'reject' }, 603, 'rejected'],
  ['default', { action: 'default' }, OWN, 'rejected'],
  ['OK', 'OK', OWN, 'rejected'],
  ['nothing', '', OWN, 'rejected'],
  ['broken JSON', '{"action":"forward","targets":[', OWN, 'rejected'],
  ['an action nobody knows', { action: 'dance' }, OWN, 'rejected'],
  ['reject with 200', { action: 'reject', sip_status: 200 }, OWN, 'rejected'],
  ['forward to nowhere', { action: 'forward', targets: [{ type: 'sip', destination: 'nowhere' }] }, OWN, 'rejected'],
]) {
  test(`the answer is ${what}: ${status}, and one POST`, async () => {
    const { number, where: [path] } = await line(null,
      { respond: (event, res) => res.status(200).send(typeof say === 'function' ? say() : say) });
    assert.equal((await call(number)).status, status);
    const { events, ended: last } = await ended(path);
    assert.equal(last.end_reason, reason);
    assert.deepEqual(events.map((e) => [e.event, e.sequence]), [['incoming_call', 1], ['call_ended', 2]]);
    assert.deepEqual(attempts(path), ['1']);
    const stored = await delivered(events[0].id);
    assert.equal(stored.deliveries[0].attempts.length, 1);
    assert.equal(stored.deliveries[0].attempts[0].status, 200);
  });
}

test('forward with headers: they are in the INVITE', async () => {
  const { number } = await line(null, { respond: forward({ headers: { 'X-Customer': '42' } }) });
  const before = invitesTo(CHOSEN).length;
  assert.equal((await call(number)).status, CHOSEN);
  assert.match(invitesTo(CHOSEN)[before].text, /^X-Customer: 42\r$/m);
});

test('500: default at once, and the delivery is tried again as the same event', async () => {
  const { number, where: [path] } = await line(null, { respond: (event, res) =>
    res.status(event.headers['webhook-attempt'] === '1' ? 500 : 200).send(forward()) });
  const { status, ms } = await call(number);
  assert.equal(status, OWN);
  assert.ok(ms < 4000, `after ${ms} ms`);
  await ended(path);
  assert.deepEqual(attempts(path), ['1', '2']);
  assert.equal(new Set(incoming(path).map((e) => e.body.id)).size, 1);
  assert.equal(new Set(incoming(path).map((e) => e.headers['webhook-id'])).size, 1);
  assert.deepEqual(rig.receiver.names(path), ['incoming_call', 'incoming_call', 'call_ended']);
});

test('the POST leaves before the commit; the call goes on after it, with the answer', async () => {
  const { number, where: [path, other] } = await line(null, { respond: forward() }, { control: false });
  const before = invitesTo(CHOSEN).length;
  const release = await lockStore(rig.daemon.dir);
  const caller = await Caller.open(carrier, rig.daemon.sip);
  const done = call(number, caller);
  await rig.receiver.wait(path, 1);
  assert.equal(rig.receiver.of(other).length, 0, 'an endpoint without control gets it after the commit');
  assert.equal(invitesTo(CHOSEN).length, before, 'nothing goes on before the commit');
  assert.ok(caller.answers.every((a) => a.startsWith('SIP/2.0 100')), 'nothing but 100 is said before it');
  await release();
  assert.equal((await done).status, CHOSEN);
  caller.close();
  await ended(path);
  assert.deepEqual(attempts(path), ['1']);
  assert.deepEqual((await rig.receiver.wait(other, 2)).map((e) => e.sequence), [1, 2]);
});

test('an answer that comes before the commit waits for it: reject', async () => {
  const { number, where: [path] } = await line(null, { respond: { action: 'reject', sip_status: 486 } });
  const release = await lockStore(rig.daemon.dir);
  const caller = await Caller.open(carrier, rig.daemon.sip);
  const done = call(number, caller);
  await rig.receiver.wait(path, 1);
  assert.equal(caller.of(486, 'INVITE').length, 0);
  await release();
  assert.equal((await done).status, 486);
  caller.close();
});

test('the commit fails: 503, the POST is dropped, nothing is stored', async () => {
  const { number, where: [path] } = await line(null, { respond: forward() });
  const before = invitesTo(CHOSEN).length;
  const release = await lockStore(rig.daemon.dir);
  assert.equal((await call(number)).status, 503);
  await release();
  assert.equal(rig.receiver.of(path).length, 1);
  const id = rig.receiver.of(path)[0].body.call_id;
  assert.deepEqual((await rig.daemon.must('GET', `/v1/events?call_id=${id}`)).data, []);
  assert.equal(invitesTo(CHOSEN).length, before);
  await until(async () => (await fetch(`${rig.daemon.url}/readyz`)).status === 200, { what: 'readyz' });
  assert.equal((await call(number)).status, CHOSEN, 'the next call is as any other');
});

test('kill -9 between the POST and the commit: the repeated INVITE gives the same event', async () => {
  const { number, where: [path] } = await line(null, { respond: forward() });
  const caller = await Caller.open(carrier, rig.daemon.sip);
  const release = await lockStore(rig.daemon.dir);
  caller.send('INVITE', number);
  await rig.receiver.wait(path, 1);
  await rig.daemon.kill();
  await release();
  await rig.daemon.run();
  assert.equal((await call(number, caller)).status, CHOSEN);
  caller.close();
  const { events } = await ended(path);
  assert.deepEqual(events.map((e) => e.event), ['incoming_call', 'incoming_call', 'call_ended']);
  assert.equal(events[0].id, events[1].id);
  assert.equal(events[0].call_id, events[1].call_id);
  assert.deepEqual(events.map((e) => e.sequence), [1, 1, 2]);
});

test('call_ended cannot be stored at once: it comes later, and without a gap in sequence', async () => {
  let answer;
  const { number, where: [path] } = await line(null, { respond: (event, res) => { answer = res; } });
  const failures = () => rig.daemon.log.split('call_ended is not stored yet').length;
  const done = call(number);
  const [{ call_id: id }] = await rig.receiver.wait(path, 1);
  await until(async () => (await rig.daemon.must('GET', `/v1/events?call_id=${id}`)).data.length, { what: 'the commit' });
  const seen = failures();
  const release = await lockStore(rig.daemon.dir);
  answer.status(200).send({ action: 'reject', sip_status: 486 });
  await until(() => failures() > seen, { what: 'a commit to fail' });
  await release();
  assert.equal((await done).status, 486);
  assert.deepEqual((await ended(path)).events.map((e) => [e.event, e.sequence]), [['incoming_call', 1], ['call_ended', 2]]);
});

test('a late answer: default after control_timeout_ms, and the delivery counts all the same', async () => {
  let answer;
  const { number, where: [path] } = await line(null, { control_timeout_ms: 300, respond: (event, res) => { answer = res; } });
  const before = invitesTo(CHOSEN).length;
  const { status, ms } = await call(number);
  assert.equal(status, OWN);
  assert.ok(ms >= 290, `after ${ms} ms`);
  assert.deepEqual(rig.receiver.names(path), ['incoming_call'], 'call_ended waits for its turn');
  answer.status(200).send(forward());
  const { events } = await ended(path);
  await delivered(events[0].id);
  assert.deepEqual(attempts(path), ['1']);
  assert.equal(invitesTo(CHOSEN).length, before);
});

test('CANCEL while it is decided: canceled, and the answer goes nowhere', async () => {
  let answer;
  const { number, where: [path] } = await line(null, { respond: (event, res) => { answer = res; } });
  const before = callee.invites.length;
  const caller = await Caller.open(carrier, rig.daemon.sip);
  caller.send('INVITE', number);
  await rig.receiver.wait(path, 1);
  caller.send('CANCEL', number, { branch: `z9hG4bK${caller.id}1INVITE` });
  await caller.wait(487, 'INVITE');
  answer.status(200).send(forward());
  const { events, ended: last } = await ended(path);
  assert.equal(last.end_reason, 'canceled');
  assert.equal(last.ended_by, 'caller');
  await delivered(events[0].id);
  assert.equal(callee.invites.length, before);
  caller.close();
});

test('CANCEL before the commit: canceled, whatever was answered already', async () => {
  const { number, where: [path] } = await line(null, { respond: forward() });
  const before = callee.invites.length;
  const caller = await Caller.open(carrier, rig.daemon.sip);
  const release = await lockStore(rig.daemon.dir);
  caller.send('INVITE', number);
  await rig.receiver.wait(path, 1);
  caller.send('CANCEL', number, { branch: `z9hG4bK${caller.id}1INVITE` });
  await caller.wait(200, 'CANCEL');
  assert.equal(caller.of(487, 'INVITE').length, 0, 'the end is said after its commit, too');
  await release();
  await caller.wait(487, 'INVITE');
  const { ended: last } = await ended(path);
  assert.equal(last.end_reason, 'canceled');
  assert.deepEqual(attempts(path), ['1']);
  assert.equal(callee.invites.length, before);
  caller.close();
});

test('the first URL cannot be reached: the fallback decides', async () => {
  const { number, where: [path] } = await line(null, { respond: forward() });
  const [{ id }] = (await rig.daemon.must('GET', '/v1/endpoints?limit=500')).data.filter((e) => e.url.endsWith(path));
  await rig.daemon.must('PATCH', `/v1/endpoints/${id}`, { url: 'http://127.0.0.1:2/gone', fallback_url: rig.receiver.url + path });
  assert.equal((await call(number)).status, CHOSEN);
  assert.deepEqual(attempts(path), ['1']);
});

test('the first URL hangs: the fallback is asked at half of the time, and decides', async () => {
  const open = new Set();
  const hanging = createServer((socket) => { open.add(socket); socket.on('error', () => {}); });
  await new Promise((resolve) => hanging.listen(0, '127.0.0.1', resolve));
  const { number, where: [path] } = await line(null, { respond: forward() });
  const [{ id }] = (await rig.daemon.must('GET', '/v1/endpoints?limit=500')).data.filter((e) => e.url.endsWith(path));
  await rig.daemon.must('PATCH', `/v1/endpoints/${id}`, { control_timeout_ms: 2000,
    url: `http://127.0.0.1:${hanging.address().port}/`, fallback_url: rig.receiver.url + path });
  const { status, ms } = await call(number);
  assert.equal(status, CHOSEN);
  assert.ok(ms >= 990 && ms < 2000, `after ${ms} ms`);
  for (const socket of open) socket.destroy();
  hanging.close();
});

test('two control endpoints: who says OK leaves it to the other', async () => {
  let answer;
  const { number, where: [one, two] } = await line(null, { respond: 'OK' }, { respond: (event, res) => { answer = res; } });
  const done = call(number);
  await until(() => answer && incoming(one).length, { what: 'both to be asked' });
  answer.status(200).send(forward());
  assert.equal((await done).status, CHOSEN);
  for (const path of [one, two]) {
    await ended(path);
    assert.deepEqual(attempts(path), ['1']);
  }
});

test('two control endpoints: the first that says where to wins; the other is not waited for', async () => {
  let answer;
  const { number, where: [one, two] } = await line(null, { respond: forward() }, { respond: (event, res) => { answer = res; } });
  const { status, ms } = await call(number);
  assert.equal(status, CHOSEN);
  assert.ok(ms < 4000, `after ${ms} ms`);
  answer.status(200).send({ action: 'reject', sip_status: 486 });
  for (const path of [one, two]) await ended(path);
});

test('two control endpoints that both say OK: default at once', async () => {
  const { number } = await line(null, {}, {});
  const { status, ms } = await call(number);
  assert.equal(status, OWN);
  assert.ok(ms < 4000, `after ${ms} ms`);
});

test('a control endpoint and an ordinary one: one incoming_call each, sequence 1', async () => {
  const { number, where } = await line(null, { respond: forward() }, { control: false, respond: { action: 'reject', sip_status: 486 } });
  assert.equal((await call(number)).status, CHOSEN, 'only the control endpoint is asked');
  for (const path of where) {
    const { events } = await ended(path);
    assert.deepEqual(events.map((e) => [e.event, e.sequence]), [['incoming_call', 1], ['call_ended', 2]]);
  }
});

test('a form endpoint decides, too', async () => {
  const { number, where: [path] } = await line(null, { format: 'form', respond: forward() });
  assert.equal((await call(number)).status, CHOSEN);
  assert.equal(incoming(path)[0].headers['content-type'], 'application/x-www-form-urlencoded');
  assert.equal(incoming(path)[0].body.did_number, number);
});

test('an endpoint that is failing gets no early POST, and the call does not wait for it', async () => {
  let works = false;
  const { number, where: [path] } = await line(null, { retry: { schedule_s: [3600], give_up_after_s: 86400 },
    respond: (event, res) => res.status(works ? 200 : 500).send(forward()) });
  for (let i = 0; i < 10; i++) assert.equal((await call(number)).status, OWN);
  await until(() => incoming(path).length === 10, { what: 'ten failures' });
  const first = await rig.daemon.must('GET', `/v1/events/${incoming(path)[9].body.id}`);
  await until(async () => (await rig.daemon.must('GET', `/v1/events/${first.id}`)).deliveries[0].attempts.length === 1,
    { what: 'the last attempt to be stored' });
  works = true;
  const { status, ms } = await call(number);
  assert.equal(status, OWN);
  assert.ok(ms < 4000, `after ${ms} ms`);
  assert.equal(incoming(path).length, 10);
});

test('an endpoint at its limit: its deliveries wait, its answers still decide', async () => {
  const held = [];
  const { number, where: [path] } = await line(null, { concurrency: 1, respond: (event, res) => held.push(res) });
  const calls = [call(number), call(number), call(number)];
  for (let i = 0; i < 3; i++) {
    await until(() => held.length === i + 1, { what: `POST ${i + 1}` });
    held[i].status(200).send(forward());
  }
  for (const { status } of await Promise.all(calls)) assert.equal(status, CHOSEN);
  await until(() => rig.receiver.names(path).filter((n) => n === 'call_ended').length === 3, { what: 'three ends' });
  assert.deepEqual(attempts(path), ['1', '1', '1']);
});

test('two hundred calls at once, eight POSTs at a time: each is routed by its own answer', async () => {
  const { number, where: [path] } = await line(null, { control_timeout_ms: 10000, respond: forward() });
  const results = await Promise.all(Array.from({ length: 200 }, () => call(number)));
  assert.deepEqual(results.filter(({ status }) => status !== CHOSEN), []);
  await until(() => rig.receiver.names(path).filter((n) => n === 'call_ended').length === 200, { what: 'their ends' });
  assert.equal(incoming(path).length, 200);
  assert.equal(new Set(incoming(path).map((e) => e.body.call_id)).size, 200);
});

// ---- targets of type webhook ----

const webhook = (path, more = {}) => ({ type: 'webhook', destination: rig.receiver.url + path, ...more });

test('a webhook as the first target is asked before the commit; its question is no delivery', async () => {
  const path = `/asked/${rig.next}`;
  rig.receiver.respond.set(path, (event, res) => res.status(200).send(forward()));
  const { number, where: [other] } = await line([webhook(path), callee.target(OWN)], { control: false });
  const release = await lockStore(rig.daemon.dir);
  const done = call(number);
  await rig.receiver.wait(path, 1);
  await release();
  assert.equal((await done).status, CHOSEN);
  await ended(other);
  assert.deepEqual(rig.receiver.names(path), ['incoming_call']);
  assert.equal(rig.receiver.of(path)[0].body.id, incoming(other)[0].body.id);
  assert.equal((await delivered(incoming(other)[0].body.id)).deliveries.length, 1);
});

test('its answer is OK: the next target', async () => {
  const path = `/asked/${rig.next}`;
  rig.receiver.respond.set(path, (event, res) => res.sendStatus(200));
  const { number } = await line([webhook(path), callee.target(OWN)], { control: false });
  assert.equal((await call(number)).status, OWN);
  const only = await line([webhook(path)], { control: false });
  assert.equal((await call(only.number)).status, 480);
});

test('a webhook further down is asked when its turn comes', async () => {
  const path = `/asked/${rig.next}`;
  rig.receiver.respond.set(path, (event, res) => {
    assert.equal(invitesTo(486, number).length, 0);
    res.status(200).send(forward());
  });
  const { number } = await line([callee.target(486), webhook(path, { when: 'busy' })], { control: false });
  const before = invitesTo(486).length;
  assert.equal((await call(number)).status, CHOSEN);
  assert.equal(invitesTo(486).length, before + 1);
  const away = await line([callee.target(603), webhook(path, { when: 'busy' })], { control: false });
  assert.equal((await call(away.number)).status, 603);
  assert.equal(rig.receiver.of(path).length, 1);
});

test('a webhook whose URL is an endpoint: one POST, the delivery, and its answer counts at its turn', async () => {
  const { number, where: [path] } = await line(null, { control: false, respond: forward() });
  const put = (targets) => rig.daemon.must('PUT', `/v1/numbers/${encodeURIComponent(number)}/forward`, { targets });
  for (const [i, targets] of [[webhook(path), callee.target(OWN)], [callee.target(486), webhook(path)]].entries()) {
    await put(targets);
    assert.equal((await call(number)).status, CHOSEN);
    await until(() => rig.receiver.names(path).filter((n) => n === 'call_ended').length === i + 1, { what: 'its end' });
    assert.equal(incoming(path).length, i + 1);
  }
  assert.deepEqual(attempts(path), ['1', '1']);
});

test('the question to a URL that cannot be reached goes to the fallback of the endpoint of that URL', async () => {
  const gone = `http://127.0.0.1:2/gone/${rig.next}`;
  const path = `/asked/${rig.next}`;
  const made = await rig.daemon.must('POST', '/v1/endpoints',
    { url: gone, fallback_url: rig.receiver.url + path, events: ['ping'] });
  rig.receiver.expect(path, made);
  rig.receiver.respond.set(path, (event, res) => res.status(200).send(forward()));
  const { number } = await line([{ type: 'webhook', destination: gone }, callee.target(OWN)], { control: false });
  assert.equal((await call(number)).status, CHOSEN);
  assert.deepEqual(rig.receiver.names(path), ['incoming_call']);
});

test('a webhook that is slow: the next target after its time', async () => {
  const path = `/asked/${rig.next}`;
  const held = [];
  rig.receiver.respond.set(path, (event, res) => held.push(res));
  const { number } = await line([webhook(path), callee.target(OWN)], { control: false });
  const { status, ms } = await call(number);
  assert.equal(status, OWN);
  assert.ok(ms >= 2900 && ms < 6000, `after ${ms} ms`);
  for (const res of held) res.sendStatus(200);
});

// ---- access_number ----

const leadsTo = (number, more = {}) => ({ type: 'access_number', destination: number, ...more });
const put = (number, targets) => rig.daemon.must('PUT', `/v1/numbers/${encodeURIComponent(number)}/forward`, { targets });

test('access_number: the other number\'s setting applies, and behind it one\'s own', async () => {
  const other = await line([callee.target(486)]);
  const { number } = await line([leadsTo(other.number), callee.target(OWN, { when: 'busy' })]);
  const before = invitesTo(486).length;
  assert.equal((await call(number)).status, OWN);
  assert.equal(invitesTo(486).length, before + 1);
});

test('access_number: a loop ends the call; with another target behind it, the call goes on', async () => {
  const one = await line(null, { control: false, events: ['incoming_call', 'call_ended', 'call_forward_failed'] });
  const two = await line([leadsTo(one.number)]);
  await put(one.number, [leadsTo(two.number)]);
  assert.equal((await call(one.number)).status, 500);
  const { events, ended: last } = await ended(one.where[0]);
  assert.deepEqual(events.map((e) => e.event), ['incoming_call', 'call_ended']);
  assert.equal(last.end_reason, 'failed');
  await put(one.number, [leadsTo(one.number), leadsTo(two.number), callee.target(OWN)]);
  assert.equal((await call(one.number)).status, OWN);
  await until(() => rig.receiver.names(one.where[0]).filter((n) => n === 'call_ended').length === 2, { what: 'its end' });
  assert.deepEqual(rig.receiver.of(one.where[0]).slice(2).map((e) => [e.body.event, e.body.destination]),
    [['incoming_call', undefined], ['call_forward_failed', one.number], ['call_forward_failed', one.number],
      ['call_ended', undefined]]);
});

test('access_number: seven deep is reached, eight are refused', async () => {
  let at = (await line([callee.target(486)])).number;
  for (let depth = 1; depth <= 8; depth++) {
    at = (await line([leadsTo(at)])).number;
    assert.equal((await call(at)).status, depth < 8 ? 486 : 500, `${depth} deep`);
  }
});

test('access_number: another account\'s number is as one that is not there', async () => {
  const account = await rig.daemon.must('POST', '/v1/accounts', { name: `other ${rig.next}` });
  const foreign = `+4479113${String(10000 + rig.next++)}`;
  await rig.daemon.must('POST', '/v1/numbers', { number: foreign, account: account.id });
  await put(foreign, [callee.target(486)]);
  const { number } = await line([leadsTo(foreign)]);
  assert.equal((await call(number)).status, 500);
  const unknown = await line([leadsTo('+4479113999999')]);
  assert.equal((await call(unknown.number)).status, 500);
});

// ---- a figure ----

test('from INVITE to POST: a control endpoint beside an ordinary one', async (t) => {
  const { number, where: [control, plain] } = await line(null, {}, { control: false });
  const first = new Map();
  const seen = (path) => async (event, res) => {
    if (event.body.event === 'incoming_call') first.set(path, performance.now());
    res.sendStatus(200);
  };
  for (const path of [control, plain]) rig.receiver.respond.set(path, seen(path));
  const times = { [control]: [], [plain]: [] };
  for (let i = 0; i < 60; i++) {
    first.clear();
    const at = performance.now();
    await call(number);
    await until(() => first.size === 2, { what: 'both POSTs', every: 1 });
    for (const path of [control, plain]) times[path].push(first.get(path) - at);
  }
  const median = (list) => list.sort((a, b) => a - b)[list.length >> 1].toFixed(2);
  t.diagnostic(`INVITE to POST at the receiver, median of 60: control ${median(times[control])} ms, ordinary ${median(times[plain])} ms`);
});
