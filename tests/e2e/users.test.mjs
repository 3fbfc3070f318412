// Users and their roles, keys and their scopes, log-ins, accounts, and the audit log of it all.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Daemon } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

let d;
before(async () => {
  d = await Daemon.start();
  await d.must('POST', '/v1/accounts', { name: 'customer' });
  await d.must('POST', '/v1/accounts', { name: 'other' });
});
after(async () => { await d?.stop(); });

const password = 'correct horse battery';
const as = (credential) => (method, where, body) => d.api(method, where, body, { authorization: `Bearer ${credential}` });
const login = async (username, secret = password) => {
  const answer = await d.api('POST', '/api/login', { username, password: secret });
  return { ...answer, token: answer.json.account_token };
};
let n = 0;
const user = async (role, account = 'customer', more = {}) => {
  const made = await d.must('POST', '/v1/users', { username: `${role}-${n++}`, password, role, account, ...more });
  const { token } = await login(made.username);
  return { ...made, token, api: as(token) };
};
const key = async (body) => {
  const made = await d.must('POST', '/v1/keys', { name: 'k', ...body });
  return { ...made, api: as(made.key) };
};

test('a user is made, shown without the password, changed, deleted', async () => {
  const made = await d.api('POST', '/v1/users', { username: 'Ann@example.com', password, role: 'owner', account: 'customer' });
  assert.equal(made.status, 201);
  assert.deepEqual(Object.keys(made.json), ['id', 'account', 'username', 'role', 'created_by', 'created_at', 'updated_at']);
  assert.match(made.headers.get('location'), /^\/v1\/users\/user_/);
  const { id } = made.json;
  assert.equal((await d.must('GET', `/v1/users/${id}`)).username, 'Ann@example.com');
  assert.equal((await d.api('POST', '/v1/users', { username: 'ANN@EXAMPLE.COM', password, role: 'owner' })).status, 409, 'one name in any case');
  assert.equal((await login('aNN@example.com')).status, 200);
  assert.equal((await d.must('PATCH', `/v1/users/${id}`, { role: 'support' })).role, 'support');
  assert.equal((await login('ann@example.com')).json.role, 'support');
  const list = await d.must('GET', '/v1/users');
  assert.ok(list.data.some((u) => u.id === id));
  assert.ok(!JSON.stringify(list).includes('argon2'), 'no hash is shown');
  assert.equal((await d.api('DELETE', `/v1/users/${id}`)).status, 204);
  assert.equal((await d.api('GET', `/v1/users/${id}`)).status, 404);
  assert.equal((await login('ann@example.com')).status, 401);
});

test('bad users name the field', async () => {
  const good = { username: 'bad', password, role: 'owner' };
  for (const [body, field] of [
    [{ ...good, username: undefined }, 'username'], [{ ...good, username: 'a b' }, 'username'], [{ ...good, username: 'x'.repeat(65) }, 'username'],
    [{ ...good, username: '<img src=x>' }, 'username'], [{ ...good, password: undefined }, 'password'], [{ ...good, password: 'short12' }, 'password'],
    [{ ...good, password: 'x'.repeat(257) }, 'password'], [{ ...good, password: 12345678 }, 'password'], [{ ...good, password: 'nul\0byte!' }, 'password'],
    [{ ...good, role: undefined }, 'role'], [{ ...good, role: 'king' }, 'role'], [{ ...good, role: { $ne: 1 } }, 'role'],
    [{ ...good, password_hash: '$argon2id$…' }, 'password_hash'], [{ ...good, colour: 1 }, 'colour'], [{ ...good, account: 'nobody' }, 'account']]) {
    const answer = await d.api('POST', '/v1/users', body);
    assert.ok([400, 422].includes(answer.status), `${field}: ${answer.text}`);
    if (answer.status === 422) assert.equal(answer.json.field, field, answer.text);
  }
  assert.equal((await login('bad')).status, 401);
  for (const secret of ['12345678', 'x'.repeat(256), 'grüß dich 😀', '  blanks  ']) {
    const made = await d.must('POST', '/v1/users', { ...good, username: `edge-${n++}`, password: secret });
    assert.equal((await login(made.username, secret)).status, 200, secret);
    assert.equal((await login(made.username, secret.trim() === secret ? `${secret} ` : secret.trim())).json.status, false);
  }
});

