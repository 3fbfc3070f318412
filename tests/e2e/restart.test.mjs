// kill -9 under calls: nothing accepted is lost, every call ends once, held calls live on.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Rig, carrier } from './lib/rig.mjs';
import { freePort } from './lib/daemon.mjs';
import { recv, pause, uac, uas, sipp } from './lib/sipp.mjs';
import { Agent } from './lib/agent.mjs';
import { Caller } from './lib/ua.mjs';
import { until } from './lib/until.mjs';

let rig;
before(async () => { rig = await Rig.start({ 'sip.t1_ms': 100, 'sip.probe_s': 5, 'serve.drain_s': 1 }); });
after(async () => { await rig?.stop(); });

/** The kill may have come between a POST and its row: then that event came twice, which is what was promised. */
const theEnd = (line, timeout = 10000) => until(() => rig.receiver.of(line.where).find((e) => e.body.event === 'call_ended')?.body,
  { what: 'call_ended', timeout });

test('a held call survives a kill: the BYE after the restart is relayed and counted', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), uas.ok(), recv('ACK'),
    recv('OPTIONS', { optional: true }), recv('BYE'), uas.reply(200, 'OK')].flatMap((s) => s));
  const caller = await rig.carry(line, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(),
    pause(4000), uac.bye(), recv(200)], { more: ['-aa'] });
  await rig.receiver.wait(line.where, 2);
  await rig.daemon.restart();
  assert.ok(rig.daemon.readyAfterMs < 2000, `ready after ${rig.daemon.readyAfterMs} ms`);
  await Promise.all([caller.done, callee.done]);
  const ended = await theEnd(line);
  assert.equal(ended.end_reason, 'completed');
  assert.equal(ended.ended_by, 'caller');
  assert.ok(ended.duration_sec >= 3 && ended.duration_sec <= 6, `duration ${ended.duration_sec}`);
  assert.equal(ended.sequence, 3);
});

test('SIGTERM waits no longer than serve.drain_s, and the call that is up goes on after the start', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), uas.ok(), recv('ACK'),
    recv('OPTIONS', { optional: true }), recv('BYE'), uas.reply(200, 'OK')].flatMap((s) => s));
  const caller = await rig.carry(line, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(),
    pause(4000), uac.bye(), recv(200)], { more: ['-aa'] });
  await rig.receiver.wait(line.where, 2);
  assert.deepEqual(await rig.daemon.kill('SIGTERM'), { code: 0, signal: null });
  assert.match(rig.daemon.log, /calls under way may go on for 1 s/);
  await rig.daemon.run();
  await Promise.all([caller.done, callee.done]); // a drain of 20 s would outlast the caller's patience
  assert.equal((await theEnd(line)).end_reason, 'completed');
});

test('a held call whose peers are gone ends as lost after the probe', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ok(), recv('ACK'), pause(60000)]);
  const caller = await rig.carry(line, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), pause(60000)]);
  await rig.receiver.wait(line.where, 2);
  caller.stop();
  callee.stop();
  await rig.daemon.restart();
  const ended = await theEnd(line, 30000);
  assert.equal(ended.event, 'call_ended');
  assert.equal(ended.end_reason, 'lost');
  assert.equal(ended.ended_by, 'system');
  assert.equal(ended.answered, true);
});

/** A call that rings when the daemon is killed. */
async function killedWhileItRings(work) {
  const agent = await Agent.open({ answer: () => 180 });
  const caller = await Caller.open(carrier, rig.daemon.sip);
  const line = await rig.line({ endpoint: { events: ['incoming_call', 'call_ringing', 'call_ended'] } });
  await rig.daemon.must('PUT', `/v1/numbers/${line.number}/forward`, { targets: [{ type: 'sip', destination: agent.uri() }] });
  try {
    await caller.send('INVITE', line.number);
    await caller.wait(180, 'INVITE');
    await rig.receiver.wait(line.where, 2);
    await rig.daemon.restart();
    await work(caller, line.number);
    const ack = caller.answers.at(-1);
    await caller.send('ACK', line.number, { branch: `z9hG4bK${caller.id}1INVITE`, to: /^To:[^\r]*(;tag=[^;\r]+)/m.exec(ack)[1] });
    const cancel = await agent.wait('CANCEL');
    assert.equal(/branch=([^;]+)/.exec(cancel.text)[1], /branch=([^;]+)/.exec(agent.of('INVITE')[0].text)[1]);
    return await theEnd(line);
  } finally {
    caller.close();
    agent.close();
  }
}

