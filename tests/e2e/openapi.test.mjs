// The OpenAPI file against a daemon: it is clean, every answer is one that it describes, its examples are real, and requests
// made from its schemas are taken, or refused where they are wrong.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { House, Tenant, collectionOf, fill, keyOf } from './lib/tenants.mjs';
import { file, path, operations, operation, resolve, described, faults, examples } from './lib/openapi.mjs';
import { key as operator } from './lib/daemon.mjs';
import { valid, broken } from './lib/arbitrary.mjs';

const seed = Number(process.env.OPENAPI_SEED ?? (Math.random() * 2 ** 31 | 0));

let house, tenant;
before(async () => {
  house = await House.start();
  tenant = await Tenant.make(house, 'acme');
});
after(async () => { await house?.stop(); });

const isStream = (o) => 'text/event-stream' in (o.responses[200]?.content ?? {});
const thingOf = (o) => tenant.has[collectionOf(o)];
const whereOf = (o, id = thingOf(o)) => (id ? fill(o, id) : o.path);

const met = new Map(operations.map((o) => [o, new Set()]));

/** Calls an operation; the answer must be one that is described, and is counted. */
async function call(o, { key = keyOf(o), where = whereOf(o), body = tenant.body(o), headers = {}, via = tenant } = {}) {
  let answer;
  if (isStream(o)) {
    const stop = new AbortController();
    const open = await fetch(via.house.daemon.url + where, { signal: stop.signal,
      headers: { authorization: `Bearer ${via.keys[key] ?? key}`, ...headers } });
    answer = { status: open.status, headers: open.headers, text: open.status === 200 ? '' : await open.text() };
    stop.abort();
  } else {
    answer = await via.api(key, o.method, where, body, headers);
  }
  described(o, answer);
  met.get(o).add(answer.status);
  return answer;
}

test('redocly lint has nothing to say', async () => {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath,
    [`${here}node_modules/@redocly/cli/bin/cli.js`, 'lint', '--config', `${here}redocly.yaml`, '--format', 'json', path],
    { env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }, maxBuffer: 1 << 24 });
  const { totals, problems } = JSON.parse(stdout.slice(stdout.indexOf('{')));
  assert.deepEqual(problems.map((p) => `${p.ruleId}: ${p.message} ${p.location[0]?.pointer}`), [], stderr);
  assert.deepEqual([totals.errors, totals.warnings], [0, 0]);
});

test('the served file is this file', async () => {
  const { json, headers } = await tenant.api('', 'GET', '/v1/openapi.json');
  assert.deepEqual(json, file);
  assert.equal(headers.get('content-type'), 'application/json');
});

test('every operation answers a valid request as described', async () => {
  for (const o of operations) {
    const own = o.id === 'accountsGet'; // one cannot be made for this
    const id = own ? thingOf(o) : collectionOf(o) && await tenant.thing(collectionOf(o));
    const answer = await call(o, { where: whereOf(o, id) });
    assert.ok(answer.status < 300, `${o.name}: ${answer.status} ${answer.text}`);
  }
  // What depends on the request:
  const recover = operation('endpointsRecover');
  const from = await tenant.thing('endpoints');
  assert.equal((await call(recover, { where: fill(recover, from), body: { since: 1, dry_run: true } })).status, 200);
  const [ingest] = operations.filter((o) => o.id === 'ingestSms');
  for (const status of [200, 202, 204])
    assert.equal((await call(ingest, { where: `${ingest.path}?status=${status}` })).status, status);
  const nowhere = tenant.nextNumber();
  assert.equal((await call(ingest, { body: { From: '+19175550100', To: nowhere, Body: 'x' } })).status, 404);
  assert.equal((await call(operation('simulate'), { body: { kind: 'call', number: nowhere } })).status, 404);
});