test('the matrix of roles: who may read, write, see to users, and be the operator', async () => {
  const actors = {
    support: await user('support'), developer: await user('developer'), owner: await user('owner'), operator: await user('operator', 'default'),
    reads: await key({ scopes: ['read'], account: 'customer' }), writes: await key({ scopes: ['write', 'read'], account: 'customer' }),
    ingests: await key({ scopes: ['ingest'], account: 'customer' }),
  };
  const may = {
    //            read   write  ingest trunks
    support: [true, false, false, false], developer: [true, true, true, false], owner: [true, true, true, false],
    operator: [true, true, true, true], reads: [true, false, false, false], writes: [true, true, false, false], ingests: [false, false, true, false],
  };
  let line = 10000;
  for (const [name, { api }] of Object.entries(actors)) {
    const got = [
      (await api('GET', '/v1/endpoints')).status, (await api('POST', '/v1/endpoints', { url: `https://example.com/${line++}` })).status,
      (await api('POST', '/v1/events', { event: 'incoming_call', did_number: '+447911300000', caller_id: 'anonymous' })).status,
      (await api('GET', '/v1/trunks')).status];
    assert.deepEqual(got.map((s) => s < 300), may[name], `${name}: ${got}`);
    assert.ok(got.every((s) => s < 300 || s === 403), `${name}: ${got}`);
  }
  // A role is given by who has all its rights: a key that reads and writes gives what reads, and no developer, who ingests too.
  const gives = { support: 0, developer: 2, owner: 3, operator: 4, reads: 0, writes: 1, ingests: 0 };
  const roles = ['support', 'developer', 'owner', 'operator'];
  for (const [name, { api }] of Object.entries(actors))
    for (const [i, role] of roles.entries()) {
      const answer = await api('POST', '/v1/users', { username: `given-${n++}`, password, role });
      assert.equal(answer.status, i < gives[name] ? 201 : gives[name] ? 422 : 403, `${name} gives ${role}: ${answer.text}`);
    }
  // Who may change and delete whom.
  const touches = { support: [0, 0, 0, 0], developer: [1, 0, 0, 0], owner: [1, 1, 1, 0], operator: [1, 1, 1, 1], writes: [1, 0, 0, 0] };
  for (const [name, row] of Object.entries(touches))
    for (const [i, role] of roles.entries()) {
      const { json: whom } = await actors.operator.api('POST', '/v1/users', { username: `whom-${n++}`, password, role, account: 'customer' });
      const change = await actors[name].api('PATCH', `/v1/users/${whom.id}`, { password: 'another password' });
      assert.equal(change.status, row[i] ? 200 : 403, `${name} changes ${role}: ${change.text}`);
      const gone = await actors[name].api('DELETE', `/v1/users/${whom.id}`);
      assert.equal(gone.status, row[i] ? 204 : 403, `${name} deletes ${role}`);
    }
  // Nobody climbs.
  for (const name of ['developer', 'owner']) {
    const { id, api } = actors[name];
    assert.equal((await api('PATCH', `/v1/users/${id}`, { role: 'operator' })).status, 422);
    assert.equal((await api('PATCH', `/v1/users/${id}`, { account: 'other' })).status, 422);
    assert.equal((await api('PATCH', `/v1/users/${id}`, { username: `${name}-renamed` })).status, 200, 'himself');
  }
  assert.equal((await actors.developer.api('PATCH', `/v1/users/${actors.developer.id}`, { role: 'owner' })).status, 422);
});

test('a foreign user answers as an unknown one', async () => {
  const foreign = await user('owner', 'other');
  const { api } = await user('owner');
  for (const [method, body] of [['GET'], ['PATCH', { role: 'support' }], ['DELETE']]) {
    const a = await api(method, `/v1/users/${foreign.id}`, body);
    const b = await api(method, '/v1/users/user_unknown', body);
    assert.equal(a.status, 404);
    assert.equal(a.text, b.text);
    assert.equal((await api(method, `/v1/users/${foreign.username}`, body)).status, 404);
  }
  assert.ok(!(await api('GET', '/v1/users')).json.data.some((u) => u.id === foreign.id));
});

