// Every operation, and every member of every body, tried by every sort of key and user, as the OpenAPI file allows it.
// The expectations come out of the file (x-scope, x-roles, x-writable-by, x-target, x-readable-by), none is written here.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { House, Tenant, collectionOf, fill } from './lib/tenants.mjs';
import { file, operations, operation, resolve, described } from './lib/openapi.mjs';
import { key as operatorKey } from './lib/daemon.mjs';
import { tables, page, begin, end } from '../../tools/permissions.mjs';

const password = 'correct horse battery';
const every = ['read', 'write', 'ingest', 'operator', 'users'];

let house, ours, theirs, askers;
before(async () => {
  house = await House.start();
  ours = await Tenant.make(house, 'mellifluous');
  theirs = await Tenant.make(house, 'cantankerous');
  const { daemon } = house;
  const key = async (name, scopes, account) =>
    ({ name, credential: (await daemon.must('POST', '/v1/keys', { name, scopes, account })).key, rights: rightsOf(scopes) });
  const user = async (role) => {
    const { id, username } = await daemon.must('POST', '/v1/users', { username: `m-${role}`, password, role, account: ours.name });
    const { account_token: credential } = await daemon.must('POST', '/api/login', { username, password });
    return { name: role, credential, id, rights: rightsOfRole(role) };
  };
  askers = [
    { name: 'the operator\'s key', credential: operatorKey, rights: every, ownsNumbers: true },
    { ...await key('a key of default', ['*'], 'default'), ownsNumbers: true, foreign: true },
    await user('owner'), await user('developer'), await user('support'),
    await key('*', ['*'], ours.name), await key('read, write', ['read', 'write'], ours.name),
    ...await Promise.all(['read', 'write', 'ingest'].map((s) => key(s, [s], ours.name))),
    { ...await key('a foreign key', ['*'], theirs.name), foreign: true },
    { name: 'nobody', credential: '', rights: [] },
  ];
});
after(async () => { await house?.stop(); });

const rightsOf = (scopes) => (scopes.includes('operator') ? every : scopes.includes('*') ? ['read', 'write', 'ingest'] : scopes);
const rightsOfRole = (role) => [...rightsOf(file['x-roles'][role]), ...(role === 'owner' ? ['users'] : [])];
const covers = (asker, rights) => rights.every((r) => asker.rights.includes(r));
const isStream = (o) => 'text/event-stream' in (o.responses[200]?.content ?? {});
const raw = (o) => file.paths[o.path][o.method.toLowerCase()];
const secured = operations.filter((o) => !o.open);

/** What the file says of an asker at an operation: 0 it is done, or the status. `target`: what the key or user it names may. */
function expected(o, asker, target = []) {
  if (o.open) return 0;
  if (!asker.credential) return 401;
  if (!asker.rights.includes(o.scope)) return 403;
  if (raw(o)['x-writable-by'] === 'numbers' && !asker.ownsNumbers) return 403;
  if (collectionOf(o) && asker.foreign) return 404;
  if (raw(o)['x-target'] && !covers(asker, target)) return 403;
  return 0;
}

async function ask(asker, o, where, body) {
  if (!isStream(o)) {
    const answer = await ours.api(asker.credential, o.method, where, body);
    described(o, answer, `${o.name} by ${asker.name}`);
    return answer;
  }
  const stop = new AbortController();
  const { status } = await fetch(house.daemon.url + where, { headers: { authorization: `Bearer ${asker.credential}` }, signal: stop.signal });
  stop.abort();
  return { status, text: '' };
}

/** Endpoints that were made for one question: an account may not have any number of them. */
async function tidy(...ids) {
  for (const id of ids) if (id?.startsWith?.('ep_')) await house.daemon.api('DELETE', `/v1/endpoints/${id}`);
}

/** What lib/tenants.mjs makes: keys that write, users that read. */
const targetOf = (o) => ({ keys: ['write'], users: ['read'] }[collectionOf(o)] ?? []);

test('each operation is done for whom the file says, and for nobody else', async () => {
  let done = 0, refused = 0;
  for (const o of operations)
    for (const asker of askers) {
      const own = o.id === 'accountsGet'; // one cannot be made for this
      const id = own ? ours.account.id : collectionOf(o) && await ours.thing(collectionOf(o));
      const answer = await ask(asker, o, id ? fill(o, id) : o.path, ours.body(o));
      let status = expected(o, asker, targetOf(o));
      if (status === 404 && ['accounts', 'trunks', 'smpp-links'].includes(collectionOf(o)) && asker.rights.includes('operator')) status = 0;
      // What a new key or user may do is in the body: lib/tenants.mjs makes keys that write and users that read.
      if (!status && o.id === 'usersCreate' && !covers(asker, ['read'])) status = 422;
      if (!status && asker.foreign && ['simulate', 'ingestSms', 'eventsResend'].includes(o.id)) status = 404; // their body names a number of ours
      const what = `${o.name} by ${asker.name}: ${answer.status} ${answer.text}`;
      if (status) assert.equal(answer.status, status, what);
      else assert.ok(answer.status < 300, what);
      await tidy(id, answer.json?.id);
      status ? refused++ : done++;
    }
  assert.ok(done > 250 && refused > 250, `${done} done, ${refused} refused`);
});

