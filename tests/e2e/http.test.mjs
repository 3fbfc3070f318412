// The server as HTTP: methods, types, sizes, rates.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { Daemon, key } from './lib/daemon.mjs';

let d;
before(async () => { d = await Daemon.start(); });
after(async () => { await d?.stop(); });
const ask = (method, where, init = {}) => fetch(d.url + where, { method, ...init,
  headers: { authorization: `Bearer ${key}`, ...init.headers } });

test('HEAD answers as GET, without a body', async () => {
  const get = await ask('GET', '/v1/numbers'), head = await ask('HEAD', '/v1/numbers');
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('content-length'), String((await get.text()).length));
  assert.equal(await head.text(), '');
  assert.equal((await ask('HEAD', '/v1/numbers/%2B441110000000')).status, 404);
});

test('OPTIONS and 405 say what the path takes', async () => {
  const options = await fetch(`${d.url}/v1/numbers`, { method: 'OPTIONS', headers: { origin: 'https://elsewhere.example' } });
  assert.equal(options.status, 204);
  assert.equal(options.headers.get('allow'), 'GET, HEAD, POST, OPTIONS');
  const wrong = await ask('DELETE', '/v1/numbers');
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get('allow'), 'GET, HEAD, POST, OPTIONS');
  assert.equal((await wrong.json()).code, 'method_not_allowed');
  assert.equal((await ask('OPTIONS', '/v1/nothing')).status, 404);
});

test('there is no CORS', async () => {
  for (const method of ['GET', 'OPTIONS']) {
    const answer = await ask(method, '/v1/numbers', { headers: { origin: 'https://elsewhere.example' } });
    for (const [name] of answer.headers) assert.ok(!name.startsWith('access-control-'), name);
  }
});

test('a body of another type is refused, one without a type is read', async () => {
  const body = '{"number":"+447911123400"}';
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'text/json', 'application/xml; charset=utf-8', 'json']) {
    const answer = await ask('POST', '/v1/numbers', { body, headers: { 'content-type': type } });
    assert.equal(answer.status, 415, type);
    assert.equal((await answer.json()).code, 'unsupported_media_type');
  }
  for (const [i, type] of ['application/json', 'Application/JSON; charset=utf-8', 'application/vnd.me+json', ''].entries()) {
    const answer = await ask('POST', '/v1/numbers', { body: Buffer.from(body.replace('400', `40${i + 1}`)),
      headers: type ? { 'content-type': type } : {} });
    assert.equal(answer.status, 201, type);
  }
});

test('a body over 256 KiB is 413', async () => {
  const answer = await ask('POST', '/v1/numbers', { body: ' '.repeat(256 * 1024 + 1), headers: { 'content-type': 'application/json' } });
  assert.equal(answer.status, 413);
});

/** Sends bytes as they are; gives the first answer's status and JSON. */
const raw = (text, all = false) => new Promise((resolve, reject) => {
  const s = connect(d.http, '127.0.0.1', () => s.write(text));
  let got = '';
  s.setTimeout(20000, () => s.destroy(new Error(`no answer to ${text.slice(0, 80)}`)));
  s.on('data', (b) => { got += b; }).on('error', reject).on('close', () => {
    if (all) resolve(got);
    const [head, body] = got.split('\r\n\r\n');
    resolve({ answers: got.match(/HTTP\/1\.1 \d/g)?.length ?? 0, status: Number(head.split(' ')[1]), head, json: /problem/.test(head) ? JSON.parse(body) : undefined });
  });
});