test('a log-in ends with the password, with the user, with log-out, and not with a restart', async () => {
  const one = await user('owner');
  const second = await login(one.username);
  assert.notEqual(second.token, one.token);
  assert.match(second.token, /^hst_[0-9a-f]{40}$/);
  assert.equal(second.json.expires_in, 86400);
  await d.restart();
  assert.equal((await one.api('GET', '/v1/numbers')).status, 200);
  assert.deepEqual((await d.api('POST', '/api/logout', { token: second.token })).json, { status: true });
  assert.equal((await as(second.token)('GET', '/v1/numbers')).status, 401);
  assert.equal((await one.api('GET', '/v1/numbers')).status, 200, 'the other one lives');
  assert.equal((await one.api('PATCH', `/v1/users/${one.id}`, { password: 'quite another' })).status, 200);
  assert.equal((await one.api('GET', '/v1/numbers')).status, 401);
  assert.equal((await login(one.username)).status, 401);
  const again = await login(one.username, 'quite another');
  assert.equal((await as(again.token)('GET', '/v1/numbers')).status, 200);
  await d.must('PATCH', `/v1/users/${one.id}`, { role: 'support' });
  assert.equal((await as(again.token)('POST', '/v1/endpoints', { url: 'https://example.com/' })).status, 403, 'the role is the present one');
  await d.api('DELETE', `/v1/users/${one.id}`);
  assert.equal((await as(again.token)('GET', '/v1/numbers')).status, 401);
  await d.restart();
  assert.equal((await as(second.token)('GET', '/v1/numbers')).status, 401);
});

test('guessing is made slow, by name, and the owner gets in again', async () => {
  const one = await user('owner');
  let refused;
  for (let i = 0; i < 40 && refused?.status !== 429; i++) refused = await login(one.username, `guess ${i}`);
  assert.equal(refused.status, 429);
  assert.equal(refused.json.status, false);
  assert.equal(refused.json.code, 'too_many_attempts');
  const seconds = Number(refused.headers.get('retry-after'));
  assert.ok(seconds >= 1 && seconds <= 60);
  assert.match(refused.json.error, new RegExp(`in ${seconds} s`));
  assert.equal((await one.api('GET', '/v1/numbers')).status, 200, 'who is logged in is not bothered');
  await until(async () => (await login(one.username)).status === 200, { what: 'the owner to get in', timeout: 60000, every: 200 });
  assert.equal((await login(one.username, 'guess')).status, 401, 'and all is as new');
});

test('guessing is made slow by address, whatever the names', async () => {
  await d.restart(); // the counts are in memory
  let refused;
  for (let i = 0; i < 120 && refused?.status !== 429; i++) refused = await login(`name-${i}`, 'guess');
  assert.equal(refused.status, 429);
  await d.restart();
});

test('many log-ins at once are all answered', async () => {
  const one = await user('support');
  const answers = await Promise.all(Array.from({ length: 8 }, () => login(one.username)));
  assert.deepEqual([...new Set(answers.map((a) => a.status))], [200]);
  assert.equal(new Set(answers.map((a) => a.token)).size, 8);
});

test('keys: scopes, no more than one has; expiry; renamed; revoked at once', async () => {
  const limited = await key({ scopes: ['write', 'read'], account: 'customer' });
  assert.equal((await limited.api('POST', '/v1/keys', { name: 'more', scopes: ['ingest'] })).status, 422);
  assert.equal((await limited.api('POST', '/v1/keys', { name: 'more', scopes: ['operator'] })).status, 422);
  assert.equal((await limited.api('POST', '/v1/keys', { name: 'less', scopes: ['read'] })).status, 201);
  assert.equal((await limited.api('PATCH', `/v1/keys/${limited.id}`, { scopes: ['*'] })).status, 422);
  const renamed = await limited.api('PATCH', `/v1/keys/${limited.id}`, { name: 'renamed' });
  assert.equal(renamed.status, 200);
  assert.equal(renamed.json.name, 'renamed');
  assert.equal(renamed.json.key, undefined, 'shown once');
  assert.equal((await limited.api('GET', '/v1/numbers')).status, 200, 'and it is the same key');
  assert.equal((await d.api('PATCH', `/v1/keys/${limited.id}`, { hash: 'x' })).status, 422);

  const late = await key({ expires_at: '2001-01-01T00:00:00Z' });
  assert.equal((await late.api('GET', '/v1/numbers')).status, 401);
  assert.equal((await d.api('POST', '/v1/keys', { name: 'odd', expires_at: 'tomorrow' })).json.field, 'expires_at');
  const at = new Date(Date.now() + 1500).toISOString();
  const short = await key({ expires_at: at });
  assert.equal(short.expires_at, at);
  assert.equal(short.expires_at_ms, Date.parse(at));
  const kept = await key({ expires_at: at });
  assert.equal((await d.must('PATCH', `/v1/keys/${kept.id}`, { expires_at: null })).expires_at, null);
  await until(async () => (await short.api('GET', '/v1/numbers')).status === 401, { what: 'the key to expire' });
  assert.equal((await kept.api('GET', '/v1/numbers')).status, 200);

  assert.equal((await d.api('DELETE', `/v1/keys/${kept.id}`)).status, 204);
  assert.equal((await kept.api('GET', '/v1/numbers')).status, 401);
});

