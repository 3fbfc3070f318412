// When the daemon has no descriptor left, deliveries wait for one: no attempt is counted, no endpoint is blamed.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { Daemon } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

let daemon;
before(async () => { daemon = await Daemon.start(); });
after(() => daemon.stop());

test('without descriptors deliveries wait, and none is held against the endpoint', async () => {
  const held = [];
  const seen = [];
  let open = false;
  const server = createServer((req, res) => {
    seen.push({ id: req.headers['webhook-id'], attempt: req.headers['webhook-attempt'] });
    if (open) res.writeHead(200).end();
    else held.push(res);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const made = await daemon.must('POST', '/v1/endpoints',
    { url: `http://127.0.0.1:${server.address().port}/`, concurrency: 200 });
  const pid = daemon.process.pid;
  const room = 20;
  const limit = readdirSync(`/proc/${pid}/fd`).length + room;
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:`]);
  await daemon.must('POST', '/v1/events', Array.from({ length: 100 }, (_, i) => ({
    event: 'sms_received', from: `+1917555${String(1000 + i)}`, to: '+447911123456', message: `text ${i}` })));
  await until(() => daemon.log.includes('deliveries wait:'), { what: 'the descriptors to run out' });
  await until(() => seen.length > 0, { what: 'those that had a descriptor' });
  const closed = 2; // connections of this test to the API, which were open when the room was measured
  assert.ok(seen.length <= room + closed, `${seen.length} came through ${room} descriptors`);
  open = true;
  for (const res of held) res.writeHead(200).end();
  await until(() => new Set(seen.map((s) => s.id)).size === 100, { what: 'all texts', timeout: 30000 });
  assert.equal(seen.length, 100, 'each came once');
  assert.ok(seen.every((s) => s.attempt === '1'), 'no attempt was counted that never left');
  execFileSync('prlimit', ['--pid', String(pid), '--nofile=1000:']);
  const { health } = await daemon.must('GET', `/v1/endpoints/${made.id}`);
  assert.equal(health.state, 'healthy');
  server.closeAllConnections();
});
