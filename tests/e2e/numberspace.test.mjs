// Numbers belong to the operator, who assigns them. An account changes its own settings of them, and gives them back. A number that
// moves takes nothing of its account along, and shows nothing of its past to the next one.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Rig } from './lib/rig.mjs';
import { Daemon } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

let rig, d, customer, rival;
before(async () => {
  rig = await Rig.start();
  d = rig.daemon;
  [customer, rival] = await Promise.all(['customer', 'rival'].map((name) => tenant(d, name)));
});
after(async () => { await rig?.stop(); });

async function tenant(daemon, name) {
  const { id } = await daemon.must('POST', '/v1/accounts', { name });
  const { key } = await daemon.must('POST', '/v1/keys', { name, account: name });
  const api = (method, where, body, headers = {}) => daemon.api(method, where, body, { authorization: `Bearer ${key}`, ...headers });
  const did = async (verb, fields) => (await daemon.api('POST', `/api/did/${verb}`, { token: key, ...fields })).json;
  return { id, name, key, api, did };
}

let line = 10000;
const at = (number) => `/v1/numbers/${encodeURIComponent(number)}`;
const fresh = () => `+4479118${line++}`;
const given = async (account, more = {}) => {
  const number = fresh();
  await d.must('POST', '/v1/numbers', { number, account, country: 'GB', type: 'mobile', monthly_cost: '4.50', setup_fee: '1.00', ...more });
  return number;
};
const sip = (to) => ({ targets: [{ type: 'sip', destination: `sip:${to}@example.com` }] });

test('an account does not make numbers, whether they are free or not', async () => {
  const taken = await given('rival');
  const answers = await Promise.all([fresh(), taken].map((number) => customer.api('POST', '/v1/numbers', { number })));
  for (const answer of answers) assert.deepEqual([answer.status, answer.json.code], [403, 'numbers_are_assigned'], answer.text);
  assert.equal(answers[0].text, answers[1].text);
  const { key } = await d.must('POST', '/v1/keys', { name: 'of default' });
  assert.equal((await d.api('POST', '/v1/numbers', { number: fresh(), monthly_cost: '1.00' }, { authorization: `Bearer ${key}` })).status, 201);
});

test('an account changes what is its own of a number, and nothing that the operator sets', async () => {
  const number = await given('customer');
  const before = await d.must('GET', at(number));
  const changed = await customer.api('PATCH', at(number), { label: 'Support', sms: false, forward: sip('a') });
  assert.equal(changed.status, 200, changed.text);
  for (const [field, value] of Object.entries({ country: 'US', type: 'tollfree', monthly_cost: '0.00', setup_fee: '0.00', account: 'rival' }))
    for (const patch of [{ [field]: value }, { [field]: value, label: 'x' }, ...(field === 'account' ? [] : [{ [field]: null }])]) {
      const answer = await customer.api('PATCH', at(number), patch);
      assert.deepEqual([answer.status, answer.json.code, answer.json.field], [422, 'invalid_field', field], answer.text);
    }
  const whole = changed.json; // a client that reads, changes one member and writes all of it back
  const { country, type, monthly_cost: monthly, setup_fee: setup } = whole;
  const back = await customer.api('PATCH', at(number), { country, type, monthly_cost: monthly, setup_fee: setup, label: 'Sales' });
  assert.equal(back.status, 200, back.text);
  const after = await d.must('GET', at(number));
  assert.deepEqual({ ...after, label: before.label, sms: true, forward: before.forward, updated_at: before.updated_at }, before);
});

test('a number that an account deletes goes back to the pool, and to nobody who comes', async () => {
  const number = await given('customer', { sms: false });
  assert.equal((await customer.api('PATCH', at(number), { label: 'mine', voice: false, sms: true, forward: sip('mine') })).status, 200);
  assert.equal((await customer.api('DELETE', at(number), undefined, { 'if-match': '"1"' })).status, 412);
  const gone = await customer.api('DELETE', at(number));
  assert.deepEqual([gone.status, gone.text], [204, '']);
  assert.equal((await customer.api('GET', at(number))).status, 404);
  assert.equal((await rival.api('POST', '/v1/numbers', { number })).status, 403);
  const pooled = await d.must('GET', at(number));
  assert.equal(pooled.account, (await d.must('GET', '/v1/accounts/pool')).id);
  assert.deepEqual([pooled.label, pooled.voice, pooled.sms, pooled.forward.targets, pooled.monthly_cost], ['', true, false, [], '4.50']);
  const { dids } = await rival.did('available');
  const { did_id } = dids.find((x) => x.did_number === number);
  assert.equal((await rival.did('assign', { did_id })).status, true);
  assert.equal((await rival.api('GET', at(number))).json.label, '');
  const rows = (await customer.api('GET', `/v1/audit?id=${encodeURIComponent(number)}&limit=1`)).json.data;
  assert.equal(rows[0].action, 'moved_out');
  assert.equal((await d.api('DELETE', at(number))).status, 204);
  assert.equal((await d.api('GET', at(number))).status, 404, 'the operator\'s DELETE deletes');
});