test('a head that is not sound is refused, and its connection closed', async () => {
  const behind = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'; // never to be taken for a request
  const post = `POST /v1/numbers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`;
  for (const [text, status, code] of [
    ['GET /healthz HTTP/1.1\r\n\r\n', 400, 'bad_request'],
    ['GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 400, 'bad_request'],
    [`${post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400, 'bad_request'],
    [`${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, 400, 'bad_request'],
    [`${post}Transfer-Encoding: gzip\r\n\r\nx`, 501, 'not_implemented'],
    [`${post}Content-Length: 300000\r\nExpect: 100-continue\r\n\r\n`, 413, 'too_large'],
    ...['+36', '-1', '3 6', '36, 36', '0x24', ''].map((n) => [`${post}Content-Length: ${n}\r\n\r\n${behind}`, 400, 'bad_request']),
    [`${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${behind}`, 400, 'bad_request'],
    [`${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n${behind}`, 400, 'bad_request'],
    [`${post}Authorization: Bearer other\r\n\r\n${behind}`, 400, 'bad_request'],
    [`GET /healthz HTTP/1.1\nHost: x\r\n\r\n${behind}`, 400, 'bad_request'],
    [`GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n${behind}`, 400, 'bad_request'],
    [`get /healthz HTTP/1.1\r\nHost: x\r\n\r\n${behind}`, 501, 'not_implemented'],
    [`GET /healthz\r\n\r\n`, 505, 'http_version'],
    [`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(40000)}\r\n\r\n`, 431, 'head_too_large'],
    [`GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 414, 'uri_too_long'],
    [`GET /${'a'.repeat(2000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 414, 'uri_too_long'],
  ]) {
    const answer = await raw(text);
    assert.deepEqual([answer.status, answer.json?.code], [status, code], text.slice(0, 200));
    assert.equal(answer.answers, 1, text.slice(0, 200));
    assert.match(answer.head, /^HTTP\/1\.1 \d+ .*\r\n(?:.*\r\n)*Content-Type: application\/problem\+json/);
  }
  for (const [text, status] of [['GET /healthz HTTP/1.0\r\n\r\n', 200], ['GET http://any.example/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 200],
    ['OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 204]])
    assert.equal((await raw(text)).status, status, text);
});

test('requests that come together are answered one after another, in their order', async () => {
  const got = await raw(`GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(200) +
    `POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 2\r\n\r\n{}` +
    'GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', true);
  const statuses = [...got.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
  assert.deepEqual(statuses, [...Array(200).fill(200), 422, 404]);
});

test('a client that has shut its side still gets its answer', async () => {
  const got = await new Promise((resolve, reject) => {
    let text = '';
    const s = connect({ port: d.http, allowHalfOpen: true }, () => s.end(`GET /v1/numbers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`));
    s.on('data', (b) => { text += b; }).on('error', reject).on('end', () => resolve(text));
  });
  assert.match(got, /^HTTP\/1\.1 200 /);
});

test('an answer larger than any socket holds comes whole to a client that reads it late', async () => {
  const whole = await (await fetch(`${d.url}/v1/openapi.json`)).text();
  const n = 60; // some six MiB
  const got = await new Promise((resolve, reject) => {
    let text = '';
    const s = connect(d.http, '127.0.0.1', () => {
      s.pause();
      s.write('GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(n - 1) + 'GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      setTimeout(() => s.resume(), 300);
    });
    s.on('data', (b) => { text += b; }).on('error', reject).on('close', () => resolve(text));
  });
  assert.equal(got.split(whole).length - 1, n);
});

test('a head that drips is refused after ten seconds, and so is none', { timeout: 60000 }, async () => {
  const drip = (first) => new Promise((resolve, reject) => {
    let got = '';
    const since = Date.now();
    const s = connect(d.http, '127.0.0.1', () => first && s.write(first));
    const timer = setInterval(() => first && s.write('a'), 1000);
    s.on('data', (b) => { got += b; }).on('error', reject).on('close', () => { clearInterval(timer); resolve({ got, ms: Date.now() - since }); });
  });
  const [dripped, silent] = await Promise.all([drip('GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: '), drip('')]);
  assert.match(dripped.got, /^HTTP\/1\.1 408 /);
  assert.match(dripped.got, /"request_timeout"/);
  assert.equal(silent.got, '');
  for (const { ms } of [dripped, silent]) assert.ok(ms >= 9000 && ms < 20000, `${ms} ms`);
});

test('a %2F is no slash between the parts of a path, and one in a part', async () => {
  for (const where of ['/v1%2Fnumbers', '/v1%2fnumbers', '/v1/numbers%2F%2B447911123456', '/%2Fv1/numbers'])
    assert.equal((await ask('GET', where)).status, 404, where);
  assert.equal((await ask('GET', '/v1/%6Eumbers')).status, 200);
  const id = 'one/two%2Fthree';
  assert.equal((await ask('POST', '/v1/events', { body: JSON.stringify({ event: 'incoming_call', did_number: '+447911123456', caller_id: 'unknown', id }),
    headers: { 'content-type': 'application/json' } })).status, 202);
  const found = await ask('GET', `/v1/events/${encodeURIComponent(id)}`);
  assert.equal(found.status, 200, await found.clone().text());
  assert.equal((await found.json()).id, id);
});

test('a path does not end at its %00', async () => {
  for (const where of ['/v1/numbers%00', '/v1/numbers%00/x', '/healthz%00', '/v1/numbers/%2B447911123456%00'])
    assert.equal((await ask('GET', where)).status, 404, where);
});

test('a key that asks too often is told when to come again, and others are not', async (t) => {
  const few = await Daemon.start({ 'http.rate_per_sec': 5 });
  t.after(() => few.stop());
  const other = await few.must('POST', '/v1/keys', { name: 'other', scopes: ['read'] });
  let answer;
  for (let i = 0; i < 100; i++) if ((answer = await few.api('GET', '/v1/numbers')).status !== 200) break;
  assert.equal(answer.status, 429);
  assert.equal(answer.json.code, 'too_many_requests');
  assert.equal(answer.headers.get('retry-after'), '1');
  assert.equal(answer.headers.get('ratelimit-limit'), '5');
  assert.equal(answer.headers.get('ratelimit-remaining'), '0');
  assert.match(answer.headers.get('ratelimit-reset'), /^[12]$/);
  const theirs = await few.api('GET', '/v1/numbers', undefined, { authorization: `Bearer ${other.key}` });
  assert.equal(theirs.status, 200);
  assert.equal((await fetch(`${few.url}/healthz`)).status, 200);
  assert.equal((await d.api('GET', '/v1/numbers')).headers.get('ratelimit-limit'), null);
});
