// The DID API: a client written from the endpoint table alone, in the style of Python's requests; then the mistakes of clients,
// the things that they must not see, and two that want the same number.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Rig } from './lib/rig.mjs';

const password = 'correct horse battery';
let rig, d, pool = 0;
before(async () => {
  rig = await Rig.start();
  d = rig.daemon;
  for (const name of ['customer', 'rival']) {
    await d.must('POST', '/v1/accounts', { name });
    await d.must('POST', '/v1/users', { username: name, password, role: 'owner', account: name });
  }
  await d.must('POST', '/v1/users', { username: 'looker', password, role: 'support', account: 'customer' });
});
after(async () => { await rig?.stop(); });

/** A number in the pool. */
const offer = (more = {}) => d.must('POST', '/v1/numbers', { number: `+4479115${10000 + pool++}`, account: 'pool', country: 'GB', ...more });

const form = 'application/x-www-form-urlencoded';
async function post(where, body, type = 'application/json') {
  const answer = await fetch(d.url + where, { method: 'POST', headers: type ? { 'content-type': type } : {},
    body: typeof body === 'string' ? body : type === form ? new URLSearchParams(body).toString() : JSON.stringify(body) });
  const text = await answer.text();
  let json;
  try { json = JSON.parse(text); } catch { /* shown by the assertions */ }
  return { code: answer.status, headers: answer.headers, text, json };
}

/** requests.post(url, json=…) or data=…, with or without the slash; raises when status is false. */
class Client {
  constructor({ type = 'application/json', slash = '' } = {}) { Object.assign(this, { type, slash }); }
  async call(name, fields = {}) {
    const { json, text, code } = await post(`/api/${name}${this.slash}`, { ...(this.token ? { token: this.token } : {}), ...fields }, this.type);
    assert.equal(typeof json?.status, 'boolean', `${name}: ${code} ${text}`);
    if (!json.status) throw new Error(json.error);
    return json;
  }
  async login(username, secret = password) { this.token = (await this.call('login', { username, password: secret })).account_token; return this; }
}
const client = (username = 'customer', style) => new Client(style).login(username);

for (const style of [{}, { type: form }, { slash: '/' }, { type: form, slash: '/' }])
  test(`login, available, assign, forward, list, release: ${style.type ?? 'JSON'} ${style.slash ?? ''}`, async () => {
    const { number } = await offer({ monthly_cost: '1.50', setup_fee: '2.00', type: 'mobile' });
    const api = await client('customer', style);
    assert.deepEqual(await api.call('balance'), { status: true, balance: '0.00', currency: 'USD' });
    assert.deepEqual((await api.call('did/type-list')).types, ['local', 'mobile', 'tollfree', 'national']);

    const { dids } = await api.call('did/available', { country: 'gb' });
    const did = dids.find((x) => x.did_number === number);
    assert.deepEqual(did, { did_id: did.did_id, did_number: number, type: 'mobile', country: 'GB', monthly_cost: '1.50', setup_fee: '2.00',
      status: 'available', voice: true, sms: true });
    assert.match(did.did_id, /^\d+$/);
    assert.ok(!(await api.call('did/available', { country: 'FR' })).dids.some((x) => x.did_number === number));

    const assigned = await api.call('did/assign', { did_id: did.did_id });
    assert.equal(assigned.did_number, number);
    assert.equal(assigned.did.status, 'active');
    await api.call('did/forward', { did_id: did.did_id, destination: 'sip:agent@example.com', type: 'SIP' });
    const where = `/hook/${number.slice(1)}`;
    const { url } = rig.receiver.endpoint(where);
    const hooked = await api.call('did/forward', { did_id: did.did_id, destination: url, type: 'webhook' });
    assert.match(hooked.secret, /^whsec_/);

    const mine = (await api.call('did/list')).dids.find((x) => x.did_id === did.did_id);
    assert.equal(mine.status, 'active');
    assert.equal(mine.forward_type, 'sip');
    assert.equal(mine.forward_destination, 'sip:agent@example.com');
    assert.equal(mine.webhook_url, url);

    // The endpoint is a real one: an event of the number arrives, signed with the secret that was shown.
    rig.receiver.expect(where, { ...rig.receiver.endpoint(where), secret: hooked.secret });
    await d.must('POST', '/v1/keys', { name: `i${number}`, scopes: ['ingest'], account: 'customer' }).then(({ key }) =>
      d.api('POST', '/v1/events', { event: 'incoming_call', did_number: number, caller_id: '+19175550100' }, { authorization: `Bearer ${key}` }));
    assert.equal((await rig.receiver.wait(where, 1))[0].did_number, number);

    const released = await api.call('did/release', { did_id: did.did_id });
    assert.equal(released.did.status, 'available');
    assert.ok(!(await api.call('did/list')).dids.some((x) => x.did_id === did.did_id));
    assert.equal((await d.api('GET', `/v1/endpoints/${hooked.endpoint}`)).status, 404, 'its endpoint is taken off');
    const back = await d.must('GET', `/v1/numbers/${encodeURIComponent(number)}`);
    assert.deepEqual(back.forward.targets, []);
    assert.equal(back.account, (await d.must('GET', '/v1/accounts/pool')).id);
    assert.deepEqual((await api.call('logout')), { status: true });
    await assert.rejects(api.call('balance'), /log in/);
  });

