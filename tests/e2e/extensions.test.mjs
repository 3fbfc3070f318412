// Extensions: SIP accounts as settings. A password that the daemon made is shown once, and no password anywhere else. Missing
// parts (registering, calls to them) are refused with a reason.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { Daemon } from './lib/daemon.mjs';
import { cli } from './lib/cli.mjs';

let d;
before(async () => {
  d = await Daemon.start({ 'log.level': 'debug' });
  await d.must('POST', '/v1/accounts', { name: 'customer' });
});
after(async () => { await d?.stop(); });

const as = (credential) => (method, where, body, headers = {}) =>
  d.api(method, where, body, { authorization: `Bearer ${credential}`, ...headers });
const login = async (username, role) => {
  const password = 'correct horse battery';
  await d.must('POST', '/v1/users', { username, password, role, account: 'customer' });
  const { account_token: token } = await d.must('POST', '/api/login', { username, password });
  return Object.assign(as(token), { token });
};

test('one is made, shown without its password, found, changed, deleted', async () => {
  const api = await login('dev', 'developer');
  const made = await api('POST', '/v1/extensions', { username: 'Front-Desk', password: 'a given password', label: 'Front desk' });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(Object.keys(made.json), ['id', 'account', 'username', 'label', 'created_at', 'updated_at']);
  const { id } = made.json;
  assert.match(id, /^ext_/);
  assert.equal(made.headers.get('location'), `/v1/extensions/${id}`);
  assert.equal(made.json.account, (await d.must('GET', '/v1/accounts/customer')).id);
  assert.deepEqual((await api('GET', `/v1/extensions/${id}`)).json, made.json);
  assert.deepEqual((await d.must('GET', '/v1/extensions?account=customer')).data, [made.json]);
  assert.deepEqual(await d.must('GET', '/v1/extensions/front-desk'), made.json, 'the operator may say its name');
  assert.equal((await api('GET', '/v1/extensions/front-desk')).status, 404);
  assert.equal((await api('POST', '/v1/extensions', { username: 'fRONT-dESK' })).status, 409, 'one name in any case');

  const etag = made.headers.get('etag');
  const changed = await api('PATCH', `/v1/extensions/${id}`, { username: 'reception' }, { 'if-match': etag });
  assert.equal(changed.status, 200, changed.text);
  assert.deepEqual([changed.json.username, changed.json.password], ['reception', undefined]);
  assert.equal((await api('PATCH', `/v1/extensions/${id}`, { label: 'x' }, { 'if-match': etag })).status, 412);
  assert.equal((await api('POST', '/v1/extensions', { username: 'front-desk', password: 'another password' })).status, 201, 'the name is free');
  assert.equal((await api('PATCH', `/v1/extensions/${id}`, { username: 'FRONT-DESK' })).status, 409);
  assert.equal((await api('DELETE', `/v1/extensions/${id}`, undefined, { 'if-match': etag })).status, 412);
  assert.equal((await api('DELETE', `/v1/extensions/${id}`)).status, 204);
  assert.equal((await api('GET', `/v1/extensions/${id}`)).status, 404);
});

test('a password that is left out is made, and shown once', async () => {
  const api = await login('dev2', 'owner');
  const once = { 'idempotency-key': 'desk' };
  const made = await api('POST', '/v1/extensions', { username: 'desk-2' }, once);
  assert.match(made.json.password, /^[a-z0-9]{20}$/);
  const again = await api('POST', '/v1/extensions', { username: 'desk-2' }, once);
  assert.equal(again.text, made.text, 'a repeat of the request gets the same answer');
  const { id, password, ...shown } = made.json;
  assert.deepEqual((await api('GET', `/v1/extensions/${id}`)).json, { id, ...shown });
  const rotated = await api('PATCH', `/v1/extensions/${id}`, { password: null });
  assert.match(rotated.json.password, /^[a-z0-9]{20}$/);
  assert.notEqual(rotated.json.password, password);
  const given = await api('PATCH', `/v1/extensions/${id}`, { password: 'one of mine' });
  assert.equal(given.json.password, undefined);
  assert.equal((await api('PATCH', `/v1/extensions/${id}`, { label: 'no new password' })).json.password, undefined);
  const { data } = (await api('GET', `/v1/audit?id=${id}`)).json;
  assert.deepEqual(data.map((a) => [a.action, a.kind, a.changed]), [['changed', 'extension', ['label']], ['changed', 'extension', ['password']],
    ['changed', 'extension', ['password']], ['created', 'extension', []]]);
  const secrets = [password, rotated.json.password, 'one of mine'];
  const places = { audit: JSON.stringify(data), list: (await d.api('GET', '/v1/extensions')).text, log: d.log,
    export: (await cli(d, ['export'])).out, get: (await cli(d, ['extension', 'get', id, '--json'])).out,
    metrics: (await d.api('GET', '/metrics')).text };
  for (const [place, text] of Object.entries(places))
    for (const secret of secrets) assert.ok(!text.includes(secret), `a password stands in ${place}`);
  assert.ok(places.export.includes('desk-2') && places.get.includes('desk-2'), 'and they do speak of it');
  // What a registrar will need is in the store, in the form that any digest algorithm can begin with.
  const [kept] = JSON.parse(execFileSync('sqlite3', ['-json', path.join(d.dir, 'hookswitch.db'),
    `select doc from settings where id = '${id}'`]));
  assert.equal(JSON.parse(kept.doc).password, 'one of mine');
});