test('keys and users say who made them', async () => {
  const owner = await user('owner');
  const { id: operator } = await key({ scopes: ['read'] }); // by the first key, of the same account
  const { json: mine } = await owner.api('POST', '/v1/keys', { name: 'mine', scopes: ['read', 'write', 'ingest'] });
  assert.equal(mine.created_by, owner.id);
  const { json: heir } = await as(mine.key)('POST', '/v1/keys', { name: 'heir', scopes: ['read'] });
  assert.equal(heir.created_by, mine.id);
  const { json: made } = await as(mine.key)('POST', '/v1/users', { username: `made-${n++}`, password, role: 'support' });
  assert.equal(made.created_by, mine.id);
  assert.equal((await d.must('GET', `/v1/keys/${operator}`)).created_by.slice(0, 4), 'key_');
  assert.equal((await key({ scopes: ['read'], account: 'customer' })).created_by, 'operator', 'no ids of other accounts');
  for (const where of [`/v1/keys/${heir.id}`, `/v1/users/${made.id}`])
    assert.equal((await owner.api('PATCH', where, { created_by: 'somebody' })).json.field, 'created_by');
  assert.equal((await owner.api('PATCH', `/v1/keys/${heir.id}`, { user: 1 })).json.field, 'user');
});

test('a user\'s keys end with the user, and never do more than the user may', async () => {
  const owner = await user('owner');
  const make = async (api, scopes) => (await api('POST', '/v1/keys', { name: 'made', scopes })).json;
  const own = await make(owner.api, ['*']), heir = await make(as(own.key), ['write']);
  const other = await key({ scopes: ['*'], account: 'customer' });
  const status = async (k) => [(await as(k.key)('GET', '/v1/numbers')).status, (await as(k.key)('POST', '/v1/endpoints', { url: 'https://example.com/' })).status];
  assert.deepEqual([await status(own), await status(heir)], [[200, 201], [403, 201]]);
  await d.must('PATCH', `/v1/users/${owner.id}`, { role: 'support' });
  assert.deepEqual([await status(own), await status(heir)], [[200, 403], [403, 403]], 'as much as the role may');
  await d.must('PATCH', `/v1/users/${owner.id}`, { role: 'developer' });
  assert.deepEqual(await status(own), [200, 201]);
  assert.equal((await d.api('DELETE', `/v1/users/${owner.id}`)).status, 204);
  assert.deepEqual([await status(own), await status(heir), await status(other)], [[401, 401], [401, 401], [200, 201]]);
  for (const { id } of [own, heir]) {
    assert.equal((await d.api('GET', `/v1/keys/${id}`)).status, 404);
    const { data: [row] } = await d.must('GET', `/v1/audit?kind=key&id=${id}&limit=1`);
    assert.equal(row.action, 'deleted');
  }
  await d.restart();
  assert.deepEqual([await status(own), await status(other)], [[401, 401], [200, 201]]);
});

