// The n-th fsync, write, connect and malloc of the release binary fails, under load, with a supervisor that starts
// it again when it ends: no crash, and nothing that was accepted is lost.
import test, { before, after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { Daemon } from './lib/daemon.mjs';
import { Faults } from './lib/faults.mjs';
import { Receivers, Senders, furnish, settled } from './lib/load.mjs';
import { until } from './lib/until.mjs';

let faults, left; // left: the rig of a test that failed half-way
before(() => { faults = new Faults(); });
afterEach(async () => {
  faults.off();
  await left?.leave();
});
after(() => faults.close());

const random = (n) => Math.floor(Math.random() * n);

/** A daemon with the faults in it, under load; it is started again whenever it ends. */
class Rig {
  static async start(receivers = {}) {
    const rig = left = new Rig();
    rig.ends = []; // { code, signal, at }
    rig.receivers = await Receivers.start(2, receivers);
    rig.daemon = await Daemon.start({}, { env: faults.env });
    rig.senders = new Senders(rig.daemon, { workers: 4, numbers: await furnish(rig.daemon, rig.receivers) }).start();
    rig.supervised = rig.supervise();
    return rig;
  }

  async supervise() {
    for (;;) {
      const end = await this.daemon.exited;
      if (this.stopping) return;
      this.ends.push({ ...end, at: Date.now() });
      this.daemon.process = this.daemon.end = undefined;
      while (!this.stopping) {
        try {
          await this.daemon.run();
          break;
        } catch (error) { // it ended before it was ready: again
          this.ends.push({ ...this.daemon.end, at: Date.now(), starting: true });
          this.daemon.process = this.daemon.end = undefined;
        }
      }
    }
  }

  /** Accepts again after `fault`; then a last start, whose store holds what memory may have lost. */
  async finish({ restart = false } = {}) {
    faults.off();
    await this.senders.moreAccepted();
    this.stopping = true;
    await this.senders.stop();
    if (restart) await this.daemon.restart();
    const sums = await settled(this.senders, this.receivers);
    await this.leave();
    return sums;
  }

  async leave() {
    left = undefined;
    this.stopping = true;
    if (this.senders) await this.senders.stop();
    if (this.daemon) await this.daemon.stop();
    await this.receivers.stop();
  }

  crashes() {
    return this.ends.filter((e) => e.signal && e.signal !== 'SIGABRT');
  }
}

const told = (sums) => `${sums.events} events accepted, ${sums.deliveries} deliveries, 0 lost, 0 out of order`;

test('the first fsync error ends the process within a second; it restarts clean', { timeout: 120000 }, async (t) => {
  const rig = await Rig.start();
  const times = [];
  for (let n = 1; n <= 8; n++) {
    await rig.senders.moreAccepted(20);
    const ends = rig.ends.length;
    faults.arm('sync', n, 'EIO', 1000000); // and whatever is synced later, until the end
    await until(() => rig.ends.length > ends, { what: `the ${n}th sync's end`, every: 1 });
    const { hitAt } = faults.slot('sync');
    const end = rig.ends[ends];
    faults.off();
    assert.deepEqual([end.code, end.signal], [70, null]);
    times.push(end.at - hitAt);
    // The last answer that a sender saw may be older than the error, and travel; it is not newer than the end.
    assert.ok(rig.senders.acceptedAt <= end.at, 'no acknowledgement after it');
    await rig.senders.moreAccepted();
  }
  const sums = await rig.finish();
  t.diagnostic(`ended after ${Math.max(...times)} ms at most; ${told(sums)}`);
  assert.ok(Math.max(...times) < 1000);
});

test('a start whose n-th sync or write fails leaves the next start nothing to trip over', { timeout: 120000 }, async (t) => {
  let failed = 0;
  for (const [kind, error] of [['sync', 'EIO'], ['write', 'EIO'], ['write', 'ENOSPC']]) {
    for (let n = 1; ; n += kind === 'sync' ? 1 : Math.ceil(n / 2)) {
      const daemon = await Daemon.make({}, { env: faults.env });
      faults.arm(kind, n, error);
      await daemon.run().catch((error) => {
        failed++;
        assert.match(error.message, /the daemon ended/);
        assert.ok(daemon.end.code === 1 || daemon.end.code === 70, JSON.stringify(daemon.end));
      });
      const reached = faults.hits(kind) > 0;
      faults.off();
      if (daemon.end) {
        daemon.process = daemon.end = undefined;
        await daemon.run();
      }
      await daemon.stop();
      if (!reached) break;
    }
  }
  t.diagnostic(`${failed} starts failed, each following one was ready`);
  assert.ok(failed > 3);
});

test('the n-th write fails, or is done in half: it goes on', { timeout: 120000 }, async (t) => {
  const rig = await Rig.start();
  let hits = 0;
  for (let i = 0; i < 36; i++) {
    faults.arm('write', 1 + random(60), ['ENOSPC', 'EIO', ''][i % 3], [1, 1, 5, 40][i % 4]);
    await until(() => faults.hits('write') > 0, { what: 'the write', every: 1 });
    await rig.senders.moreAccepted(1 + random(20));
    hits += faults.hits('write');
    faults.off();
  }
  for (let i = 0; i < 6; i++) { // the log's reset
    faults.arm('truncate', 1, 'EIO');
    await rig.senders.moreAccepted(20);
  }
  const sums = await rig.finish();
  t.diagnostic(`${hits} writes failed; ${told(sums)}; ${rig.senders.count(507)} × 507, ${rig.senders.count(503)} × 503`);
  assert.deepEqual(rig.ends, []);
  assert.ok(rig.senders.count(507) > 0 && rig.senders.count(503) > 0);
});

test('the n-th connect or socket fails: the delivery is tried again', { timeout: 120000 }, async (t) => {
  const rig = await Rig.start({ close: true }); // a connection a request, so that there is much to fail
  let hits = 0;
  for (const [kind, errors] of [
    ['connect', ['ECONNREFUSED', 'ETIMEDOUT', 'ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'ENOBUFS', 'EACCES', 'EPERM', 'EAGAIN']],
    ['socket', ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']]]) {
    for (const error of errors) {
      faults.arm(kind, 1 + random(10), error);
      await until(() => faults.hits(kind) > 0, { what: `${error} of ${kind}`, every: 1 });
      hits += faults.hits(kind);
    }
  }
  const sums = await rig.finish();
  t.diagnostic(`${hits} calls failed; ${told(sums)}`);
  assert.deepEqual(rig.ends, []);
});

test('the n-th malloc fails: it goes on, or ends and starts again', { timeout: 120000 }, async (t) => {
  const rig = await Rig.start();
  let hits = 0;
  for (let i = 0; i < 80; i++) {
    const ends = rig.ends.length;
    faults.arm('malloc', 1 + random(3000), 'ENOMEM', [1, 1, 1, 3][i % 4]);
    await until(() => faults.hits('malloc') > 0 || rig.ends.length > ends, { what: 'the malloc', every: 1 });
    hits += faults.hits('malloc');
    faults.off();
    await rig.senders.moreAccepted();
  }
  const sums = await rig.finish({ restart: true });
  const how = rig.ends.map((e) => e.signal ?? e.code);
  t.diagnostic(`${hits} allocations failed; ${told(sums)}; ended ${how.length} times (${[...new Set(how)]})`);
  assert.deepEqual(rig.crashes(), [], rig.daemon.log.slice(-3000));
});
