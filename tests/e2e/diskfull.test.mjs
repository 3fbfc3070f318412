// A disk fills up under load, gets free space again, and fills up again. The daemon refuses events that it cannot store, keeps
// accepted ones, and goes on by itself. The disk is a small tmpfs, which only root may mount.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Daemon } from './lib/daemon.mjs';
import { Receivers, Senders, furnish, settled } from './lib/load.mjs';
import { Caller } from './lib/ua.mjs';
import { until } from './lib/until.mjs';

const SIZE_MB = 48;
const ROUNDS = 3;

class Disk {
  constructor() {
    this.dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-disk-'));
    this.ballast = path.join(this.dir, 'ballast');
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'tmpfs', this.dir], { stdio: 'pipe' });
      this.mounted = true;
    } catch (error) {
      this.why = `a tmpfs cannot be mounted here: ${String(error.stderr).trim() || error.message}`;
    }
  }

  free() {
    const s = statfsSync(this.dir);
    return s.bavail * s.bsize;
  }

  /** Somebody else's data, until `left` bytes are left. */
  fill(left) {
    const fd = openSync(this.ballast, 'a');
    const some = Buffer.alloc(65536, 'x');
    try {
      for (let n; (n = this.free() - left) > 0;) writeSync(fd, some, 0, Math.min(n, some.length));
    } catch (error) {
      assert.equal(error.code, 'ENOSPC'); // the daemon took the last of it
    } finally {
      closeSync(fd);
    }
  }

  makeRoom() {
    rmSync(this.ballast);
  }

  close() {
    if (this.mounted) execFileSync('umount', ['-l', this.dir]);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

let disk, daemon, receivers;
before(() => { disk = new Disk(); });
after(async () => {
  await daemon?.stop();
  await receivers?.stop();
  disk.close();
});

async function invite(number) {
  const caller = await Caller.open('127.0.0.2', daemon.sip);
  caller.send('INVITE', number);
  await until(() => caller.answers.some((a) => !a.startsWith('SIP/2.0 100 ')), { what: 'an answer to the INVITE' });
  caller.close();
  return caller.answers.find((a) => !a.startsWith('SIP/2.0 100 '));
}

const ready = async () => (await fetch(`${daemon.url}/readyz`)).status;

test('a full disk refuses, keeps, and goes on by itself', { timeout: 60000 }, async (t) => {
  if (!disk.mounted) { t.skip(disk.why); return; }
  receivers = await Receivers.start(2);
  daemon = await Daemon.start({ data_dir: disk.dir });
  await daemon.must('POST', '/v1/trunks', { name: 'carrier', sources: ['127.0.0.2/32'] });
  const numbers = await furnish(daemon, receivers);
  const senders = new Senders(daemon, { workers: 4, numbers, padding: 1000 }).start();
  await senders.moreAccepted(100);
  const back = [];
  const pid = daemon.process.pid;
  for (let i = 0; i < ROUNDS; i++) {
    const refused = senders.count(503, 507);
    disk.fill([1 << 20, 100000, 0][i]);
    // Small ones may still go in between the large ones; then nothing does.
    await until(() => senders.count(503, 507) > refused, { what: '503 or 507 to a sender', timeout: 20000 });
    disk.fill(0);
    await until(async () => await ready() === 503, { what: '/readyz to say 503' });
    const answer = await until(async () => {
      const a = await invite(numbers[0]);
      return a.startsWith('SIP/2.0 503 ') && a;
    }, { what: '503 to an INVITE' });
    assert.match(answer, /^Retry-After: \d+/mi);
    assert.equal((await daemon.api('GET', '/v1/events?limit=10')).status, 200, 'what is there can be read');
    const setting = await daemon.api('POST', '/v1/numbers', { number: `+4479113${10000 + i}`, label: 'x' });
    assert.ok([503, 507].includes(setting.status), `a setting: ${setting.status}`);
    disk.makeRoom();
    const from = Date.now();
    await senders.moreAccepted(1, 10000);
    back.push(senders.acceptedAt - from);
    await until(async () => await ready() === 200, { what: '/readyz to say 200' });
    await senders.moreAccepted(200);
  }
  assert.equal(daemon.process.pid, pid);
  assert.equal(daemon.end, undefined, 'it did not restart');
  await senders.stop();
  const sums = await settled(senders, receivers);
  t.diagnostic(`${sums.events} events accepted, ${sums.deliveries} deliveries, 0 lost, 0 out of order; `
    + `${senders.count(507)} × 507, ${senders.count(503)} × 503; accepting again after ${back.join(', ')} ms`);
  assert.ok(Math.max(...back) <= 5000);
});

test('killed on a full disk: what was accepted is there when there is room again', { timeout: 60000 }, async (t) => {
  if (!disk.mounted) { t.skip(disk.why); return; }
  const senders = new Senders(daemon, { workers: 4, numbers: (await daemon.must('GET', '/v1/numbers')).data.map((n) => n.number), padding: 1000 }).start();
  await senders.moreAccepted(100);
  disk.fill(200000);
  await until(() => senders.count(503, 507) > 0, { what: '503 or 507 to a sender', timeout: 20000 });
  disk.fill(0);
  await daemon.kill();
  assert.ok(existsSync(disk.ballast));
  disk.makeRoom();
  await daemon.run();
  await senders.moreAccepted(50);
  await senders.stop();
  const sums = await settled(senders, receivers);
  t.diagnostic(`${sums.events} events accepted, 0 lost`);
});