test('a key that an operator makes for a customer stays when the operator goes; one that may everything does not', async () => {
  const boss = await user('operator', 'default');
  const make = async (scopes, account) => (await boss.api('POST', '/v1/keys', { name: 'made', scopes, account })).json;
  const customers = await make(['*'], 'customer'), own = await make(['read']), mighty = await make(['operator'], 'customer'), raised = await make(['read'], 'customer');
  assert.equal((await boss.api('PATCH', `/v1/keys/${raised.id}`, { scopes: ['operator'] })).status, 200);
  await d.must('DELETE', `/v1/users/${boss.id}`);
  const status = async (k) => (await as(k.key)('GET', '/v1/numbers')).status;
  assert.deepEqual([await status(customers), await status(own), await status(mighty), await status(raised)], [200, 401, 401, 401]);
});

test('a key of an account cannot touch the operator\'s', async () => {
  const operator = await key({ scopes: ['operator'] });
  const { api } = await key({ scopes: ['*'] }); // of the operator's own account, default
  assert.equal((await api('DELETE', `/v1/keys/${operator.id}`)).status, 403);
  assert.equal((await api('PATCH', `/v1/keys/${operator.id}`, { name: 'x' })).status, 403);
});

test('when a key was last used is known at once, and after a restart', async () => {
  const one = await key({ scopes: ['read'] });
  assert.equal(one.last_used_at, null);
  const from = Date.now();
  await one.api('GET', '/v1/numbers');
  const { last_used_at: used } = await d.must('GET', `/v1/keys/${one.id}`);
  assert.ok(Date.parse(used) >= from - 1 && Date.parse(used) <= Date.now());
  await one.api('GET', '/v1/numbers'); // within the minute: in memory, until the daemon stops
  const { last_used_at: later } = await d.must('GET', `/v1/keys/${one.id}`);
  await d.kill('SIGTERM');
  await d.run();
  assert.equal((await d.must('GET', `/v1/keys/${one.id}`)).last_used_at, later);
  const two = await key({ scopes: ['read'] });
  await two.api('GET', '/v1/numbers');
  const { last_used_at: first } = await d.must('GET', `/v1/keys/${two.id}`);
  await d.must('PATCH', `/v1/keys/${two.id}`, { name: 'behind it' }); // the writer takes jobs in their order
  await d.restart();
  assert.equal((await d.must('GET', `/v1/keys/${two.id}`)).last_used_at, first);
});

test('an account goes when it is empty', async () => {
  const account = await d.must('POST', '/v1/accounts', { name: 'short-lived', balance: '12.50', currency: 'EUR' });
  const one = await key({ account: 'short-lived' });
  const refused = await d.api('DELETE', `/v1/accounts/${account.id}`);
  assert.equal(refused.status, 409);
  assert.equal(refused.json.code, 'not_empty');
  await d.api('DELETE', `/v1/keys/${one.id}`);
  assert.equal((await d.api('DELETE', `/v1/accounts/${account.id}`)).status, 204);
  assert.equal((await d.api('GET', `/v1/accounts/${account.id}`)).status, 404);
  assert.equal((await d.api('POST', '/v1/keys', { name: 'k', account: 'short-lived' })).status, 422);
  for (const name of ['default', 'pool']) {
    const { json } = await d.api('GET', `/v1/accounts/${name}`);
    assert.equal((await d.api('DELETE', `/v1/accounts/${json.id}`)).json.code, 'not_empty');
  }
});

