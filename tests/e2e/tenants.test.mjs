// No account sees another's things: a matrix of every operation in the OpenAPI file and every sort of key. A foreign thing
// answers byte for byte as a missing one, and is not changed.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { House, Tenant, collectionOf, fill, keyOf } from './lib/tenants.mjs';
import { operations, described, resolve } from './lib/openapi.mjs';
import { key as operator } from './lib/daemon.mjs';

let house, ours, theirs; // `theirs`: the account that should not be able to look into `ours`
before(async () => {
  house = await House.start();
  ours = await Tenant.make(house, 'mellifluous');
  theirs = await Tenant.make(house, 'cantankerous');
});
after(async () => { await house?.stop(); });

const secured = operations.filter((o) => !o.open);
const isStream = (o) => 'text/event-stream' in (o.responses[200]?.content ?? {});
const hasId = (o) => collectionOf(o) !== undefined;
/** Things that belong to the operator, whoever had them made: for other accounts' keys there is no difference to see. */
const operators = ['accounts', 'trunks', 'smpp-links'];

const unknown = { numbers: '+4479299999999', events: 'evt_unknown', default: 'unknown_0123456789' };
const unknownOf = (collection) => unknown[collection] ?? unknown.default;

/** All of an answer that a client can see, but the time. */
function seen(answer) {
  const headers = [...answer.headers].filter(([name]) => name !== 'date');
  return JSON.stringify({ status: answer.status, headers, text: answer.text });
}

/** What an account can see of itself, in one text. */
async function state(t) {
  const parts = [];
  for (const o of operations) {
    if (o.method !== 'GET' || o.open || isStream(o)) continue;
    const key = keyOf(o);
    const answer = await t.api(key, 'GET', hasId(o) ? fill(o, t.has[collectionOf(o)]) : o.path);
    assert.equal(answer.status, 200, `${o.name}: ${answer.text}`);
    parts.push(`${o.name} ${answer.headers.get('etag')} ${answer.text.replace(/"last_used_at":"[^"]*"/g, '')}`);
  }
  return parts.join('\n');
}

/** Nothing that was made for `ours` stands in what `theirs` got. */
function leaksNothing(what, answer) {
  const all = seen(answer);
  for (const mark of [ours.name, ours.account.id, ...Object.values(ours.has)])
    assert.ok(!all.includes(mark), `${what} shows ${mark}: ${all}`);
}

/** The bodies that an operation is tried with: a good one, and some that are not. */
const bodiesFor = (o, t) => (o.body ? [t.body(o), [], '{', { unknown_member: 1 }] : [undefined]);

test('a foreign id answers byte for byte as an unknown one, and nothing happens', async () => {
  const before = await state(ours);
  let n = 0;
  for (const o of secured.filter(hasId)) {
    const collection = collectionOf(o);
    for (const body of bodiesFor(o, theirs))
      for (const headers of [{}, { 'if-match': '*' }, { 'if-match': '"1"' }, { 'if-match': '"99"' }, { 'if-none-match': '"1"' },
        { 'idempotency-key': 'one' }]) {
        const ask = (id, more) => theirs.api('all', o.method, fill(o, id), body, { ...headers, ...more });
        const foreign = await ask(ours.has[collection]);
        // Another key for the second request: the same one with another path is a conflict, whatever is asked for.
        const none = await ask(unknownOf(collection), headers['idempotency-key'] ? { 'idempotency-key': `two${n}` } : {});
        const what = `${o.name} ${JSON.stringify(body)} ${JSON.stringify(headers)}`;
        assert.equal(seen(foreign), seen(none), what);
        assert.ok(foreign.status >= 400 && foreign.status < 500, `${what}: ${foreign.status}`);
        leaksNothing(what, foreign);
        n++;
      }
  }
  for (const o of secured.filter((o) => hasId(o) && o.method === 'GET' && !operators.includes(collectionOf(o)))) {
    const [head, none] = [await theirs.api('all', 'HEAD', fill(o, ours.has[collectionOf(o)])),
      await theirs.api('all', 'HEAD', fill(o, unknownOf(collectionOf(o))))];
    assert.equal(seen(head), seen(none), `HEAD ${o.path}`);
    assert.equal(head.status, 404);
  }
  assert.equal(await state(ours), before);
  assert.ok(n > 200, `${n} requests`);
});

