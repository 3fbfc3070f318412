// Backup while the daemon runs, restore while it does not: events accepted before the backup are there after it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Daemon, binary } from './lib/daemon.mjs';
import { Receiver } from './lib/receiver.mjs';
import { until } from './lib/until.mjs';

const run = (...args) => new Promise((resolve) => execFile(binary, args, { env: { PATH: process.env.PATH } },
  (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr })));
const number = '+447911123456';
const sms = (i) => ({ event: 'sms_received', id: `sms-${i}`, from: '+19175550100', to: number, message: `text ${i}` });
const ids = async (d) => (await d.must('GET', '/v1/events?limit=500')).data.map((e) => e.id).sort();

test('backup and restore', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hookswitch-backup-'));
  const file = path.join(folder, 'store.backup');
  const d = await Daemon.start();
  t.after(async () => { await d.stop(); rmSync(folder, { recursive: true, force: true }); });
  const set = ['--set', `data_dir=${d.dir}`];
  await d.number(number, []);
  for (let i = 0; i < 20; i++) await d.must('POST', '/v1/events', sms(i));

  await t.test('a backup is made while events come in, and nobody notices', async () => {
    let wanted = true, sent = 20;
    const load = (async () => { while (wanted) await d.must('POST', '/v1/events', sms(sent++)); })();
    const made = await run('backup', file, ...set);
    wanted = false;
    await load;
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /settings, \d+ events, 0 calls, 0 deliveries pending; \d+ bytes, schema \d+, every page checked/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['store.backup']);
  });

  await t.test('a file that is there is not overwritten', async () => {
    const before = readFileSync(file);
    const again = await run('backup', file, ...set);
    assert.equal(again.code, 6);
    assert.match(again.stderr, /is there already/);
    assert.deepEqual(readFileSync(file), before);
  });

  await t.test('a restore refuses while the daemon runs', async () => {
    const refused = await run('restore', file, ...set);
    assert.equal(refused.code, 6);
    assert.match(refused.stderr, /another hookswitch uses this store; stop the daemon first/);
  });

  await t.test('what is no backup is refused, and nothing is changed', async () => {
    await d.kill();
    const before = readdirSync(d.dir).sort();
    const bad = path.join(folder, 'bad');
    const whole = readFileSync(file);
    const cases = {
      'is empty': () => writeFileSync(bad, ''),
      'no backup': () => writeFileSync(bad, 'these are no pages '.repeat(1000)),
      'damaged, or no backup|damaged': () => { writeFileSync(bad, whole); truncateSync(bad, Math.floor(whole.length / 2)); },
      damaged: () => {
        const torn = Buffer.from(whole);
        for (let at = 8192; at + 4096 <= torn.length; at += 8192) torn.fill(0x5a, at, at + 4096);
        writeFileSync(bad, torn);
      },
    };
    for (const [why, make] of Object.entries(cases)) {
      make();
      const refused = await run('restore', bad, ...set);
      assert.equal(refused.code, 1, why);
      assert.match(refused.stderr, new RegExp(why));
    }
    assert.equal((await run('restore', path.join(folder, 'nothing'), ...set)).code, 3);
    assert.deepEqual(readdirSync(d.dir).sort(), before.concat(before.includes('hookswitch.db.lock') ? [] : ['hookswitch.db.lock']).sort());
  });

  await t.test('after a restore the store is as it was, and the one before is kept', async () => {
    await d.run();
    const then = await ids(d);
    await d.must('POST', '/v1/events', sms('late'));
    await d.kill();
    const done = await run('restore', file, ...set);
    assert.equal(done.code, 0, done.stderr);
    const kept = done.stdout.match(/what was there is now (\S+)/)[1];
    assert.ok(existsSync(kept));
    await d.run();
    const now = await ids(d);
    assert.ok(!now.includes('sms-late'));
    for (let i = 0; i < 20; i++) assert.ok(now.includes(`sms-${i}`), `sms-${i}`);
    assert.ok(now.every((id) => then.includes(id)));
    assert.equal((await d.must('POST', '/v1/events', sms('after'))).data[0].duplicate, false);

    await d.kill();
    assert.equal((await run('restore', kept, ...set)).code, 0);
    await d.run();
    assert.ok((await ids(d)).includes('sms-late'), 'the kept store can be put back too');
  });

  await t.test('what was pending is delivered after the restore, with its id', async () => {
    const receiver = await Receiver.start();
    t.after(() => receiver.stop());
    await d.kill();
    const fresh = await Daemon.start();
    t.after(() => fresh.stop());
    const at = ['--set', `data_dir=${fresh.dir}`], copy = path.join(folder, 'pending');
    let seen = [];
    receiver.answer = (event) => { seen.push(event.headers['webhook-id']); return 503; };
    receiver.expect('/hook', await fresh.number(number, [], receiver.endpoint('/hook')));
    await fresh.must('POST', '/v1/events', sms('pending'));
    await until(() => seen.length > 0, { what: 'the first attempt' });
    const made = await run('backup', copy, ...at);
    assert.match(made.stdout, / 1 deliveries pending/);
    await fresh.kill();
    rmSync(path.join(fresh.dir), { recursive: true });
    const done = await run('restore', copy, ...at);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /delivered again, with the same ids/);
    seen = [];
    receiver.answer = (event) => { seen.push(event.headers['webhook-id']); return 200; };
    await fresh.run();
    await receiver.wait('/hook', 1);
    assert.deepEqual(seen, ['sms-pending']);
  });

  await t.test('wrong words are told', async () => {
    assert.equal((await run('backup')).code, 2);
    assert.equal((await run('backup', 'a', 'b')).code, 2);
    assert.equal((await run('backup', path.join(folder, 'x'), '--set', 'data_dir=/nonexistent')).code, 3);
    const pg = await run('backup', path.join(folder, 'x'), '--set', 'store.url=postgresql://h/d');
    assert.equal(pg.code, 1);
    assert.match(pg.stderr, /pg_dump/);
  });
});
