// apply and export: settings as a file; twice applied it changes nothing; a second daemon becomes like the first.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Daemon, binary, key } from './lib/daemon.mjs';

const dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-apply-'));
const run = (d, args, { as = key, input } = {}) => new Promise((resolve) => {
  const child = execFile(binary, args, { env: { PATH: process.env.PATH, HOOKSWITCH_URL: d.url, HOOKSWITCH_KEY: as } },
    (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
  child.stdin.on('error', () => {}); // it may have ended without reading
  child.stdin.end(input ?? '');
});
const file = (content) => {
  const name = path.join(dir, 'settings.json');
  writeFileSync(name, typeof content === 'string' ? content : JSON.stringify(content));
  return name;
};

test('apply and export', async (t) => {
  const d = await Daemon.start();
  t.after(async () => { await d.stop(); rmSync(dir, { recursive: true, force: true }); });
  await d.must('POST', '/v1/accounts', { name: 'tenant' });
  const wanted = {
    trunks: [{ name: 'carrier', sources: ['192.0.2.0/24'], password: 'hidden', country: '44' }],
    smpp_links: [{ name: 'sms carrier', mode: 'server', system_id: 'them', password: 'hidden' }],
    numbers: [
      { number: '+447911123456', label: 'sales', forward: { targets: [{ type: 'sip', destination: 'sip:sales@example.com' }] } },
      { number: '+447911123457', account: 'tenant' },
    ],
    extensions: [{ username: 'front-desk', password: 'hidden hidden', label: 'Front desk' }, { username: 'tenant-1', account: 'tenant' }],
    endpoints: [
      { url: 'https://example.com/a', concurrency: 4 },
      { url: 'https://example.com/a', format: 'form' },
      { url: 'https://example.com/a', account: 'tenant', events: ['sms_received'] },
    ],
  };

  await t.test('a dry run says what would be, and does nothing', async () => {
    const dry = await run(d, ['apply', file(wanted), '--dry-run']);
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /^\+ trunk carrier$/m);
    assert.match(dry.stdout, /^\+ number \+447911123457 \(tenant\)$/m);
    assert.match(dry.stdout, /^dry run: 9 created, 0 changed, 0 deleted, 0 the same$/m);
    assert.deepEqual((await d.must('GET', '/v1/numbers')).data, []);
  });

  await t.test('applied once it is all there, applied again nothing changes', async () => {
    const once = await run(d, ['apply', file(wanted)]);
    assert.match(once.stdout, /^9 created, 0 changed, 0 deleted, 0 the same$/m, once.stderr);
    assert.equal((await d.must('GET', '/v1/endpoints')).data.length, 3);
    const twice = await run(d, ['apply', file(wanted)]);
    assert.equal(twice.stdout, '0 created, 0 changed, 0 deleted, 9 the same\n');
  });

  await t.test('what differs is shown and changed, and only that', async () => {
    const before = await d.must('GET', '/v1/numbers/%2B447911123456');
    wanted.endpoints[0].concurrency = 16;
    wanted.numbers[0].label = null;
    wanted.numbers[0].voice = false;
    const some = await run(d, ['apply', file(wanted)]);
    assert.match(some.stdout, /^~ endpoint https:\/\/example\.com\/a\n {4}concurrency: 4 -> 16$/m);
    assert.match(some.stdout, /^ {4}voice: true -> false$/m);
    assert.match(some.stdout, /^0 created, 2 changed, 0 deleted, 7 the same$/m);
    const after = await d.must('GET', '/v1/numbers/%2B447911123456');
    assert.equal(after.voice, false);
    assert.equal(after.label, '');
    assert.deepEqual(after.forward, before.forward);
  });

  await t.test('what is exported makes a second daemon alike', async (t2) => {
    const other = await Daemon.start();
    t2.after(() => other.stop());
    await other.must('POST', '/v1/accounts', { name: 'tenant' });
    const out = await run(d, ['export']);
    assert.equal(out.code, 0, out.stderr);
    const doc = JSON.parse(out.stdout);
    assert.deepEqual(Object.keys(doc), ['trunks', 'smpp_links', 'numbers', 'extensions', 'endpoints']);
    assert.ok(!out.stdout.includes('hidden'), 'no secret is in it');
    assert.ok(!/"id":|created_at|whsec_/.test(out.stdout));
    for (const link of doc.smpp_links) link.password = 'new';
    assert.deepEqual(doc.extensions, [{ username: 'front-desk', label: 'Front desk' }, { account: 'tenant', username: 'tenant-1', label: '' }]);
    const made = await run(other, ['apply', '-'], { input: JSON.stringify(doc) });
    assert.match(made.stdout, /^9 created/m, made.stderr);
    assert.equal((await run(other, ['export'])).stdout, out.stdout);
  });

  await t.test('--prune deletes what the file does not have, of the kinds it has', async () => {
    const few = { endpoints: wanted.endpoints.slice(0, 1) };
    const dry = await run(d, ['apply', file(few), '--prune', '--dry-run', '--json']);
    assert.deepEqual(dry.stdout.trim().split('\n').map((l) => JSON.parse(l).action), ['delete', 'delete']);
    const done = await run(d, ['apply', file(few), '--prune']);
    assert.match(done.stdout, /^0 created, 0 changed, 2 deleted, 1 the same$/m);
    assert.equal((await d.must('GET', '/v1/endpoints')).data.length, 1);
    assert.equal((await d.must('GET', '/v1/numbers')).data.length, 2);
  });

  await t.test('a file that cannot be is refused before anything is changed', async () => {
    const cases = [
      ['{', /unexpected|expected|premature/, 2],
      ['[]', /an object is needed/, 2],
      [{ number: [] }, /"number" is none of trunks, smpp_links, numbers, extensions, endpoints/, 2],
      [{ numbers: {} }, /numbers: an array is needed/, 2],
      [{ numbers: [{ number: '+441110000000' }, { label: 'x' }] }, /numbers\[1\]: an object with "number" is needed/, 2],
    ];
    for (const [content, why, code] of cases) {
      const refused = await run(d, ['apply', file(content)]);
      assert.equal(refused.code, code);
      assert.match(refused.stderr, why);
    }
    assert.equal((await d.must('GET', '/v1/numbers')).data.length, 2);
    assert.equal((await run(d, ['apply', path.join(dir, 'nothing')])).code, 3);
    const bad = await run(d, ['apply', file({ numbers: [{ number: 'x' }] })]);
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /422 number must be/);
  });

  await t.test('a key of one account exports and applies its own', async () => {
    const { key: tenant } = await d.must('POST', '/v1/keys', { name: 't', scopes: ['*'], account: 'tenant' });
    const out = await run(d, ['export'], { as: tenant });
    assert.equal(out.code, 0, out.stderr);
    const doc = JSON.parse(out.stdout);
    assert.deepEqual(Object.keys(doc), ['numbers', 'extensions', 'endpoints']);
    assert.deepEqual(doc.numbers.map((n) => n.number), ['+447911123457']);
    doc.numbers[0].label = 'mine';
    assert.match((await run(d, ['apply', file(doc)], { as: tenant })).stdout, /1 changed/);
    const more = await run(d, ['apply', file({ numbers: [{ number: '+447911123999' }] })], { as: tenant });
    assert.equal(more.code, 4);
    assert.match(more.stderr, /POST \/v1\/numbers: 403 An account gets numbers by assignment/);
    const dearer = await run(d, ['apply', file({ numbers: [{ ...doc.numbers[0], monthly_cost: '0.01' }] })], { as: tenant });
    assert.equal(dearer.code, 2);
    assert.match(dearer.stderr, /422 monthly_cost must be left as it is: the operator sets it/);
    const forbidden = await run(d, ['apply', file({ trunks: [] })], { as: tenant });
    assert.equal(forbidden.code, 4);
    assert.equal((await run(d, ['export'], { as: 'wrong' })).code, 4);
  });
});
