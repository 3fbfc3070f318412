// Requests that the API refuses rather than guesses, lists that stay right while rows come and go, and an explanation of every
// error code.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { House, Tenant } from './lib/tenants.mjs';
import { operations } from './lib/openapi.mjs';
import { key as operator } from './lib/daemon.mjs';

let house, tenant, other;
before(async () => {
  house = await House.start();
  tenant = await Tenant.make(house, 'acme');
  other = await Tenant.make(house, 'widgets');
});
after(async () => { await house?.stop(); });

const root = fileURLToPath(new URL('../../', import.meta.url));

test('a query parameter that a path does not know is refused by its name, with those that it knows', async () => {
  const { json, status } = await tenant.api('all', 'GET', '/v1/events?nunber=%2B447911123456');
  assert.equal(status, 422);
  assert.equal(json.field, 'nunber');
  for (const p of operations.find((o) => o.id === 'eventsList').parameters.filter((p) => p.in === 'query'))
    assert.match(json.allowed, new RegExp(`\\b${p.name}\\b`));
  for (const [where, field] of [['/v1/numbers/x?x', 'x'], ['/v1/numbers?limit=1&limit=2', 'limit'], ['/v1/events?q=a%00b', 'q'],
    ['/v1/numbers?Limit=1', 'Limit'], ['/v1/numbers?=', ''], ['/v1/calls?state=answered', 'state'], ['/healthz?verbose', 'verbose']]) {
    const answer = await tenant.api('all', 'GET', where);
    assert.equal(answer.status, 422, where);
    assert.equal(answer.json.field, field, where);
  }
  assert.equal((await tenant.api('', 'GET', '/?theme=dark')).status, 200); // a page is a page
});

test('the operator lists what belongs to one account, by its id or name', async () => {
  for (const where of ['/v1/numbers', '/v1/endpoints', '/v1/events', '/v1/calls', '/v1/messages']) {
    const rows = async (account) => (await house.daemon.must('GET', `${where}?limit=500&account=${account}`)).data;
    const all = (await house.daemon.must('GET', `${where}?limit=500`)).data;
    for (const t of [tenant, other]) {
      const [byName, byId] = [await rows(t.name), await rows(t.account.id)];
      assert.deepEqual(byName, byId);
      assert.deepEqual(byId, all.filter((row) => row.account === t.account.id), where);
      if (where !== '/v1/messages') assert.ok(byId.length > 0, where);
    }
    const none = await house.daemon.api('GET', `${where}?account=nobody`);
    assert.deepEqual([none.status, none.json.code], [404, 'not_found']);
    const refused = await tenant.api('all', 'GET', `${where}?account=${tenant.account.id}`);
    assert.deepEqual([refused.status, refused.json.field], [422, 'account']);
  }
});

test('an ETag names a version: changes of others are not overwritten', async () => {
  const number = `/v1/numbers/${encodeURIComponent(await tenant.thing('numbers'))}`;
  const endpoint = `/v1/endpoints/${await tenant.thing('endpoints')}`;
  for (const [where, first, second, method] of [[number, { label: 'a' }, { label: 'b' }, 'PATCH'],
    [`${number}/forward`, { targets: [] }, { targets: [{ type: 'pstn', destination: '+12025550143' }] }, 'PUT'],
    [endpoint, { format: 'form' }, { format: 'json' }, 'PATCH']]) {
    const etag = (await tenant.api('all', 'GET', where)).headers.get('etag');
    const changed = await tenant.api('all', method, where, first, { 'if-match': etag });
    assert.equal(changed.status, 200, changed.text);
    assert.notEqual(changed.headers.get('etag'), etag);
    const late = await tenant.api('all', method, where, second, { 'if-match': etag });
    assert.deepEqual([late.status, late.json.code], [412, 'changed_meanwhile']);
    const again = await tenant.api('all', method, where, second, { 'if-match': `"0", ${changed.headers.get('etag')}` });
    assert.equal(again.status, 200, again.text);
    assert.equal((await tenant.api('all', method, where, first, { 'if-match': '*' })).status, 200);
  }
  const etag = (await tenant.api('all', 'GET', endpoint)).headers.get('etag');
  assert.equal((await tenant.api('all', 'DELETE', endpoint, undefined, { 'if-match': '"1"' })).status, 412);
  assert.equal((await tenant.api('all', 'DELETE', endpoint, undefined, { 'if-match': etag })).status, 204);
});