test('every error is the one that is described', async () => {
  const hasId = (o) => collectionOf(o) !== undefined;
  const secured = operations.filter((o) => !o.open);
  for (const o of operations) assert.equal((await call(o, { where: `${whereOf(o)}?no_such_parameter=1` })).status, 422, o.name);
  for (const o of secured) {
    assert.equal((await call(o, { key: 'wrong' })).status, 401, o.name);
    assert.equal((await call(o, { key: o.scope === 'ingest' ? 'read' : 'ingest' })).status, 403, o.name);
    if (hasId(o)) assert.equal((await call(o, { where: fill(o, '+4479299999999') })).status, 404, o.name);
    const { parameters } = o;
    if (parameters.some((p) => p.name === 'account')) assert.equal((await call(o, { key: operator, where: `${o.path}?account=nobody` })).status, 404, o.name);
    if (parameters.some((p) => p.name === 'If-Match')) {
      assert.equal((await call(o, { headers: { 'if-match': '"99999"' } })).status, 412, o.name);
      assert.equal((await call(o, { headers: { 'if-match': '"99999", W/"1"' } })).status, 412, o.name);
      for (const tag of ['1', '"', '"1', 'W/1', '"1",', '"1" "2"', '*, "1"'])
        assert.equal((await call(o, { headers: { 'if-match': tag } })).json.field, 'If-Match', `${o.name}: ${tag}`);
    }
    if (parameters.some((p) => p.name === 'If-None-Match')) {
      const etag = (await call(o)).headers.get('etag');
      const again = await call(o, { headers: { 'if-none-match': `"0", W/${etag}` } });
      assert.deepEqual([again.status, again.headers.get('etag'), again.text], [304, etag, ''], o.name);
      assert.equal((await call(o, { headers: { 'if-none-match': '"0"' } })).status, 200, o.name);
    }
    if (!o.body) continue;
    const large = JSON.stringify({ x: 'x'.repeat(300 * 1024) });
    assert.equal((await call(o, { body: large })).status, 413, o.name);
    assert.equal((await call(o, { body: '{"a":' })).status, 400, o.name);
    assert.equal((await call(o, { body: 'hello', headers: { 'content-type': 'text/plain' } })).status, 415, o.name);
    if (o.responses[409] && o.responses[201]) {
      const body = tenant.body(o);
      assert.equal((await call(o, { body })).status, 201, o.name);
      assert.equal((await call(o, { body })).status, 409, o.name);
    }
    if (o.responses[409] && o.method === 'PATCH') {
      const other = await tenant.thing(collectionOf(o));
      const { name, username } = (await tenant.api(operator, 'GET', fill(o, other))).json;
      if (username) assert.equal((await call(o, { body: { username } })).status, 409, o.name);
      else if (name) assert.equal((await call(o, { body: { name } })).status, 409, o.name);
    }
  }
});

test('who asks too often is told so by every operation', async () => {
  const slow = await House.start({ 'http.rate_per_sec': 1 });
  try {
    const via = Object.assign(new Tenant(), { house: slow, keys: {} });
    for (let i = 0; i < 3; i++) await via.api(operator, 'GET', '/v1/accounts');
    for (const o of operations.filter((o) => !o.open)) {
      let answer;
      do answer = await call(o, { key: operator, via, where: o.path.replace(/\{.*?\}/, 'x') }); while (answer.status !== 429);
      assert.ok(answer.headers.get('retry-after'), o.name);
      assert.equal(answer.headers.get('ratelimit-limit'), '1');
    }
  } finally { await slow.stop(); }
});

test('each described answer was met, but those that a sick disk or another request gives', () => {
  const elsewhere = { // where they are met
    'endpointsRecover 409': 'recover.test.mjs', 'callsHangup 409': 'api.test.mjs', 'numbersChange 409': 'a number cannot be changed',
    'accountsDelete 409': 'users.test.mjs', 'usersDelete 409': 'users.test.mjs',
  };
  const missing = [];
  for (const [o, statuses] of met)
    for (const status of Object.keys(o.responses))
      if (!['503', '507'].includes(status) && !statuses.has(Number(status)) && !elsewhere[`${o.id} ${status}`]) missing.push(`${o.id} ${status}`);
  assert.deepEqual(missing, []);
});

test('a path takes the methods that are described, HEAD and OPTIONS, and refuses others', async () => {
  for (const [where, item] of Object.entries(file.paths)) {
    const o = operations.find((o) => o.path === where);
    if (!o) continue; // the DID API's: did_tenants.test.mjs; the setup's: setup.test.mjs
    const described405 = Object.keys(item).map((m) => m.toUpperCase());
    const due = [...described405, ...(described405.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort();
    const allowOf = (answer) => answer.headers.get('allow').split(/, */).sort();
    // The other patterns that fit this path are taken on it, too: /v1/events/{id} fits /v1/events/stream.
    const also = operations.filter((p) => p.path !== where && new RegExp(`^${p.path.replace(/\{.*?\}/g, '[^/]+')}$`).test(where));
    const all = [...new Set([...due, ...also.flatMap((p) => [p.method, ...(p.method === 'GET' ? ['HEAD'] : [])])])].sort();
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'].filter((m) => !all.includes(m))) {
      const answer = await tenant.api(operator, method, whereOf(o));
      assert.equal(answer.status, 405, `${method} ${where}: ${answer.text}`);
      assert.equal(answer.json.code, 'method_not_allowed');
      assert.deepEqual(allowOf(answer), all, `${method} ${where}`);
    }
    const options = await tenant.api('', 'OPTIONS', whereOf(o));
    assert.deepEqual([options.status, options.text, allowOf(options)], [204, '', all], where);
  }
  for (const o of operations.filter((o) => o.method === 'GET' && !isStream(o) && o.path !== '/metrics')) {
    const [get, head] = [await call(o), await tenant.api(keyOf(o), 'HEAD', whereOf(o))];
    assert.equal(head.text, '');
    const comparable = ({ status, headers }) => [status, [...headers].filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name))];
    assert.deepEqual(comparable(head), comparable(get), `HEAD ${o.path}`);
  }
});