test('bad ones name the field and what is allowed', async () => {
  const good = { username: 'bad', password: 'a good password' };
  for (const [body, field] of [
    [{}, 'username'], [{ ...good, username: '' }, 'username'], [{ ...good, username: 'a b' }, 'username'], [{ ...good, username: 'a%41' }, 'username'],
    [{ ...good, username: 'bad@example.com' }, 'username'], [{ ...good, username: 'x'.repeat(65) }, 'username'], [{ ...good, username: 7 }, 'username'],
    [{ ...good, password: 'short' }, 'password'], [{ ...good, password: 'x'.repeat(129) }, 'password'], [{ ...good, password: 'pässword' }, 'password'],
    [{ ...good, password: ' blank first' }, 'password'], [{ ...good, password: ['12345678'] }, 'password'], [{ ...good, password: '' }, 'password'],
    [{ username: 'same-as-name', password: 'SAME-as-name' }, 'password'], [{ ...good, label: 'a\nb' }, 'label'], [{ ...good, enabled: true }, 'enabled'],
    [{ ...good, registered: true }, 'registered'], [{ ...good, account: 'nobody' }, 'account']]) {
    const answer = await d.api('POST', '/v1/extensions', body);
    assert.equal(answer.status, 422, `${JSON.stringify(body)}: ${answer.text}`);
    assert.equal(answer.json.field, field, answer.text);
    assert.ok(answer.json.allowed);
  }
  for (const username of ['1', 'A.b-c_d~e+f', 'x'.repeat(64), '+447911123456'])
    assert.equal((await d.api('POST', '/v1/extensions', { username })).status, 201, username);
});

test('who may what, and whose an account is while it has one', async () => {
  const [support, developer] = [await login('looker', 'support'), await login('maker', 'developer')];
  const { id } = (await developer('POST', '/v1/extensions', { username: 'desk-3' })).json;
  assert.equal((await support('GET', `/v1/extensions/${id}`)).status, 200);
  assert.equal((await support('POST', '/v1/extensions', { username: 'desk-4' })).status, 403);
  assert.equal((await support('PATCH', `/v1/extensions/${id}`, { label: 'x' })).status, 403);
  assert.equal((await support('DELETE', `/v1/extensions/${id}`)).status, 403);
  assert.equal((await developer('POST', '/v1/extensions', { username: 'desk-4', account: 'default' })).status, 422, 'another account\'s');
  const { id: account } = await d.must('POST', '/v1/accounts', { name: 'leaving' });
  const moved = await d.must('PATCH', `/v1/extensions/${id}`, { account: 'leaving' });
  assert.equal(moved.account, account);
  assert.equal((await developer('GET', `/v1/extensions/${id}`)).status, 404);
  const refused = await d.api('DELETE', `/v1/accounts/${account}`);
  assert.deepEqual([refused.status, refused.json.code], [409, 'not_empty']);
  assert.match(refused.json.detail, /extensions/);
  await d.api('DELETE', `/v1/extensions/${id}`);
  assert.equal((await d.api('DELETE', `/v1/accounts/${account}`)).status, 204);
});

test('from the shell', async () => {
  const made = await cli(d, ['extension', 'create', '{"username":"shell","label":"by hand"}', '--json']);
  assert.equal(made.code, 0, made.err);
  const { id, password } = JSON.parse(made.out);
  assert.equal(password.length, 20);
  assert.match((await cli(d, ['extension', 'list'])).out, new RegExp(`^${id}\tshell\tby hand\t`, 'm'));
  assert.equal((await cli(d, ['extension', 'set', id, '{"label":"other"}'])).code, 0);
  assert.equal((await cli(d, ['extension', 'create', '{"username":"SHELL"}'])).code, 6);
  assert.equal((await cli(d, ['extension', 'delete', id])).code, 0);
  assert.equal((await cli(d, ['extension', 'get', id])).code, 3);
});

test('forwarding to one is refused by the DID API, and says why', async () => {
  const api = await login('forwarder', 'developer');
  await d.must('POST', '/v1/numbers', { number: '+447911170001', account: 'customer' });
  const [{ did_id }] = (await api('POST', '/api/did/list', { token: api.token })).json.dids;
  await api('POST', '/v1/extensions', { username: 'desk-9' });
  const { json } = await api('POST', '/api/did/forward', { token: api.token, did_id, type: 'extension', destination: 'desk-9' });
  assert.equal(json.status, false);
  assert.match(json.error, /extension are not carried out by the SIP edge yet/);
});