test('the audit log: who, from where, what, before, after; in the account it concerns', async () => {
  const owner = await user('owner');
  const number = '+447911320001', where = `/v1/numbers/${encodeURIComponent(number)}`;
  await d.must('POST', '/v1/numbers', { number, label: 'a', account: 'customer' });
  await owner.api('PATCH', where, { label: 'b' });
  await owner.api('PUT', `${where}/forward`, { targets: [{ type: 'sip', destination: 'sip:a@example.com' }] });
  const { json: ep } = await owner.api('POST', '/v1/endpoints', { url: 'https://example.com/h', numbers: [number] });
  await owner.api('POST', `/v1/endpoints/${ep.id}/rotate-secret`);
  await owner.api('POST', `/v1/endpoints/${ep.id}/enable`);
  await owner.api('DELETE', `/v1/endpoints/${ep.id}`);
  await owner.api('DELETE', where);
  const { json: { data } } = await owner.api('GET', '/v1/audit?limit=8');
  assert.deepEqual(data.map((a) => [a.action, a.target]).reverse(), [
    ['created', number], ['changed', number], ['changed', number], ['created', ep.id], ['rotated', ep.id], ['enabled', ep.id],
    ['deleted', ep.id], ['moved_out', number]]);
  for (const a of data.filter((a) => a.action !== 'created' || a.target !== number)) {
    assert.equal(a.who, owner.id);
    assert.equal(a.who_name, owner.username);
    assert.equal(a.address, '127.0.0.1');
    assert.match(a.at, /Z$/);
  }
  const [created, changed, forwarded, , rotated, , gone] = data.reverse();
  assert.equal(created.before, null);
  assert.equal(created.after.label, 'a');
  assert.deepEqual(changed.changed, ['label']);
  assert.equal(changed.before.label, 'a');
  assert.equal(changed.after.label, 'b');
  assert.deepEqual(forwarded.changed, ['forward']);
  assert.equal(forwarded.after.forward.targets[0].destination, 'sip:a@example.com');
  assert.ok(rotated.changed.includes('secret'));
  assert.equal(rotated.after.secret, undefined);
  assert.equal(gone.after, null);
  assert.equal(gone.before.url, 'https://example.com/h');

  // What failed left nothing; what the operator did is told as that.
  await owner.api('POST', '/v1/numbers', { number: 'bad' });
  await d.must('DELETE', where); // out of the pool
  await d.must('POST', '/v1/numbers', { number, account: 'customer' });
  const { json: { data: [latest] } } = await owner.api('GET', `/v1/audit?id=${encodeURIComponent(number)}`);
  assert.equal(latest.action, 'created');
  assert.equal(latest.who, 'operator');
  assert.equal(latest.address, null);
  const mine = await d.must('GET', `/v1/audit?id=${encodeURIComponent(number)}&limit=1`);
  assert.match(mine.data[0].who, /^key_/);

  // A number that moves leaves a row in both accounts.
  const other = await user('owner', 'other');
  await d.must('PATCH', where, { account: 'other' });
  assert.equal((await owner.api('GET', '/v1/audit?kind=number&limit=1')).json.data[0].action, 'moved_out');
  assert.equal((await other.api('GET', '/v1/audit?kind=number&limit=1')).json.data[0].action, 'moved_in');
  await d.api('DELETE', where);
});

test('an account reads itself, and no other', async () => {
  const { id } = await d.must('GET', '/v1/accounts/customer');
  const { id: other } = await d.must('GET', '/v1/accounts/other');
  const { key } = await d.must('POST', '/v1/keys', { name: 'reads', scopes: ['read'], account: 'customer' });
  const as = (method, where, body) => d.api(method, where, body, { authorization: `Bearer ${key}` });
  assert.deepEqual((await as('GET', '/v1/accounts')).json.data.map((a) => a.id), [id]);
  assert.equal((await as('GET', `/v1/accounts/${id}`)).json.name, 'customer');
  const foreign = await as('GET', `/v1/accounts/${other}`);
  assert.deepEqual([foreign.status, foreign.text], [404, (await as('GET', '/v1/accounts/acc_unknown')).text]);
  for (const [method, where] of [['POST', '/v1/accounts'], ['PATCH', `/v1/accounts/${id}`], ['DELETE', `/v1/accounts/${id}`]])
    assert.equal((await as(method, where, method === 'DELETE' ? undefined : { name: 'mine' })).status, 403);
});