test('an endpoint\'s health is more than its version: it is never answered with 304', async () => {
  const where = `/v1/endpoints/${tenant.has.endpoints}`;
  const etag = (await tenant.api('all', 'GET', where)).headers.get('etag');
  assert.equal((await tenant.api('all', 'GET', where, undefined, { 'if-none-match': etag })).status, 200);
});

/** Reads a list page by page; between two pages `meanwhile` changes it. */
async function walk(where, meanwhile) {
  const rows = [];
  for (let cursor = '', page = 0; ; page++) {
    const { data, next_cursor } = await tenant.must('GET', `${where}?limit=3${cursor && `&cursor=${cursor}`}`);
    assert.ok(data.length <= 3);
    rows.push(...data);
    if (!next_cursor) return rows;
    cursor = next_cursor;
    await meanwhile(page, rows);
  }
}

test('pages stay right while rows come and go: none twice, none missed that was there all along', async () => {
  const numbers = [];
  for (let i = 0; i < 20; i++) numbers.push(await tenant.thing('numbers'));
  const gone = new Set();
  const seen = await walk('/v1/numbers', async (page, rows) => {
    if (page > 8) return;
    await tenant.thing('numbers');
    for (const number of [numbers[page], numbers[19 - page]]) { // one that was seen, and one that was not
      if (gone.has(number)) continue;
      gone.add(number);
      await tenant.must('DELETE', `/v1/numbers/${encodeURIComponent(number)}`);
    }
    await tenant.must('PATCH', `/v1/numbers/${encodeURIComponent(rows[0].number)}`, { label: `page ${page}` }).catch(() => {});
  });
  const names = seen.map((row) => row.number);
  assert.equal(new Set(names).size, names.length, 'a row came twice');
  for (const number of numbers.filter((n) => !gone.has(n))) assert.ok(names.includes(number), `${number} was missed`);

  const events = [];
  for (let i = 0; i < 20; i++) events.push(await tenant.thing('events'));
  const ids = (await walk('/v1/events', () => tenant.thing('events'))).map((row) => row.id);
  assert.equal(new Set(ids).size, ids.length, 'an event came twice');
  for (const id of events) assert.ok(ids.includes(id), `${id} was missed`);

  const calls = [];
  for (let i = 0; i < 8; i++) calls.push(await tenant.thing('calls', { lasting: true }));
  const seenCalls = (await walk('/v1/calls', () => tenant.thing('calls', { lasting: true }))).map((row) => row.id);
  assert.equal(new Set(seenCalls).size, seenCalls.length);
  for (const id of calls) assert.ok(seenCalls.includes(id), `${id} was missed`);
});

test('a cursor whose row was deleted still leads on', async () => {
  const made = [];
  for (let i = 0; i < 6; i++) made.push(await other.thing('endpoints'));
  const first = await other.must('GET', '/v1/endpoints?limit=3');
  await other.must('DELETE', `/v1/endpoints/${first.data.at(-1).id}`);
  const rest = await other.must('GET', `/v1/endpoints?cursor=${first.next_cursor}`);
  const ids = [...first.data, ...rest.data].map((row) => row.id);
  for (const id of made) assert.ok(ids.includes(id));
  assert.equal(new Set(ids).size, ids.length);
});

test('each error code of the sources has a section in docs/errors.md, and each section a code', () => {
  const codes = new Set();
  for (const name of readdirSync(`${root}src/api`, { recursive: true }).filter((name) => name.endsWith('.c'))) {
    const source = readFileSync(`${root}src/api/${name}`, 'utf8');
    // The argument behind the status of problem(…, 404, "not_found", …), which may choose between two; fault_code = "…".
    for (const pattern of [/\b[45]\d\d,\s*((?:[^",;{]|"[^"]*")+),/g, /\bfault_code = ([^;]*);/g])
      for (const [, argument] of source.matchAll(pattern))
        for (const [, code] of argument.matchAll(/"([a-z_]+)"/g)) codes.add(code);
  }
  const sections = [...readFileSync(`${root}docs/errors.md`, 'utf8').matchAll(/^## (\S+)$/gm)].map(([, code]) => code);
  assert.ok(codes.size > 15, [...codes].join(' '));
  assert.deepEqual([...codes].sort(), [...new Set(sections)].sort());
  assert.equal(sections.length, new Set(sections).size, 'a section stands twice');
});