const assigned = async (api, more) => {
  const { number } = await offer(more);
  const { dids } = await api.call('did/available', { country: '' });
  const { did_id: id } = dids.find((x) => x.did_number === number);
  await api.call('did/assign', { did_id: id });
  return { number, id };
};

test('every type of forward, as clients write them', async () => {
  const api = await client();
  const { number, id } = await assigned(api);
  const other = await assigned(api);
  const rest = async () => (await d.must('GET', `/v1/numbers/${encodeURIComponent(number)}/forward`)).targets;
  for (const [type, destination, want] of [
    ['sip', 'sip:a@example.com;transport=tls', { type: 'sip', destination: 'sip:a@example.com;transport=tls' }],
    ['Sip', 'agent@example.com', { type: 'sip', destination: 'sip:agent@example.com' }],
    ['SIP', 'sips:a@example.com', { type: 'sip', destination: 'sips:a@example.com' }],
    ['Access Number', other.number, { type: 'access_number', destination: other.number }],
    ['access-number', other.number.slice(1), { type: 'access_number', destination: other.number }],
    ['DIRECT_IP', '192.0.2.7:5070', { type: 'direct_ip', destination: '192.0.2.7:5070' }],
    [' direct-ip ', 'pbx.example.com', { type: 'direct_ip', destination: 'pbx.example.com' }]]) {
    const { did } = await api.call('did/forward', { did_id: Number(id), destination, type });
    assert.deepEqual(await rest(), [want]);
    assert.equal(did.forward_type, want.type);
    assert.equal(did.forward_destination, want.destination);
  }
  // A webhook changes the number's endpoint, once it has one, and never the voice target.
  const first = await api.call('did/forward', { did_id: id, destination: 'https://example.com/one', type: 'Webhook' });
  const second = await api.call('did/forward', { did_id: id, destination: 'https://example.com/two', type: 'WEBHOOK' });
  assert.equal(second.endpoint, first.endpoint);
  assert.equal(second.secret, undefined, 'shown once');
  assert.equal((await d.must('GET', `/v1/endpoints/${first.endpoint}`)).url, 'https://example.com/two');
  assert.deepEqual(await rest(), [{ type: 'direct_ip', destination: 'pbx.example.com' }]);
  // And a voice target changes neither the endpoint nor a webhook that decides about calls.
  const asks = { type: 'webhook', destination: 'https://example.com/decide' };
  await d.must('PUT', `/v1/numbers/${encodeURIComponent(number)}/forward`, { targets: [asks, { type: 'sip', destination: 'sip:old@example.com' }] });
  const third = await api.call('did/forward', { did_id: id, destination: 'sip:new@example.com', type: 'sip' });
  assert.deepEqual(await rest(), [asks, { type: 'sip', destination: 'sip:new@example.com' }]);
  assert.equal(third.did.webhook_url, 'https://example.com/two');

  for (const type of ['pstn', 'PSTN', 'Extension'])
    await assert.rejects(api.call('did/forward', { did_id: id, destination: '+19175550100', type }), /not carried out by the SIP edge yet/);
  for (const [type, destination, why] of [
    ['fax', 'x', /type/], ['sip', '', /destination/], ['sip', 'sip:', /destination.*SIP URI/], ['sip', '<script>', /destination/],
    ['access number', '12', /destination.*E\.164/], ['direct ip', 'a b', /destination/], ['webhook', 'ftp://example.com/', /destination.*URL/],
    ['webhook', 'https://user:pw@example.com/', /destination/], ['webhook', `https://example.com/${'x'.repeat(3000)}`, /destination/]])
    await assert.rejects(api.call('did/forward', { did_id: id, destination, type }), why, `${type} ${destination.slice(0, 30)}`);
  assert.deepEqual(await rest(), [asks, { type: 'sip', destination: 'sip:new@example.com' }], 'what was refused changed nothing');
});

