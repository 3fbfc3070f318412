// The DID API by a client in Python's requests (did_requests.py), and its effects: the forward setting, the events at the URL that
// it set, and the pool when it gave its numbers back.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Rig } from './lib/rig.mjs';

const python = '/usr/bin/python3'; // Debian's, which has python3-requests
const skip = spawnSync(python, ['-c', 'import requests']).status === 0 ? false : 'python3-requests is not installed';
const script = fileURLToPath(new URL('did_requests.py', import.meta.url));
const password = 'correct horse battery';
const numbers = ['+447911180001', '+447911180002', '+447911180003', '+447911180004'];

let rig, d;
before(async () => {
  rig = await Rig.start();
  d = rig.daemon;
});
after(async () => { await rig?.stop(); });

const run = (given) => new Promise((resolve, reject) => {
  const child = spawn(python, [script, d.url], { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '', err = '';
  child.stdout.on('data', (b) => { out += b; });
  child.stderr.on('data', (b) => { err += b; });
  child.on('error', reject).on('close', (code) => (code === 0 ? resolve(JSON.parse(out)) : reject(new Error(err))));
  child.stdin.end(JSON.stringify(given));
});

/** A token of `username`'s that has ended in some way. */
async function loggedIn(username, secret = password) {
  return (await d.must('POST', '/api/login', { username, password: secret })).account_token;
}

test('from login to release, in JSON and as a form, with and without a slash', { skip }, async () => {
  const { id: customer } = await d.must('POST', '/v1/accounts', { name: 'customer', balance: '12.50', currency: 'EUR' });
  await d.must('POST', '/v1/accounts', { name: 'rival' });
  for (const username of ['customer', 'leaver', 'changer'])
    await d.must('POST', '/v1/users', { username, password, role: 'developer', account: 'customer' });
  for (const number of numbers)
    await d.must('POST', '/v1/numbers', { number, account: 'pool', country: 'GB', type: 'mobile', monthly_cost: '1.50', setup_fee: '0.50' });
  await d.must('POST', '/v1/numbers', { number: '+33612345678', account: 'pool', country: 'FR' });
  const foreign_number = '+447911180099';
  await d.must('POST', '/v1/numbers', { number: foreign_number, account: 'rival' });
  const access_number = '+447911180098';
  await d.must('POST', '/v1/numbers', { number: access_number, account: 'rival' });
  const { key: rival } = await d.must('POST', '/v1/keys', { name: 'rival', account: 'rival' });
  const { dids } = await d.must('POST', '/api/did/list', { token: rival });
  const { did_id: foreign_did } = dids.find((x) => x.did_number === foreign_number);

  // Tokens that were good once: logged out, of a user who is gone, of one with another password; a key that expired, one deleted.
  const [out, gone, changed] = [await loggedIn('customer'), await loggedIn('leaver'), await loggedIn('changer')];
  await d.must('POST', '/api/logout', { token: out });
  const { data: users } = await d.must('GET', '/v1/users?account=customer');
  const user = (name) => users.find((u) => u.username === name).id;
  await d.api('DELETE', `/v1/users/${user('leaver')}`);
  await d.must('PATCH', `/v1/users/${user('changer')}`, { password: 'another password' });
  const expired = await d.must('POST', '/v1/keys', { name: 'e', account: 'customer', expires_at: '2024-01-01T00:00:00Z' });
  const deleted = await d.must('POST', '/v1/keys', { name: 'd', account: 'customer' });
  await d.api('DELETE', `/v1/keys/${deleted.id}`);

  const hooks = numbers.map((number) => `${rig.receiver.url}/did/${number.slice(1)}`);
  const { done } = await run({ username: 'customer', password, country: 'GB', numbers, hooks, access_number, foreign_did, foreign_number,
    dead_tokens: [out, gone, changed, expired.key, deleted.key] });
  assert.deepEqual(done.map((x) => x.number), numbers);

  for (const { number, token, secret } of done) {
    const own = (method, where, body) => d.api(method, where, body, { authorization: `Bearer ${token}` });
    assert.equal((await d.must('GET', `/v1/numbers/${encodeURIComponent(number)}`)).account, customer);
    const { json: forward } = await own('GET', `/v1/numbers/${encodeURIComponent(number)}/forward`);
    assert.deepEqual(forward, { targets: [{ type: 'sip', destination: 'sip:agent@example.com' }] }, 'the webhook left the voice target alone');
    const where = `/did/${number.slice(1)}`;
    rig.receiver.secrets.set(where, secret);
    const call = await own('POST', '/v1/simulate', { kind: 'call', number, from: '+19175550100', ring_sec: 1, duration_sec: 5 });
    assert.equal(call.status, 202, call.text);
    const events = await rig.receiver.wait(where, 3);
    assert.deepEqual(events.map((e) => [e.event, e.did_number, e.caller_id]), ['incoming_call', 'call_answered', 'call_ended']
      .map((event) => [event, number, '+19175550100']), 'signed with the secret that was shown');
  }

  assert.deepEqual(await run({ country: 'GB', release: done }), { released: 4 });
  const { id: pool } = await d.must('GET', '/v1/accounts/pool');
  for (const { number } of done) {
    const back = await d.must('GET', `/v1/numbers/${encodeURIComponent(number)}`);
    assert.deepEqual([back.account, back.forward], [pool, { targets: [] }]);
  }
  assert.deepEqual((await d.must('GET', '/v1/endpoints?account=customer')).data, [], 'and nothing of it is left');
});
