// SIGTERM while requests are in hand: accepted events are there afterwards, and the end is an orderly one.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Daemon } from './lib/daemon.mjs';
import { Receivers, Senders, furnish, settled } from './lib/load.mjs';

test('SIGTERM in the middle of requests, six times', { timeout: 120000 }, async (t) => {
  const receivers = await Receivers.start(1);
  const daemon = await Daemon.start({ 'sip.listen': '' });
  const senders = new Senders(daemon, { numbers: await furnish(daemon, receivers), workers: 32 }).start();
  t.after(async () => {
    senders.stopping = true;
    await daemon.stop();
    await receivers.stop();
  });
  for (let i = 0; i < 6; i++) {
    await senders.moreAccepted(100 + 40 * i);
    assert.deepEqual(await daemon.kill('SIGTERM'), { code: 0, signal: null }, daemon.log);
    await daemon.run();
  }
  await senders.stop();
  const sums = await settled(senders, receivers, { timeout: 60000 });
  t.diagnostic(`${sums.events} events accepted, ${sums.deliveries} deliveries, ${sums.duplicates} more than once`);
});