test('a foreign did_id answers as an unknown one, and changes nothing', async () => {
  const [api, rival] = [await client(), await client('rival')];
  const { number, id } = await assigned(rival);
  for (const [name, more] of [['assign', {}], ['forward', { destination: 'sip:a@example.com', type: 'sip' }],
    ['forward', { destination: 'https://example.com/', type: 'webhook' }], ['release', {}]]) {
    const [foreign, unknown] = [id, '999999999'].map((did_id) => post(`/api/did/${name}`, { token: api.token, did_id, ...more }));
    assert.equal((await foreign).text, (await unknown).text);
    assert.equal((await foreign).json.status, false);
    assert.match((await foreign).json.error, /did_id/);
  }
  const offered = await offer(); // in the pool, and nobody's to forward or release
  const { did_id: free } = (await api.call('did/available')).dids.find((x) => x.did_number === offered.number);
  await assert.rejects(api.call('did/forward', { did_id: free, destination: 'sip:a@example.com', type: 'sip' }), /did_id/);
  await assert.rejects(api.call('did/release', { did_id: free }), /did_id/);
  const mine = (await rival.call('did/list')).dids.find((x) => x.did_number === number);
  assert.equal(mine.forward_destination, '');
  const own = await d.must('POST', '/v1/numbers', { number: '+447911599999' }); // the operator's: in no list of theirs
  for (const c of [api, rival])
    for (const list of ['list', 'available'])
      assert.ok(!(await c.call(`did/${list}`)).dids.some((x) => x.did_number === own.number));
});

test('two want the same number: one gets it', async () => {
  const clients = await Promise.all(['customer', 'rival', 'customer', 'rival'].map((name) => client(name)));
  for (let round = 0; round < 12; round++) {
    const { number } = await offer();
    const { did_id } = (await clients[0].call('did/available')).dids.find((x) => x.did_number === number);
    const answers = await Promise.allSettled(clients.map((c) => c.call('did/assign', { did_id })));
    assert.equal(answers.filter((a) => a.status === 'fulfilled').length, 1);
    for (const a of answers) if (a.status === 'rejected') assert.match(a.reason.message, /did_id/);
    const winner = answers.findIndex((a) => a.status === 'fulfilled');
    const has = await Promise.all(clients.slice(0, 2).map(async (c) => (await c.call('did/list')).dids.some((x) => x.did_id === did_id)));
    assert.deepEqual(has, [winner % 2 === 0, winner % 2 === 1]);
    await clients[winner].call('did/release', { did_id });
  }
});