test('without a good key nothing is told: no key, a wrong one, an expired one', async () => {
  const before = await state(ours);
  for (const o of secured) {
    const own = hasId(o) ? fill(o, ours.has[collectionOf(o)]) : o.path;
    const none = hasId(o) ? fill(o, unknownOf(collectionOf(o))) : o.path;
    const answers = [];
    for (const authorization of ['', 'Bearer', 'Bearer ', 'Bearer wrong', `Bearer ${ours.keys.expired}`, `Basic ${ours.keys.all}`,
      `Bearer ${ours.keys.all}x`, `Bearer ${ours.keys.all.toUpperCase()}`, `Bearer ${ours.keys.all.slice(0, -1)}`])
      for (const where of authorization === 'Bearer wrong' ? [own, none] : [own]) {
        const answer = await ours.api('all', o.method, where, ours.body(o), { authorization });
        assert.equal(answer.status, 401, `${o.name} with "${authorization}"`);
        described(o, answer);
        answers.push(seen(answer));
      }
    assert.equal(new Set(answers).size, 1, o.name);
  }
  assert.equal(await state(ours), before);
});

/** Calls an operation as it is meant to be, with something of its own that was made for this. */
async function good(o, t, key) {
  const own = o.id === 'accountsGet'; // one cannot be made for this
  const id = own ? t.account.id : hasId(o) ? await t.thing(collectionOf(o)) : undefined;
  const body = t.body(o);
  if (!isStream(o)) return t.api(key, o.method, id ? fill(o, id) : o.path, body);
  const stop = new AbortController();
  const { status, headers } = await fetch(house.daemon.url + o.path,
    { headers: { authorization: `Bearer ${t.keys[key] ?? key}` }, signal: stop.signal });
  stop.abort();
  return { status, headers, text: '' };
}

test('each scope alone does what x-scope says, and nothing else', async () => {
  for (const o of secured) {
    assert.ok(['read', 'write', 'ingest', 'operator'].includes(o.scope), `${o.name}: x-scope ${o.scope}`);
    for (const scope of ['read', 'write', 'ingest', 'all']) {
      const may = !o.reserved && (scope === o.scope || (scope === 'all' && o.scope !== 'operator'));
      if (may && scope === 'write' && collectionOf({ path: `${o.path}/{}` }) === 'users') continue; // a role reads: permissions.test.mjs
      if (may) {
        const answer = await good(o, ours, scope);
        assert.ok(answer.status < 300, `${o.name} with ${scope}: ${answer.status} ${answer.text}`);
        continue;
      }
      const own = hasId(o) ? fill(o, ours.has[collectionOf(o)]) : o.path;
      const none = hasId(o) ? fill(o, unknownOf(collectionOf(o))) : o.path;
      const [answer, unknown] = [await ours.api(scope, o.method, own, ours.body(o)), await ours.api(scope, o.method, none, ours.body(o))];
      assert.equal(answer.status, 403, `${o.name} with ${scope}: ${answer.text}`);
      assert.equal(seen(answer), seen(unknown), o.name);
      described(o, answer);
    }
  }
});

test('the operator reaches what belongs to an account', async () => {
  for (const o of secured.filter((o) => hasId(o))) {
    const answer = await good(o, ours, operator);
    assert.ok(answer.status < 300, `${o.name}: ${answer.status} ${answer.text}`);
  }
});

test('a key makes no key that may do more than itself', async () => {
  const make = (key, scopes) => ours.api(key, 'POST', '/v1/keys', { name: ours.label(), scopes });
  for (const scopes of [['*'], ['read'], ['ingest'], ['write', 'read'], ['operator'], undefined]) {
    const answer = await make('write', scopes);
    assert.equal(answer.status, 422, `${scopes}: ${answer.text}`);
    assert.equal(answer.json.field, 'scopes');
  }
  assert.equal((await make('write', ['write'])).status, 201);
  assert.equal((await make('all', ['*'])).status, 201);
  assert.equal((await make('all', ['operator'])).status, 422);
});

test('an endpoint that the operator gives to another account takes its URL with it', async () => {
  const { daemon } = house;
  const mine = (await ours.must('POST', '/v1/endpoints', { url: house.hook('moving') })).id;
  const event = await ours.thing('events');
  await daemon.must('PATCH', `/v1/endpoints/${mine}`, { account: theirs.account.id });
  const { deliveries } = await ours.must('GET', `/v1/events/${event}`);
  assert.ok(deliveries.some((d) => d.endpoint === null && d.url === null));
  assert.ok(!JSON.stringify(deliveries).includes(mine));
  await daemon.must('DELETE', `/v1/endpoints/${mine}`);
});