// ---- members of bodies ----

/** Another value than what stands there, by member; `t`: whose it is. */
const values = {
  number: (t, thing) => thing ?? t.nextNumber(), label: (t) => t.label(), voice: () => false, sms: () => false, country: (t, thing, collection) => (collection === 'numbers' ? 'FR' : '33'), type: () => 'tollfree',
  monthly_cost: () => '0.01', setup_fee: () => '0.02', forward: () => ({ targets: [{ type: 'sip', destination: 'sip:x@example.com' }] }),
  targets: () => [{ type: 'sip', destination: 'sip:y@example.com' }], account: () => theirs.account.id, url: (t) => t.house.hook(t.label()),
  fallback_url: (t) => t.house.hook(t.label()), format: () => 'form', events: () => ['call_ended'], numbers: (t) => [t.has.numbers],
  secret: () => 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', headers: () => ({ 'X-A': 'b' }), timeout_ms: () => 4000, retry: () => ({ schedule_s: [1, 2], give_up_after_s: 4000 }),
  control: () => true, control_timeout_ms: () => 1000, sip_headers: () => true, concurrency: () => 3, rate_per_sec: () => 7, disabled: () => true,
  name: (t) => t.label(), username: (t) => t.label(), password: (t) => `pass of ${t.label()}`, role: () => 'support', scopes: () => ['write'],
  expires_at: () => '2031-02-03T04:05:06.000Z', expires_at_ms: () => 1927857906000, retention_days: () => 77, balance: () => '3.50', currency: () => 'EUR',
  sources: () => ['10.77.0.0/16'], server: () => 'sip.example.com', max_calls: () => 77, max_cps: () => 78, national_prefix: () => '0',
  international_prefix: () => '00', bare_is_e164: () => true, called_from: () => ['to'], trust_identity: () => false, outbound: () => true, mode: () => 'server',
  host: () => 'smpp.example.com', port: () => 2777, tls: () => true, bind: () => 'receiver', system_id: (t) => `i${t.label().slice(-9)}`, system_type: () => 'x',
  max_binds: () => 2, window: () => 9, enquire_link_s: () => 31, data_coding_0: () => 'gsm7', data_coding_1: () => 'latin1',
};
/** Members that say nothing alone: certificates go in pairs, and a reason is the daemon's. */
const notAlone = ['ca_pem', 'cert_pem', 'key_pem', 'disabled_why'];
/** Of an SMPP link that we open; one that the carrier opens is refused them. */
const ofClients = ['host', 'port', 'tls', 'bind', 'system_type'];
const settings = ['numbers', 'endpoints', 'extensions', 'keys', 'users', 'accounts', 'trunks', 'smpp-links'];
const propertiesOf = (o) => resolve(o.body?.content['application/json']?.schema)?.properties ?? {};
const ofSettings = secured.filter((o) => settings.includes(o.path.split('/')[2]) && ['POST', 'PATCH', 'PUT'].includes(o.method)
  && Object.keys(propertiesOf(o)).length && !['endpointsRecover', 'endpointsRotateSecret'].includes(o.id));

function mayWrite(whom, asker) {
  return whom === 'scope' || whom === 'within' || (whom === 'numbers' ? asker.ownsNumbers : asker.rights.includes('operator'));
}

const state = async (o, thing) => (thing ? (await house.daemon.api('GET', fill(o, thing))).text : '').replace(/"(last_used_at|status|health)":.*?[,}]/g, '');