test('a webhook set twice at once makes one endpoint', async () => {
  const api = await client();
  const { number, id } = await assigned(api);
  const answers = await Promise.all(Array.from({ length: 6 }, (_, i) =>
    api.call('did/forward', { did_id: id, destination: `https://example.com/${i}`, type: 'webhook' })));
  assert.equal(new Set(answers.map((a) => a.endpoint)).size, 1);
  assert.equal(answers.filter((a) => a.secret).length, 1);
  const { data } = await d.must('GET', '/v1/endpoints?limit=500');
  assert.equal(data.filter((e) => Array.isArray(e.numbers) && e.numbers.includes(number)).length, 1);
});

test('the same road as REST: book, audit log, roles, tokens', async () => {
  const api = await client();
  const { number, id } = await assigned(api);
  await api.call('did/forward', { did_id: id, destination: 'https://example.com/', type: 'webhook' });
  await api.call('did/release', { did_id: id });
  const bearer = (where) => d.api('GET', where, undefined, { authorization: `Bearer ${api.token}` });
  const { json: { data } } = await bearer(`/v1/audit?id=${encodeURIComponent(number)}`);
  assert.deepEqual(data.map((a) => [a.action, a.who_name]), [['moved_out', 'customer'], ['moved_in', 'customer']]);
  const { json: { data: ep } } = await bearer('/v1/audit?kind=endpoint&limit=2');
  assert.deepEqual(ep.map((a) => a.action), ['deleted', 'created']);

  const looker = await client('looker');
  assert.equal((await looker.call('did/list')).status, true);
  for (const [name, more] of [['assign', { did_id: id }], ['release', { did_id: id }], ['forward', { did_id: id, type: 'sip', destination: 'sip:a@b' }]]) {
    const refused = await post(`/api/did/${name}`, { token: looker.token, ...more });
    assert.equal(refused.code, 403);
    assert.equal(refused.json.status, false);
  }
  const { key } = await d.must('POST', '/v1/keys', { name: 'k', account: 'customer' });
  assert.equal((await post('/api/did/list', { token: key })).json.status, true, 'an API key is a token too');
  const byHeader = await fetch(`${d.url}/api/did/list`, { method: 'POST', headers: { authorization: `Bearer ${api.token}` } });
  assert.equal((await byHeader.json()).status, true);
  await d.must('PATCH', `/v1/accounts/${(await d.must('GET', '/v1/accounts/customer')).id}`, { balance: '12.50', currency: 'EUR' });
  assert.deepEqual(await api.call('balance'), { status: true, balance: '12.50', currency: 'EUR' });
});

test('bad tokens and log-ins', async () => {
  for (const token of ['', 'x', 'hst_0000', null, 7, `hst_${'0'.repeat(40)}`, 'x'.repeat(5000), [1], { a: 1 }, ' ', 'é']) {
    const refused = await post('/api/did/list', { token });
    assert.equal(refused.code, 401, JSON.stringify(token).slice(0, 40));
    assert.equal(refused.json.status, false);
    assert.match(refused.json.error, /log in/);
  }
  const wrong = await post('/api/login', { username: 'customer', password: 'wrong password' });
  const unknown = await post('/api/login', { username: 'nobody', password: 'wrong password' });
  assert.equal(wrong.code, 401);
  assert.equal(wrong.text, unknown.text, 'one cannot tell which names there are');
  for (const body of [{}, { username: 'customer' }, { password }, { username: '', password }, { username: ['customer'], password },
    { username: 'customer', password: { $gt: '' } }, { username: 'customer', password: 12345678 }, { username: 'x'.repeat(300), password },
    { username: 'customer', password: 'x'.repeat(300) }]) {
    const refused = await post('/api/login', body);
    assert.equal(refused.json?.status, false, refused.text);
    assert.ok(refused.json.error.length > 0);
  }
});