/** All rows of a list, page by page. */
async function pages(t, where) {
  const rows = [];
  for (let cursor = ''; ;) {
    const answer = await t.api('all', 'GET', `${where}${where.includes('?') ? '&' : '?'}limit=2${cursor && `&cursor=${cursor}`}`);
    assert.equal(answer.status, 200, answer.text);
    rows.push(...answer.json.data);
    if (t === theirs) leaksNothing(where, answer);
    if (!answer.json.next_cursor) return rows;
    cursor = answer.json.next_cursor;
  }
}

const lists = secured.filter((o) => o.scope !== 'operator' && o.parameters.some((p) => p.name === 'cursor'));

test('lists show rows of their own, with every filter, and with cursors of others', async () => {
  for (const o of lists) {
    const where = (t) => (hasId(o) ? fill(o, t.has[collectionOf(o)]) : o.path);
    const mine = await pages(theirs, where(theirs));
    for (const row of mine) {
      const text = JSON.stringify(row);
      assert.ok(!text.includes('"account"') || text.includes(theirs.account.id), text);
    }
    const { json: { next_cursor } } = await ours.api('all', 'GET', `${where(ours)}?limit=1`);
    if (next_cursor) leaksNothing(o.name, await theirs.api('all', 'GET', `${where(theirs)}?cursor=${next_cursor}`));
    for (const p of o.parameters.filter((p) => p.in === 'query' && !['limit', 'cursor', 'since', 'until', 'type', 'state'].includes(p.name))) {
      const filtered = async (value) => theirs.api('all', 'GET', `${where(theirs)}?${p.name}=${encodeURIComponent(value)}`);
      for (const mark of [...Object.values(ours.has), ours.name, ours.account.id]) {
        const [foreign, none] = [await filtered(mark), await filtered(mark.replace(/[0-9]{4}$|.{4}$/, '0000'))];
        assert.equal(foreign.status, none.status, `${o.name}?${p.name}=${mark}`);
        if (foreign.status === 200) assert.deepEqual(foreign.json, { data: [], next_cursor: null }, `${o.name}?${p.name}=${mark}`);
        else assert.equal(seen(foreign), seen(none), `${o.name}?${p.name}=${mark}`);
      }
    }
  }
  assert.ok(lists.length >= 5);
});

test('what a body says of others is refused as what does not exist', async () => {
  const before = await state(ours);
  const post = (method, where, body) => theirs.api('all', method, where, body);
  const twice = async (method, where, foreign, none, what) => {
    const [a, b] = [await post(method, where, foreign), await post(method, where, none)];
    assert.ok(a.status >= 400 && a.status < 500, `${what}: ${a.status} ${a.text}`);
    assert.equal(seen(a), seen(b), what);
    leaksNothing(what, a);
  };
  const number = encodeURIComponent(theirs.has.numbers);
  await twice('POST', `/v1/events/${theirs.has.events}/resend`, { endpoint: ours.has.endpoints }, { endpoint: 'ep_unknown' }, 'resend');
  await twice('POST', '/v1/simulate', { kind: 'call', number: ours.has.numbers, from: 'anonymous' },
    { kind: 'call', number: unknown.numbers, from: 'anonymous' }, 'a simulated call');
  await twice('POST', '/v1/simulate', { kind: 'sms', number: ours.has.numbers, from: 'ACME', message: 'x' },
    { kind: 'sms', number: unknown.numbers, from: 'ACME', message: 'x' }, 'a simulated message');
  for (const account of [ours.name, ours.account.id])
    for (const o of secured.filter((o) => o.scope === 'write' && o.body && 'account' in (schemaOf(o).properties ?? {}))) {
      const own = hasId(o) ? fill(o, theirs.has[collectionOf(o)]) : o.path;
      await twice(o.method, own, { ...theirs.body(o), account }, { ...theirs.body(o), account: 'nobody' }, `${o.name} for ${account}`);
    }
  await twice('PATCH', `/v1/endpoints/${theirs.has.endpoints}`, { numbers: [ours.has.numbers] }, { numbers: [unknown.numbers] }, 'numbers of an endpoint');
  await twice('POST', '/v1/endpoints', { url: house.hook('x'), numbers: [ours.has.numbers] },
    { url: house.hook('x'), numbers: [unknown.numbers] }, 'numbers of a new endpoint');
  const forward = (to) => ({ targets: [{ type: 'access_number', destination: to }] });
  const [a, b] = [await post('PUT', `/v1/numbers/${number}/forward`, forward(ours.has.numbers)),
    await post('PUT', `/v1/numbers/${number}/forward`, forward(unknown.numbers))];
  assert.equal(a.status, b.status, 'a forward to a number of others'); // a call that goes there fails: calls tests
  assert.equal(await state(ours), before);
});