test('each member of each body is set by whom the file says, and by nobody else', async () => {
  let set = 0, refused = 0;
  for (const o of ofSettings)
    for (const [member, { 'x-writable-by': whom }] of Object.entries(propertiesOf(o))) {
      assert.ok(['scope', 'within', 'numbers', 'operator'].includes(whom), `${o.name} ${member}: x-writable-by ${whom}`);
      if (notAlone.includes(member)) continue;
      for (const asker of askers) {
        if (expected(o, asker, targetOf(o))) continue; // the test above
        if (o.id === 'usersCreate' && !covers(asker, ['read'])) continue;
        if (member === 'numbers' && (asker.foreign || asker.ownsNumbers)) continue; // they name those of their own account
        const thing = collectionOf(o) && await ours.thing(collectionOf(o));
        const bare = { ...ours.body(o), scopes: undefined };
        const base = o.method === 'POST' ? bare : {};
        if (o.id === 'keysCreate') base.scopes = ['write'];
        if (o.id === 'smppLinksChange' && ofClients.includes(member)) Object.assign(base, { mode: 'client', host: 'h.example' });
        if (member === 'expires_at_ms') delete base.expires_at;
        if (o.id === 'smppLinksCreate' && ofClients.includes(member)) Object.assign(base, { mode: 'client', host: 'h.example', password: 'secret' });
        const value = values[member](ours, collectionOf(o) === 'numbers' ? thing : undefined, o.path.split('/')[2]);
        const body = { ...base, [member]: value };
        const before = await state(o, thing);
        const answer = await ask(asker, o, thing ? fill(o, thing) : o.path, body);
        const what = `${o.name} ${JSON.stringify(body)} by ${asker.name}: ${answer.status} ${answer.text}`;
        if (mayWrite(whom, asker)) {
          assert.ok(answer.status < 300, what);
          if (member in answer.json && !['expires_at', 'account', 'secret', 'password'].includes(member)) assert.deepEqual(answer.json[member], value, what);
          set++;
        } else {
          assert.equal(answer.status, 422, what);
          assert.equal(answer.json.field, member, what);
          assert.equal(await state(o, thing), before, what);
          refused++;
        }
        await tidy(thing, answer.json?.id);
      }
    }
  assert.ok(set > 300 && refused > 40, `${set} set, ${refused} refused`);
});

// ---- no more than who asks ----

const subsets = (list) => list.reduce((all, x) => [...all, ...all.map((s) => [...s, x])], [[]]).slice(1);

test('scopes: a key makes, changes and deletes keys within its own, of every combination', async () => {
  const combinations = [...subsets(['read', 'write', 'ingest']), ['*'], ['operator'], ['read', 'operator']];
  for (const asker of askers.filter((a) => a.rights.includes('write') && !a.foreign))
    for (const scopes of combinations) {
      const what = `${scopes} by ${asker.name}`;
      const within = covers(asker, rightsOf(scopes));
      const made = await ours.api(asker.credential, 'POST', '/v1/keys', { name: 'k', scopes });
      assert.equal(made.status, within ? 201 : 422, `${what}: ${made.text}`);
      if (!within) assert.equal(made.json.field, 'scopes');
      const { id } = await ours.operator('POST', '/v1/keys', { name: 'k', scopes: ['write'], account: ours.name });
      assert.equal((await ours.api(asker.credential, 'PATCH', `/v1/keys/${id}`, { scopes })).status, within ? 200 : 422, what);
      const other = await ours.operator('POST', '/v1/keys', { name: 'k', scopes, account: ours.name });
      const where = `/v1/keys/${other.id}`;
      assert.equal((await ours.api(asker.credential, 'PATCH', where, { name: 'renamed' })).status, within ? 200 : 403, what);
      assert.equal((await ours.api(asker.credential, 'DELETE', where)).status, within ? 204 : 403, what);
      assert.equal((await ours.api(other.key, 'GET', '/healthz')).status, 200);
    }
});

test('roles: given within one\'s own rights; changed by who has more', async () => {
  for (const asker of askers.filter((a) => a.rights.includes('write') && !a.foreign))
    for (const role of Object.keys(file['x-roles'])) {
      const what = `${role} by ${asker.name}`, rights = rightsOfRole(role);
      const within = covers(asker, rights);
      const below = within && (asker.rights.includes('users') || rights.length < asker.rights.length);
      const made = await ours.api(asker.credential, 'POST', '/v1/users', { username: ours.label(), password, role });
      assert.equal(made.status, within ? 201 : 422, `${what}: ${made.text}`);
      if (!within) assert.equal(made.json.field, 'role');
      for (const body of [{ password: 'another password' }, { username: ours.label() }, { role: 'support' }]) {
        const { id } = await ours.operator('POST', '/v1/users', { username: ours.label(), password, role, account: ours.name });
        const answer = await ours.api(asker.credential, 'PATCH', `/v1/users/${id}`, body);
        assert.equal(answer.status, below ? 200 : 403, `${what}: ${answer.text}`);
        assert.equal((await ours.api(asker.credential, 'DELETE', `/v1/users/${id}`)).status, below ? 204 : 403, what);
      }
      const { id: low } = await ours.operator('POST', '/v1/users', { username: ours.label(), password, role: 'support', account: ours.name });
      const raised = await ours.api(asker.credential, 'PATCH', `/v1/users/${low}`, { role });
      const reaches = covers(asker, ['read']) && (asker.rights.includes('users') || asker.rights.length > 1);
      assert.equal(raised.status, !reaches ? 403 : within ? 200 : 422, `${what}: ${raised.text}`);
    }
});