test('bodies: too large, broken, of another type, of another method', async () => {
  const { token } = await client();
  const cases = [
    ['/api/did/list', '{"token":', 'application/json', 400], ['/api/did/list', '[1]', 'application/json', 401],
    ['/api/did/list', '{"token":"\\u0000"}', 'application/json', 400], ['/api/did/list', '{"token":1,"token":2}', 'application/json', 400], ['/api/did/list', `${'['.repeat(100)}`, 'application/json', 401],
    ['/api/did/list', 'token=%zz', form, 400], ['/api/did/list', 'token=%00', form, 400], ['/api/did/list', 'token=%ff', form, 400],
    ['/api/did/list', Array.from({ length: 100 }, (_, i) => `a${i}=1`).join('&'), form, 400], ['/api/did/list', '', form, 401], ['/api/did/list', '', undefined, 401],
    ['/api/did/list', 'x'.repeat(300000), form, 413], ['/api/did/list/', `{"token":"${'x'.repeat(300000)}"}`, 'application/json', 413],
    ['/api/did/list', '--x\r\n', 'multipart/form-data; boundary=x', 415], ['/api/nothing', '{}', 'application/json', 404],
    ['/api/did/list//', '{}', 'application/json', 404], ['/api/', '{}', 'application/json', 404]];
  for (const [where, body, type, code] of cases) {
    const answer = await post(where, body, type);
    assert.equal(answer.code, code, `${where} ${body.slice(0, 20)}: ${answer.text}`);
    assert.equal(answer.json.status, false, answer.text);
    assert.ok(answer.json.error.length > 0 && answer.json.code.length > 0);
  }
  const get = await fetch(`${d.url}/api/did/list`);
  assert.equal(get.status, 405);
  assert.match(get.headers.get('allow'), /POST/);
  assert.equal((await get.json()).status, false);
  // JSON that says it is a form, a form that says nothing, a form with more than is asked for.
  for (const [body, type] of [[JSON.stringify({ token }), form], [`token=${token}`, undefined], [`token=${token}&colour=red&a&&b=`, form],
    [`token=${token}&token=other`, form], [`  {"token":"${token}","x":[{}]}\n`, 'application/json']])
    assert.equal((await post('/api/did/list', body, type)).json.status, true, body);
});

test('wrong types and hostile values', async () => {
  const api = await client();
  const { id } = await assigned(api);
  for (const did_id of [undefined, null, '', 'x', '-1', -1, 0, '0', 1.5, true, [id], { id }, '9'.repeat(30), `${id} OR 1=1`, '+447911510000'])
    await assert.rejects(api.call('did/release', { did_id }), /did_id/, JSON.stringify(did_id));
  for (const country of ['GBR', 'G', 'G1', '%%', "G'", 7, ['GB'], 'é'])
    await assert.rejects(api.call('did/available', { country }), /country/, JSON.stringify(country));
  for (const [more, field] of [[{ limit: 0 }, /limit/], [{ limit: 1001 }, /limit/], [{ limit: 'x' }, /limit/], [{ after: 'x' }, /after/], [{ after: -1 }, /after/]])
    await assert.rejects(api.call('did/list', more), field);
  assert.equal((await api.call('did/release', { did_id: ` ${id} ` })).status, true);
});

test('long lists come in pages', async () => {
  for (let i = 0; i < 7; i++) await offer({ country: 'NZ' });
  await offer({ country: 'AU' });
  const api = await client();
  const seen = [];
  let after;
  do {
    const page = await api.call('did/available', { country: 'nz', limit: 3, ...(after ? { after } : {}) });
    assert.ok(page.dids.length <= 3);
    assert.ok(page.dids.every((x) => x.country === 'NZ'));
    seen.push(...page.dids.map((x) => x.did_id));
    after = page.next;
  } while (after !== null);
  assert.equal(seen.length, 7);
  assert.equal(new Set(seen).size, 7);
});

test('a log-in that is over is refused', async () => {
  const api = await client();
  const one = await d.must('POST', '/v1/users', { username: 'leaver', password, role: 'developer', account: 'customer' });
  const leaver = await client('leaver');
  assert.equal((await leaver.call('did/list')).status, true);
  await d.api('DELETE', `/v1/users/${one.id}`);
  await assert.rejects(leaver.call('did/list'), /log in/);
  assert.equal((await api.call('did/list')).status, true);
  assert.match((await post('/api/logout', { token: api.token }, form)).text, /true/);
  assert.equal((await post('/api/logout', { token: api.token }, form)).code, 401);
});
