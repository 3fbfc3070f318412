// The tenant matrix of the DID API, made from the OpenAPI file: every operation × JSON and form × with and without a slash × own,
// foreign, unknown ids × good, bad, ended and weak tokens. Every answer is one that the file describes.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { House, Tenant } from './lib/tenants.mjs';
import { didOperations, described, resolve } from './lib/openapi.mjs';
import { key as operator } from './lib/daemon.mjs';

const json = 'application/json', form = 'application/x-www-form-urlencoded';
const password = 'correct horse battery';
const styles = [json, form].flatMap((type) => ['', '/'].map((slash) => ({ type, slash })));

let house, ours, theirs;
before(async () => {
  house = await House.start({ 'http.rate_per_sec': 100000 });
  ours = await Tenant.make(house, 'mellifluous');
  theirs = await Tenant.make(house, 'cantankerous');
  for (const t of [ours, theirs]) {
    t.user = await house.daemon.must('POST', '/v1/users', { username: t.name, password, role: 'owner', account: t.name });
    // More than the lists begin with: a webhook of its own number alone.
    await t.must('POST', '/v1/endpoints', { url: house.hook(`${t.name}-bound`), numbers: [t.has.numbers], events: ['ping'] });
    t.did = (await t.must('POST', '/api/did/list', { token: t.keys.all })).dids.find((x) => x.did_number === t.has.numbers).did_id;
  }
});
after(async () => { await house?.stop(); });

const met = new Map(didOperations.map((o) => [o, new Set()]));
const bodyOf = (o) => resolve(o.body.content[json].schema);
const takesId = (o) => 'did_id' in bodyOf(o).properties;
const takesToken = (o) => 'token' in bodyOf(o).properties;
const needsToken = didOperations.filter(takesToken);

async function call(o, fields, { type = json, slash = '', headers = {}, raw, method = 'POST' } = {}) {
  const answer = await fetch(house.daemon.url + o.path + slash, { method,
    headers: { ...(type ? { 'content-type': type } : {}), ...headers },
    body: raw ?? (type === form ? new URLSearchParams(fields).toString() : JSON.stringify(fields)) });
  const seen = { status: answer.status, headers: answer.headers, text: await answer.text() };
  described(o, seen, `${o.name}${slash} ${type} ${JSON.stringify(fields)}`);
  met.get(o).add(seen.status);
  const { status, error } = seen.json = JSON.parse(seen.text);
  assert.equal(typeof status, 'boolean');
  assert.equal(status, error === undefined, seen.text);
  if (!status) assert.ok(error.length > 0);
  return seen;
}

/** All of an answer that a client can see, but the time and how much it may still ask. */
const seen = ({ status, headers, text }) =>
  JSON.stringify({ status, headers: [...headers].filter(([name]) => !/^(date|ratelimit-)/.test(name)), text });

/** What an operation takes besides token and did_id, as a client means it. */
const more = { '/api/did/forward': { destination: 'sip:agent@example.com', type: 'sip' }, '/api/login': { username: 'nobody', password },
  '/api/did/available': { country: '' } };
const variants = (o) => (o.path === '/api/did/forward'
  ? [more[o.path], { destination: 'https://example.com/taken', type: 'webhook' }, { destination: theirs.has.numbers, type: 'access number' },
    { destination: '+19175550100', type: 'pstn' }, { destination: '<', type: 'sip' }, {}]
  : [more[o.path] ?? {}]);

