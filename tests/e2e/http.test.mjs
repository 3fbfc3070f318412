// The server as HTTP: methods, types, sizes, rates.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
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