test('examples are what their schemas say, and those of requests are taken', async () => {
  let n = 0;
  const walk = (at, pointer) => {
    if (!at || typeof at !== 'object') return;
    if (Array.isArray(at.examples) && (at.type || at.oneOf || at.properties))
      for (const example of at.examples) {
        assert.equal(faults(at, example), '', `${pointer}: ${JSON.stringify(example)}`);
        n++;
      }
    for (const [name, inner] of Object.entries(at)) if (name !== 'examples') walk(inner, `${pointer}/${name}`);
  };
  walk(file.components.schemas, '');
  walk(file.paths, '');
  assert.ok(n > 20, `${n}`);
  const [example] = file.components.schemas.Problem.examples;
  assert.deepEqual((await tenant.api(operator, 'POST', '/v1/numbers', { number: '0791' })).json, example);
  await tenant.operator('POST', '/v1/numbers', { number: '+447911123456', account: tenant.name });
  let sent = 0;
  for (const o of operations.filter((o) => o.body))
    for (const [type, content] of Object.entries(o.body.content))
      for (const value of examples(content)) {
        const body = /json$/.test(type) ? JSON.stringify(value) : new URLSearchParams(value).toString();
        const id = collectionOf(o) && await tenant.thing(collectionOf(o));
        const answer = await call(o, { body, where: whereOf(o, id), headers: { 'content-type': type } });
        assert.ok(answer.status < 300, `${o.name} ${body}: ${answer.status} ${answer.text}`);
        sent++;
      }
  assert.ok(sent >= 12, `${sent}`);
});

// ---- requests made from the schemas ----

const withBody = operations.filter((o) => o.body?.content['application/json']);
const bodySchema = (o) => o.body.content['application/json'].schema;

async function inTime(promise, what) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${what}: no answer in 10 s`)), 10000); });
  try { return await Promise.race([promise, late]); } finally { clearTimeout(timer); }
}

test(`requests that satisfy the schemas are taken, or refused as described (OPENAPI_SEED=${seed})`, async () => {
  let taken = 0, sent = 0;
  tenant.hasty = true; // endpoints are made that lead anywhere
  for (const o of withBody) {
    const id = collectionOf(o) && await tenant.thing(collectionOf(o));
    await fc.assert(fc.asyncProperty(valid(bodySchema(o)), async (body) => {
      const answer = await inTime(call(o, { where: whereOf(o, id), body: JSON.stringify(body) }), o.name);
      assert.ok(answer.status < 500, `${o.name}: ${answer.status} ${answer.text}`);
      sent++;
      taken += answer.status < 300;
    }), { numRuns: 12, seed });
  }
  for (const o of operations.filter((o) => !o.open && !isStream(o) && o.parameters.some((p) => p.in === 'query'))) {
    const queries = o.parameters.filter((p) => p.in === 'query' && p.name !== 'account');
    const some = fc.subarray(queries, { maxLength: Math.min(3, queries.length) }).chain((list) => fc.tuple(...list.map((p) => valid(p.schema).map((v) => [p.name, String(v)]))));
    await fc.assert(fc.asyncProperty(some, async (query) => {
      const answer = await inTime(call(o, { where: `${whereOf(o)}?${new URLSearchParams(query)}` }), o.name);
      assert.ok(answer.status < 500, `${o.name} ${JSON.stringify(query)}: ${answer.status} ${answer.text}`);
      sent++;
      taken += answer.status < 300;
    }), { numRuns: 12, seed });
  }
  assert.ok(sent > 200 && taken > sent / 5, `${taken} of ${sent} taken`);
});

test('a request that is wrong in one place is refused, and the place is named', async () => {
  let n = 0;
  tenant.hasty = true;
  const all = [];
  for (const o of withBody) {
    if (resolve(bodySchema(o)).additionalProperties === true) continue; // it says nothing of its members
    const id = collectionOf(o) && await tenant.thing(collectionOf(o));
    const schemas = resolve(bodySchema(o)).oneOf ? [resolve(bodySchema(o)).oneOf[o.id === 'simulate' ? 1 : 0]] : [bodySchema(o)];
    for (const { place, body } of schemas.flatMap((s) => broken(s, tenant.body(o)))) {
      const answer = await inTime(call(o, { where: whereOf(o, id), body: JSON.stringify(body) }), o.name);
      const { field } = answer.json ?? {};
      const what = `${o.name} ${place}: ${JSON.stringify(body).slice(0, 200)} → ${answer.status} ${answer.text.slice(0, 300)}`;
      const named = answer.status === 422 && typeof field === 'string' && (place.startsWith(field) || field.startsWith(place) || field === 'body');
      if (!named) all.push(what);
      n++;
    }
  }
  assert.deepEqual(all, []);
  assert.ok(n > 250, `${n}`);
});