test('lifetimes: what a key that expires makes ends with it at the latest, and it makes no users', async () => {
  const soon = new Date(Date.now() + 3600e3).toISOString(), sooner = new Date(Date.now() + 1800e3).toISOString();
  const later = new Date(Date.now() + 7200e3).toISOString();
  for (const scopes of [['*'], ['operator']]) {
    const { key, id } = await ours.operator('POST', '/v1/keys', { name: 'soon', scopes, account: ours.name, expires_at: soon });
    const api = (method, where, body) => ours.api(key, method, where, body);
    const heir = await api('POST', '/v1/keys', { name: 'heir', scopes: ['read'] });
    assert.deepEqual([heir.status, heir.json.expires_at], [201, soon]);
    assert.equal((await api('POST', '/v1/keys', { name: 'null', scopes: ['read'], expires_at: null })).json.expires_at, soon);
    assert.equal((await api('POST', '/v1/keys', { name: 'sooner', scopes: ['read'], expires_at: sooner })).json.expires_at, sooner);
    for (const more of [{ expires_at: later }, { expires_at_ms: Date.parse(later) }, { expires_at_ms: 0 }]) {
      const answer = await api('POST', '/v1/keys', { name: 'later', scopes: ['read'], ...more });
      assert.deepEqual([answer.status, answer.json.field], [422, 'expires_at'], answer.text);
    }
    for (const [target, body, status] of [[id, { expires_at: later }, 422], [id, { expires_at: null }, 422], [id, { expires_at_ms: 0 }, 422],
      [heir.json.id, { expires_at: null }, 422], [heir.json.id, { expires_at: sooner }, 200], [heir.json.id, { name: 'x' }, 200]])
      assert.equal((await api('PATCH', `/v1/keys/${target}`, body)).status, status, JSON.stringify(body));
    const { id: forever } = await ours.operator('POST', '/v1/keys', { name: 'forever', scopes: ['read'], account: ours.name });
    assert.equal((await api('PATCH', `/v1/keys/${forever}`, { scopes: ['*'] })).json.field, 'expires_at', 'no scopes for longer than one has them');
    assert.equal((await api('PATCH', `/v1/keys/${forever}`, { name: 'renamed' })).status, 200);
    assert.equal((await api('PATCH', `/v1/keys/${forever}`, { expires_at: later })).status, 200, 'an end where there was none takes away');
    const made = await api('POST', '/v1/users', { username: ours.label(), password, role: 'support' });
    assert.equal(made.status, 403);
    assert.match(made.json.detail, /expires/);
    const user = await ours.thing('users');
    for (const body of [{ password: 'another password' }, { role: 'support' }, { username: ours.label() }])
      assert.equal((await api('PATCH', `/v1/users/${user}`, body)).status, 403);
    assert.equal((await api('DELETE', `/v1/users/${user}`)).status, 204);
  }
});

test('an answer shows what is shown once in the answer that makes it, and the operator\'s to the operator', async () => {
  const once = { endpoints: 'secret', keys: 'key', extensions: 'password' };
  const bodies = { endpoints: operation('endpointsCreate'), keys: operation('keysCreate'), extensions: { id: 'extensionsCreate' } };
  for (const [collection, member] of Object.entries(once)) {
    const body = collection === 'extensions' ? { username: ours.label() } : ours.body(bodies[collection]);
    const made = await ours.must('POST', `/v1/${collection}`, body);
    assert.ok(made[member].length >= 20, collection);
    for (const asker of askers.filter((a) => a.rights.includes('read') && !a.foreign)) {
      const all = (await ours.api(asker.credential, 'GET', `/v1/${collection}/${made.id}`)).text
        + (await ours.api(asker.credential, 'GET', `/v1/${collection}?limit=500`)).text + (await ours.api(asker.credential, 'GET', '/v1/audit?limit=50')).text;
      assert.ok(!all.includes(made[member]), `${collection} to ${asker.name}`);
    }
  }
  for (const where of [`/v1/events/${ours.has.events}`, `/v1/erasures/${ours.has.erasures}`, `/v1/recoveries/${ours.has.recoveries}`])
    for (const asker of askers.filter((a) => a.rights.includes('read') && !a.foreign))
      assert.equal('account' in (await ours.api(asker.credential, 'GET', where)).json, asker.rights.includes('operator'), `${where} to ${asker.name}`);
});

test('docs/api.md has the tables', () => {
  const text = readFileSync(page, 'utf8');
  assert.equal(text.slice(text.indexOf(begin) + begin.length, text.indexOf(end)), tables(), 'node tools/permissions.mjs --write');
});