test('the audit log: secrets stay out; filters; pages; accounts apart', async () => {
  const owner = await user('owner');
  await owner.api('PATCH', `/v1/users/${owner.id}`, { password: 'quite another one' });
  await d.must('POST', '/v1/trunks', { name: 'audited', sources: ['192.0.2.0/24'], password: 'trunk secret' });
  const { key: shown } = await key({ account: 'customer' });
  const reader = await user('support');
  let all = '', cursor = '', rows = [];
  do {
    const { text, json } = await d.api('GET', `/v1/audit?limit=40${cursor && `&cursor=${cursor}`}`);
    all += text;
    rows.push(...json.data);
    cursor = json.next_cursor;
  } while (cursor);
  assert.equal(new Set(rows.map((a) => a.id)).size, rows.length, 'no row twice');
  assert.ok(!/argon2|trunk secret|whsec_|quite another|hsk_[0-9a-f]{8}|[0-9a-f]{64}/.test(all), 'no secret is in it');
  assert.ok(!all.includes(shown));
  const changed = rows.find((a) => a.target === owner.id && a.action === 'changed');
  assert.deepEqual(changed.changed, ['password_hash']);

  const { id: customer } = await d.must('GET', '/v1/accounts/customer');
  const { json: his } = await reader.api('GET', '/v1/audit?limit=500');
  assert.ok(his.data.length > 0);
  assert.ok(his.data.every((a) => a.account === customer));
  assert.ok(his.data.every((a) => !['trunk', 'smpp_link', 'account'].includes(a.kind)));

  for (const [query, test_] of [
    ['kind=trunk', (a) => a.kind === 'trunk'], [`who=${owner.id}`, (a) => a.who === owner.id], [`id=${owner.id}`, (a) => a.target === owner.id],
    [`kind=user&id=${owner.id}`, (a) => a.kind === 'user']]) {
    const { data } = await d.must('GET', `/v1/audit?${query}`);
    assert.ok(data.length > 0, query);
    assert.ok(data.every(test_), query);
  }
  const middle = rows[Math.floor(rows.length / 2)].at;
  const { data: since } = await d.must('GET', `/v1/audit?limit=500&since=${middle}`);
  const { data: until_ } = await d.must('GET', `/v1/audit?limit=500&until=${middle}`);
  assert.ok(since.every((a) => a.at >= middle) && until_.every((a) => a.at < middle));
  assert.equal(since.length + until_.length, rows.length);
  for (const [query, field] of [['kind=nothing', 'kind'], ['since=never', 'since'], ['limit=0', 'limit'], ['cursor=x', 'cursor']])
    assert.equal((await d.api('GET', `/v1/audit?${query}`)).json.field, field);
  assert.equal((await d.api('GET', '/v1/audit?id=nothing')).json.data.length, 0);
});

test('what is changed and its row in the log are there together after a kill', async () => {
  const made = [];
  const writer = (async () => {
    for (let i = 0; i < 400; i++) {
      const number = `+4479114${10000 + i}`;
      try { if ((await d.api('POST', '/v1/numbers', { number })).status === 201) made.push(number); } catch { return; }
    }
  })();
  await until(() => made.length > 50, { what: 'some numbers' });
  await d.kill();
  await writer;
  await d.run();
  const numbers = new Set(), logged = new Set();
  for (let c = ''; c !== null;) {
    const { data, next_cursor: next } = await d.must('GET', `/v1/numbers?limit=500${c && `&cursor=${c}`}`);
    data.filter((x) => x.number.startsWith('+4479114')).forEach((x) => numbers.add(x.number));
    c = next;
  }
  for (let c = ''; c !== null;) {
    const { data, next_cursor: next } = await d.must('GET', `/v1/audit?kind=number&limit=500${c && `&cursor=${c}`}`);
    data.filter((x) => x.target.startsWith('+4479114')).forEach((x) => logged.add(x.target));
    c = next;
  }
  assert.ok(made.every((x) => numbers.has(x)), 'what was acknowledged is there');
  assert.deepEqual([...numbers].sort(), [...logged].sort());
});

test('a user with more keys than end at once stays until some are deleted', async () => {
  const owner = await user('owner');
  const made = [];
  while (made.length < 1001) {
    const answers = await Promise.all(Array.from({ length: 91 }, () => owner.api('POST', '/v1/keys', { name: 'one of many', scopes: ['read'] })));
    made.push(...answers.map((a) => a.json));
  }
  const refused = await d.api('DELETE', `/v1/users/${owner.id}`);
  assert.deepEqual([refused.status, refused.json.code], [409, 'too_many_keys']);
  assert.equal((await as(made[0].key)('GET', '/v1/numbers')).status, 200);
  for (const { id } of made.splice(0, made.length - 1000)) await d.must('DELETE', `/v1/keys/${id}`);
  assert.equal((await d.api('DELETE', `/v1/users/${owner.id}`)).status, 204);
  assert.equal((await as(made[0].key)('GET', '/v1/numbers')).status, 401);
  assert.equal((await as(made[999].key)('GET', '/v1/numbers')).status, 401);
  const { data } = await d.must('GET', '/v1/keys?limit=500');
  assert.ok(!data.some((k) => k.name === 'one of many'));
});