const schemaOf = (o) => resolve(o.body.content['application/json']?.schema) ?? {};

test('a stream brings events of its own account alone', async () => {
  const stop = new AbortController();
  const stream = await fetch(`${house.daemon.url}/v1/events/stream?since=2000-01-01T00:00:00Z`, { signal: stop.signal,
    headers: { authorization: `Bearer ${theirs.keys.all}` } });
  await ours.thing('events');
  const last = await theirs.thing('events'); // when it is there, that of ours would have been
  let text = '';
  const bytes = stream.body.getReader();
  try {
    while (!text.includes(last)) text += Buffer.from((await bytes.read()).value);
  } finally { stop.abort(); }
  assert.ok(!text.includes(ours.name));
});

test('ids and keys that others gave are free here: events, calls, idempotency', async () => {
  const before = await state(ours);
  const seenBefore = house.posts.filter((p) => p.path.includes(ours.name)).length;
  const original = await ours.must('GET', `/v1/events/${ours.has.events}`);
  const event = { event: 'incoming_call', did_number: ours.has.numbers, caller_id: 'unknown', id: original.id, call_id: original.call_id };
  const taken = await theirs.must('POST', '/v1/events', event);
  assert.deepEqual(taken.data, [{ id: original.id, duplicate: false }]);
  let own;
  do own = await theirs.must('GET', `/v1/events/${original.id}`); while (own.state === 'pending');
  assert.equal(own.caller_id, 'unknown');
  assert.equal(own.deliveries.length, 1);
  assert.equal(own.deliveries[0].endpoint, theirs.has.endpoints);
  assert.equal(own.deliveries[0].sequence, 1, 'the count of a call is its account\'s');
  assert.deepEqual(await ours.must('GET', `/v1/events/${original.id}`), original);
  const once = (t, body) => t.api('all', 'POST', '/v1/endpoints', body, { 'idempotency-key': 'the-same' });
  const [mine, other] = [await once(ours, { url: house.hook('a') }), await once(theirs, { url: house.hook('a') })];
  assert.deepEqual([mine.status, other.status], [201, 201]);
  assert.notEqual(mine.json.id, other.json.id);
  assert.equal(other.json.account, theirs.account.id);
  await ours.must('DELETE', `/v1/endpoints/${mine.json.id}`);
  assert.equal(house.posts.filter((p) => p.path.includes(ours.name)).length, seenBefore);
  assert.equal((await state(ours)).replaceAll(/.*(audit|AUDIT).*/g, ''), before.replaceAll(/.*(audit|AUDIT).*/g, ''));
});

test('a number that another account has is refused as one that nobody has', async () => {
  const [taken, free] = [await theirs.api('all', 'POST', '/v1/numbers', { number: ours.has.numbers }),
    await theirs.api('all', 'POST', '/v1/numbers', { number: unknown.numbers })];
  assert.equal(taken.status, 403);
  assert.equal(seen(taken), seen(free));
});

test('a username that another account has is refused without a word about whose it is', async () => {
  const { username } = await ours.must('GET', `/v1/extensions/${ours.has.extensions}`);
  for (const [method, where] of [['POST', '/v1/extensions'], ['PATCH', `/v1/extensions/${theirs.has.extensions}`]]) {
    const answer = await theirs.api('all', method, where, { username: username.toUpperCase() });
    assert.equal(answer.status, 409); // one in the whole system, as a registrar needs it
    assert.doesNotMatch(answer.text, new RegExp(`${ours.name}|${ours.account.id}|ext_`));
  }
});

test('pages without a key tell nothing of accounts', async () => {
  for (const o of operations.filter((o) => o.open && o.method === 'GET'))
    leaksNothing(o.name, await theirs.api('', 'GET', o.path));
});