/** What an account has, in one text. */
async function state(t) {
  const parts = [];
  for (const where of ['/v1/numbers', '/v1/endpoints', '/v1/audit', '/v1/keys', '/v1/users'])
    parts.push((await t.must('GET', `${where}?limit=500`)) && (await t.api('all', 'GET', `${where}?limit=500`)).text);
  parts.push(JSON.stringify(await t.must('POST', '/api/did/list', { token: t.keys.all })));
  return parts.join('\n').replace(/"last_used_at":("[^"]*"|null)/g, '');
}

function leaksNothing(what, answer, of = ours) {
  const all = seen(answer);
  for (const mark of [of.name, of.account.id, of.has.numbers, of.has.endpoints, `"${of.did}"`])
    assert.ok(!all.includes(mark), `${what} shows ${mark}: ${all}`);
}

test('a foreign did_id answers byte for byte as an unknown one, and nothing happens', async () => {
  const [before, pool] = [await state(ours), (await house.daemon.must('GET', '/v1/numbers?account=pool')).data];
  const foreign = [ours.did, Number(ours.did), ours.has.numbers, ours.has.numbers.slice(1), Number(ours.has.numbers)];
  const unknown = ['999999999', 999999999, '+447700900999', '447700900999', 447700900999];
  let n = 0;
  for (const o of didOperations.filter(takesId))
    for (const style of styles)
      for (const fields of variants(o))
        for (const token of [theirs.keys.all, theirs.keys.write])
          for (let i = 0; i < foreign.length; i++) {
            const [a, b] = [await call(o, { token, did_id: foreign[i], ...fields }, style), await call(o, { token, did_id: unknown[i], ...fields }, style)];
            const what = `${o.name} ${JSON.stringify([style, foreign[i], fields])}`;
            assert.equal(seen(a), seen(b), what);
            assert.equal(a.json.status, false, what);
            leaksNothing(what, a);
            n++;
          }
  assert.ok(n > 200, `${n}`);
  assert.equal(await state(ours), before);
  assert.deepEqual((await house.daemon.must('GET', '/v1/numbers?account=pool')).data, pool);
});

test('lists show nothing of others, whatever is asked for', async () => {
  await house.daemon.must('POST', '/v1/numbers', { number: ours.nextNumber(), account: 'pool', country: 'GB' });
  for (const o of needsToken.filter((o) => !takesId(o) && o.path !== '/api/logout'))
    for (const style of styles)
      for (const fields of [{}, { country: 'GB' }, { after: '0' }, { after: String(Number(ours.did) - 1) }, { limit: '1', after: String(Number(ours.did) - 1) },
        { account: ours.account.id }, { account: ours.name, username: ours.name }, { did_id: ours.did }]) {
        const answer = await call(o, { token: theirs.keys.all, ...fields }, style);
        assert.equal(answer.status, 200);
        assert.equal(answer.json.status, true, answer.text);
        leaksNothing(`${o.name} ${JSON.stringify(fields)}`, answer);
      }
  const offered = (await call(didOperations.find((o) => o.path === '/api/did/available'), { token: theirs.keys.all })).json.dids;
  assert.ok(offered.length > 0 && !offered.some((x) => [ours.has.numbers, theirs.has.numbers].includes(x.did_number)));
});

const login = async (username) => (await house.daemon.must('POST', '/api/login', { username, password })).account_token;

/** Tokens that are no good, by why. */
async function dead() {
  const { daemon } = house;
  const made = async (name) => {
    const user = await daemon.must('POST', '/v1/users', { username: `${ours.name}-${name}`, password, role: 'owner', account: ours.name });
    return { ...user, token: await login(user.username) };
  };
  const [gone, changed, out, late] = [await made('gone'), await made('changed'), await login(ours.name), await login(ours.name)];
  await daemon.api('DELETE', `/v1/users/${gone.id}`);
  await daemon.must('PATCH', `/v1/users/${changed.id}`, { password: 'another password' });
  await daemon.must('POST', '/api/logout', { token: out });
  const key = await ours.must('POST', '/v1/keys', { name: ours.label() });
  await ours.must('DELETE', `/v1/keys/${key.id}`);
  // The clock is not ours to turn: the log-in's end is, in the store of a daemon that does not run.
  await daemon.kill('SIGTERM');
  const changes = execFileSync('sqlite3', [path.join(daemon.dir, 'hookswitch.db'),
    `update tokens set expires_at = ${Date.now() - 1000} where hash = '${createHash('sha256').update(late).digest('hex')}'; select changes()`], { encoding: 'utf8' });
  assert.equal(changes.trim(), '1');
  await daemon.run();
  return { none: '', unknown: `hst_${'0'.repeat(40)}`, gone: gone.token, changed: changed.token, out, late, deleted: key.key,
    expired: ours.keys.expired, short: ours.keys.all.slice(0, -1), upper: ours.keys.all.toUpperCase(), long: 'x'.repeat(5000) };
}

test('without a good token nothing is told and nothing happens', async () => {
  const tokens = await dead();
  const before = await state(ours);
  for (const o of needsToken)
    for (const style of styles) {
      const answers = [];
      for (const token of Object.values(tokens))
        for (const did_id of [ours.did, '999999999']) {
          answers.push(await call(o, { token, did_id, ...more[o.path] }, style));
          if (token) answers.push(await call(o, { token, did_id, ...more[o.path] }, { ...style, headers: { authorization: `Bearer ${ours.keys.all}` } }));
        }
      for (const answer of answers) assert.equal(answer.status, 401, `${o.name}: ${answer.text}`);
      assert.equal(new Set(answers.map(seen)).size, 1, o.name);
    }
  assert.equal(await state(ours), before);
});

test('a token may what its key or role may', async () => {
  const support = await house.daemon.must('POST', '/v1/users', { username: `${ours.name}-support`, password, role: 'support', account: ours.name });
  const token = await login(support.username);
  const before = await state(ours);
  for (const o of needsToken)
    for (const style of styles) {
      const ask = (token) => call(o, { token, did_id: ours.did, ...more[o.path] }, style);
      assert.equal(o.tokenScope, takesId(o) ? 'write' : 'read', o.name);
      for (const weak of takesId(o) ? [ours.keys.read, ours.keys.ingest, token] : o.path === '/api/logout' ? [ours.keys.ingest] : [ours.keys.write, ours.keys.ingest]) {
        const [own, unknown] = [await ask(weak), await call(o, { token: weak, did_id: '999999999', ...more[o.path] }, style)];
        assert.equal(own.status, 403, `${o.name}: ${own.text}`);
        assert.equal(seen(own), seen(unknown), o.name);
      }
      if (!takesId(o) && o.path !== '/api/logout') for (const good of [ours.keys.read, ours.keys.all, token, operator]) assert.equal((await ask(good)).json.status, true);
    }
  assert.equal(await state(ours), before);
});

test('the token in the body counts; a header only where there is none', async () => {
  const [o] = didOperations.filter((o) => o.path === '/api/did/list');
  const headers = { authorization: `Bearer ${ours.keys.all}` };
  for (const style of styles) {
    leaksNothing('the body\'s token', await call(o, { token: theirs.keys.all }, { ...style, headers }));
    const answer = await call(o, {}, { ...style, headers });
    assert.ok(answer.json.dids.some((x) => x.did_number === ours.has.numbers));
  }
  const [end] = didOperations.filter((o) => o.path === '/api/logout');
  assert.equal((await call(end, {}, { headers })).json.status, false, 'a key has no end here');
  const token = await login(ours.name);
  assert.equal((await call(end, {}, { headers: { authorization: `Bearer ${token}` } })).json.status, true);
  assert.equal((await call(o, { token })).status, 401);
});

test('what is no good body is refused by every operation alike, and each described answer was met', async () => {
  for (const o of didOperations) {
    for (const style of styles) {
      assert.equal((await call(o, {}, { ...style, raw: '{"token":' })).status, 400, o.name);
      assert.equal((await call(o, {}, { ...style, raw: 'token=%zz' })).status, 400, o.name);
      assert.equal((await call(o, {}, { ...style, raw: 'x'.repeat(300 * 1024) })).status, 413, o.name);
    }
    assert.equal((await call(o, {}, { type: 'multipart/form-data; boundary=x', raw: '--x--\r\n' })).status, 415, o.name);
    for (const slash of ['', '/'])
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        const answer = await fetch(house.daemon.url + o.path + slash, { method });
        assert.deepEqual([answer.status, answer.headers.get('allow'), (await answer.json()).status], [405, 'POST, OPTIONS', false], `${method} ${o.path}${slash}`);
      }
  }
  // Good ones, each once, on something of their own.
  const { daemon } = house;
  const { number } = await daemon.must('POST', '/v1/numbers', { number: theirs.nextNumber(), account: 'pool', country: 'GB' });
  const token = await login(theirs.name);
  const order = ['/api/did/assign', '/api/did/forward', '/api/did/release', '/api/login', '/api/logout'];
  for (const o of [...didOperations].sort((a, b) => order.indexOf(a.path) - order.indexOf(b.path))) {
    const { json } = await call(o, { token, did_id: number, ...more[o.path], ...(o.path === '/api/login' ? { username: theirs.name } : {}) });
    assert.equal(json.status, true, `${o.name}: ${JSON.stringify(json)}`);
  }
  const slow = await House.start({ 'http.rate_per_sec': 1 });
  const real = house;
  try {
    house = slow;
    for (const o of needsToken.filter((o) => o.path !== '/api/logout')) {
      let answer;
      do answer = await call(o, { token: operator, did_id: '1', ...more[o.path] }); while (answer.status !== 429);
      assert.ok(answer.headers.get('retry-after'));
    }
  } finally {
    house = real;
    await slow.stop();
  }
  const elsewhere = { '/api/login 429': 'didapi.test.mjs', '/api/login 401': 'didapi.test.mjs', '/api/logout 429': 'who asks to end it is not counted' };
  const missing = [];
  for (const [o, statuses] of met)
    for (const status of Object.keys(o.responses))
      if (!['503', '507'].includes(status) && !statuses.has(Number(status)) && !elsewhere[`${o.path} ${status}`]) missing.push(`${o.path} ${status}`);
  assert.deepEqual(missing, []);
});
