// kill -9 under ingest: no accepted event is lost or out of order, and the daemon is soon back.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Daemon } from './lib/daemon.mjs';
import { Receivers, Senders, furnish, settled } from './lib/load.mjs';

let daemon, receivers;
before(async () => {
  let n = 0; // each fiftieth request is refused, so that retries are under way as well
  receivers = await Receivers.start(3, { status: () => (++n % 50 ? 200 : 500) });
  daemon = await Daemon.start();
});
after(async () => {
  await daemon?.stop();
  await receivers?.stop();
});

// Half of the kills; restart.test.mjs has the other half.
const rounds = Math.ceil(Number(process.env.HOOKSWITCH_KILLS ?? 100) / 2);
test(`kill -9 at ${rounds} random moments under ingest`, { timeout: 3600000 }, async (t) => {
  const senders = new Senders(daemon, { numbers: await furnish(daemon, receivers) }).start();
  const back = [];
  for (let i = 0; i < rounds; i++) {
    await senders.moreAccepted(1 + Math.floor(Math.random() * 150));
    await daemon.kill();
    const started = Date.now();
    await daemon.run();
    await senders.moreAccepted();
    back.push(senders.acceptedAt - started);
  }
  await senders.stop();
  const sums = await settled(senders, receivers, { timeout: 60000 });
  back.sort((a, b) => a - b);
  t.diagnostic(`${rounds} kills: ${sums.events} events accepted in ${sums.calls} calls, ${sums.deliveries} deliveries, `
    + `0 lost, 0 out of order, ${sums.duplicates} repeated; accepting again after median ${back[rounds >> 1]} ms, most ${back.at(-1)} ms`);
  assert.ok(back.at(-1) <= 2000, `accepting again after ${back.at(-1)} ms at most`);
});