test('a number that moves brings nothing along: label, forward, endpoints; what the request gives is there', async () => {
  const number = await given('customer');
  const [his, hers] = [`/hook/his-${number.slice(1)}`, `/hook/hers-${number.slice(1)}`];
  await customer.api('PATCH', at(number), { label: 'mine', forward: sip('mine') });
  const { json: old } = await customer.api('POST', '/v1/endpoints', rig.receiver.endpoint(his, { numbers: [number] }));
  rig.receiver.expect(his, old);
  const sms = (t, message) => t.api('POST', '/v1/simulate', { kind: 'sms', number, from: 'ACME', message });
  assert.equal((await sms(customer, 'of the first')).status, 202);
  await rig.receiver.wait(his, 1);
  await d.must('PATCH', at(number), { account: 'rival' });
  const moved = (await rival.api('GET', at(number))).json;
  assert.deepEqual([moved.label, moved.forward.targets], ['', []]);
  assert.equal((await sms(customer, 'x')).status, 404);
  const { json: now } = await rival.api('POST', '/v1/endpoints', rig.receiver.endpoint(hers, { numbers: [number] }));
  rig.receiver.expect(hers, now);
  assert.equal((await sms(rival, 'of the second')).status, 202);
  await rig.receiver.wait(hers, 1);
  const events = async (t) => (await t.api('GET', '/v1/events')).json.data.filter((e) => e.to === number).map((e) => e.message);
  assert.deepEqual([await events(customer), await events(rival)], [['of the first'], ['of the second']]);
  assert.equal(rig.receiver.of(his).length, 1, 'the first account hears no more of it');

  const { json: job } = await rival.api('DELETE', `${at(number)}/data`);
  await until(async () => (await rival.api('GET', `/v1/erasures/${job.id}`)).json.state === 'finished', { what: 'the erasure' });
  assert.deepEqual([await events(customer), await events(rival)], [['of the first'], []], 'each erases its own');
  assert.equal((await customer.api('DELETE', `${at(number)}/data`)).status, 404);

  const set = await d.must('PATCH', at(number), { account: 'customer', label: 'given', forward: sip('given') });
  assert.deepEqual([set.label, set.forward.targets[0].destination], ['given', 'sip:given@example.com']);
  assert.equal((await d.must('PATCH', at(number), { account: 'customer', type: 'local' })).label, 'given', 'where it is, it does not arrive');
});

test('a number comes out of the pool without what stood there', async () => {
  const number = await given('pool', { label: 'in stock', forward: sip('nobody') });
  const { dids } = await customer.did('available');
  const { did } = await customer.did('assign', { did_id: dids.find((x) => x.did_number === number).did_id });
  assert.deepEqual([did.label, did.forward, did.monthly_cost], ['', [], '4.50']);
});

test('accounts.own_numbers: who runs it for himself lets accounts make, price and delete numbers', async () => {
  const own = await Daemon.start({ 'accounts.own_numbers': 'on' });
  try {
    const [a, b] = [await tenant(own, 'a'), await tenant(own, 'b')];
    const number = fresh();
    assert.equal((await a.api('POST', '/v1/numbers', { number, monthly_cost: '2.00', country: 'GB' })).status, 201);
    assert.equal((await b.api('POST', '/v1/numbers', { number })).status, 409);
    assert.equal((await b.api('PATCH', at(number), { label: 'x' })).status, 404);
    assert.equal((await a.api('PATCH', at(number), { monthly_cost: '0.00', type: 'local' })).status, 200);
    assert.equal((await a.api('PATCH', at(number), { account: 'b' })).status, 422, 'and give them to nobody else');
    assert.equal((await a.api('DELETE', at(number))).status, 204);
    assert.equal((await own.api('GET', at(number))).status, 404, 'it is deleted');
    assert.equal((await b.api('POST', '/v1/numbers', { number })).status, 201);
  } finally { await own.stop(); }
  const wrong = await Daemon.make({ 'accounts.own_numbers': 'yes' });
  await assert.rejects(wrong.run(), /accounts\.own_numbers: on or off is needed/);
  await wrong.stop();
});
