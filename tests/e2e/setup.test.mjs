// The first start without a key: a setup URL is printed, makes one operator key, and is gone.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Daemon } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

const fresh = (more) => Daemon.start({ 'bootstrap.admin_key': '', ...more });
/** What stands before the line that says it is ready; without the log of that level, what comes is waited for. */
const printed = (d, { quiet = false } = {}) => until(() => {
  const found = /^ {2}(http:\S+\/setup\?token=([0-9a-f]{40}))$/m.exec(d.log);
  return found ?? (!quiet && / is ready: /.test(d.log) ? { none: true } : undefined);
}, { what: `a setup URL in ${d.log}` }).then((found) => (found.none ? null : found));
const post = (d, body, type = 'application/json') => fetch(`${d.url}/setup`, { method: 'POST', body, headers: { 'content-type': type } });
const may = async (d, key) => (await d.api('GET', '/v1/accounts', undefined, { authorization: `Bearer ${key}` })).status;

test('the URL that is printed shows a page, whose form makes the first operator key, once', async (t) => {
  const d = await fresh({ 'log.level': 'error' });
  t.after(() => d.stop());
  const [, url, token] = await printed(d, { quiet: true });
  for (let i = 0; i < 3; i++) { // looking at it uses up nothing
    const page = await fetch(url);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type'), /^text\/html/);
    assert.match(await page.text(), new RegExp(`<form method="post" action="/setup"><input type="hidden" name="token" value="${token}">`));
  }
  const made = await post(d, `token=${token}`, 'application/x-www-form-urlencoded');
  assert.equal(made.status, 201);
  const [key] = /hsk_[0-9a-f]{40}/.exec(await made.text());
  assert.equal(await may(d, key), 200);
  assert.equal((await post(d, `token=${token}`, 'application/x-www-form-urlencoded')).status, 404);
  assert.equal((await post(d, JSON.stringify({ token }))).status, 404);
  const { json: log } = await d.api('GET', '/v1/audit?kind=key', undefined, { authorization: `Bearer ${key}` });
  assert.deepEqual(log.data.map((row) => [row.action, row.who]), [['created', 'setup']]);
  d.log = '';
  d.sets = { 'bootstrap.admin_key': '' }; // it says when it is ready
  await d.restart();
  assert.equal(await printed(d), null);
  assert.equal((await fetch(url)).status, 404);
  assert.equal(await may(d, key), 200);
});

test('of many who come at once one gets the key, and nobody with another token', async (t) => {
  const d = await fresh();
  t.after(() => d.stop());
  const [, , token] = await printed(d);
  for (const wrong of ['{}', '[]', 'token', '', '{"token":null}', '{"token":""}', JSON.stringify({ token: `${token}0` }), JSON.stringify({ token: '0'.repeat(40) })])
    assert.equal((await post(d, wrong)).status, 404, wrong);
  for (const where of ['/setup', '/setup?token=', `/setup?token=${token.slice(1)}`, '/setup?token=%3Cscript%3E']) {
    const page = await fetch(d.url + where);
    assert.equal(page.status, 404, where);
    assert.doesNotMatch(await page.text(), /script|form/);
  }
  const all = await Promise.all(Array.from({ length: 8 }, () => post(d, JSON.stringify({ token }))));
  assert.deepEqual(all.map((a) => a.status).sort(), [201, 404, 404, 404, 404, 404, 404, 404]);
  const made = await all.find((a) => a.status === 201).json();
  assert.deepEqual(made.scopes, ['read', 'write', 'ingest', 'operator']);
  assert.equal(await may(d, made.key), 200);
});

test('a key that is no operator\'s does not end the setup, one of the configuration does', async (t) => {
  const d = await fresh();
  t.after(() => d.stop());
  d.sets = { 'bootstrap.admin_key': 'hsk_of_the_configuration' };
  const [, url] = await printed(d);
  d.log = '';
  await d.restart();
  assert.equal(await printed(d), null);
  assert.equal((await fetch(url)).status, 404);
  const as = { authorization: 'Bearer hsk_of_the_configuration' };
  await d.api('POST', '/v1/keys', { name: 'reads', scopes: ['read'] }, as);
  const { json: { data } } = await d.api('GET', '/v1/keys', undefined, as);
  await d.api('DELETE', `/v1/keys/${data.find((k) => k.name === 'bootstrap').id}`, undefined, as);
  d.sets = { 'bootstrap.admin_key': '' };
  d.log = '';
  await d.restart();
  assert.equal((await fetch((await printed(d))[1])).status, 200);
});