test('killed while it rings: the caller hears 503, the target a CANCEL, and the call ends as lost', async () => {
  const ended = await killedWhileItRings(async (caller) => {
    await caller.wait(503, 'INVITE');
    assert.match(caller.of(503, 'INVITE')[0], /^Retry-After: \d+\r$/m);
  });
  assert.equal(ended.end_reason, 'lost');
  assert.equal(ended.answered, false);
});

test('killed while it rings: the caller may cancel', async () => {
  const ended = await killedWhileItRings(async (caller, number) => {
    await caller.send('CANCEL', number, { branch: `z9hG4bK${caller.id}1INVITE` });
    await caller.wait(200, 'CANCEL');
    await caller.wait(487, 'INVITE');
  });
  assert.equal(ended.end_reason, 'canceled');
});

// The judge compares what the senders saw with what the receiver saw, never the daemon's own store.
// Half of the kills; kill.test.mjs has the other half, under ingest.
const rounds = Math.ceil(Number(process.env.HOOKSWITCH_KILLS ?? 100) / 2);
test(`kill -9 at ${rounds} random moments under calls`, { timeout: 3600000 }, async (t) => {
  const line = await rig.line({ endpoint: { retry: { schedule_s: [1], give_up_after_s: 3600 } } });
  const callee = rig.attend(line, [uas.invite(), uas.ok(), recv('ACK'), recv('BYE'), uas.reply(200, 'OK')],
    { calls: 1000000, timeout: 3600, more: ['-aa', '-default_behaviors', 'all'] });
  // The carrier: sixty calls a second that go on over the kills; what it saw fail it does not count.
  const load = sipp([uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), pause(40), uac.bye(), recv(200)],
    { ip: carrier, port: await freePort(carrier), service: line.number, remote: `127.0.0.1:${rig.daemon.sip}`,
      calls: 1000000, rate: 60, timeout: 3600, more: ['-aa', '-recv_timeout', '4000', '-l', '400'] });
  const ready = [];
  for (let i = 0; i < rounds; i++) {
    const seen = rig.receiver.of(line.where).length;
    await until(() => rig.receiver.of(line.where).length > seen, { what: 'events to flow', timeout: 30000, every: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    await rig.daemon.restart();
    ready.push(rig.daemon.readyAfterMs);
  }
  load.stop();
  const ended = () => {
    const open = new Set();
    for (const e of rig.receiver.of(line.where)) if (e.body.event === 'incoming_call') open.add(e.body.call_id);
    for (const e of rig.receiver.of(line.where)) if (e.body.event === 'call_ended') open.delete(e.body.call_id);
    return open.size === 0;
  };
  await until(ended, { what: 'every call to end', timeout: 120000, every: 200 });
  callee.stop();
  const calls = new Map();
  for (const { body } of rig.receiver.of(line.where)) {
    const list = calls.get(body.call_id) ?? new Map();
    calls.set(body.call_id, list);
    const again = list.get(body.id);
    if (again) assert.equal(again.event, body.event, 'a duplicate is the same event');
    else {
      assert.equal(body.sequence, list.size + 1, `in order within ${body.call_id}`);
      list.set(body.id, body);
    }
  }
  for (const [id, list] of calls) {
    const kinds = [...list.values()].map((e) => e.event);
    assert.equal(kinds.filter((k) => k === 'call_ended').length, 1, `${id}: ${kinds}`);
    assert.equal(kinds.at(-1), 'call_ended');
  }
  ready.sort((a, b) => a - b);
  t.diagnostic(`${calls.size} calls, ${rounds} kills, ready again after median ${ready[rounds >> 1]} ms, most ${ready.at(-1)} ms`);
  assert.ok(ready.at(-1) < 2000, `ready again after ${ready.at(-1)} ms at most`);
  assert.equal(rig.receiver.refused.length, 0);
});
