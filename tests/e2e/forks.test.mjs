// A caller hears each target and each telephone in a dialog of its own, and none before its time (docs/sip.md, "Within a call").
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Agent, answerTo } from './lib/agent.mjs';
import { Rig, carrier } from './lib/rig.mjs';
import { Caller, sdp } from './lib/ua.mjs';

let rig, n = 0;
before(async () => { rig = await Rig.start(); });
after(async () => { await rig?.stop(); });

/** A telephone that gets as far as a reliable 183 by itself; `tags` ring with it. */
async function telephone(...tags) {
  const agent = await Agent.open({ answer: () => undefined });
  const say = (text) => agent.socket.send(text, rig.daemon.sip, '127.0.0.1');
  const contact = agent.uri();
  agent.answer = (invite) => {
    for (const tag of tags) say(answerTo(invite, 183, { tag, contact, more: ['Require: 100rel', 'RSeq: 7'], body: sdp }));
  };
  agent.says = (status, tag) => say(answerTo(agent.of('INVITE')[0].text, status, { tag, contact, body: status === 200 ? sdp : '' }));
  return agent;
}

async function call(...agents) {
  const number = `+4479113${String(10000 + n++)}`;
  await rig.daemon.number(number, agents.map((a, i) => ({ type: 'sip', destination: a.uri(), ...(i && { when: 'always' }) })));
  const caller = await Caller.open(carrier, rig.daemon.sip);
  await caller.send('INVITE', number, { headers: ['Supported: 100rel'] });
  caller.number = number;
  let pracks = 0;
  caller.prack = (cseq, within) => caller.send('PRACK', number,
    { cseq, ...within, branch: `z9hG4bK${caller.id}prack${pracks++}`, headers: ['RAck: 7 1 INVITE'] });
  return caller;
}

async function end(caller, within, ...agents) {
  await caller.send('BYE', caller.number, { ...within, cseq: 9 });
  await caller.wait(200, 'BYE');
  await rig.daemon.quiet();
  for (const a of [caller, ...agents]) a.close();
}

test('the second target rings in a dialog of its own; its 200 is acknowledged before the caller does', async () => {
  const one = await telephone('one'), two = await telephone('two');
  const caller = await call(one, two);
  const first = await caller.wait(183, 'INVITE');
  await caller.prack(2, first);
  await one.wait('PRACK');
  one.says(480, 'one');
  const second = await caller.wait(183, 'INVITE', 2);
  assert.notEqual(second.to, first.to);
  await caller.prack(3, first);
  await caller.wait(481, 'PRACK');
  await caller.prack(2, second); // it counts its requests in each dialog apart
  await two.wait('PRACK');
  two.says(200, 'two');
  const within = await caller.wait(200, 'INVITE');
  assert.equal(within.to, second.to);
  await two.wait('ACK');
  await caller.send('ACK', caller.number, within);
  await end(caller, within, one, two);
});

test('of two telephones that ring at once each hears its own PRACK, and one makes the call', async () => {
  const group = await telephone('desk', 'door');
  const caller = await call(group);
  const desk = await caller.wait(183, 'INVITE'), door = await caller.wait(183, 'INVITE', 2);
  assert.notEqual(desk.to, door.to);
  await caller.prack(2, door);
  assert.match((await group.wait('PRACK')).text, /^To: [^\r]*;tag=door\r/m);
  await caller.prack(2, desk);
  assert.match((await group.wait('PRACK', 2)).text, /^To: [^\r]*;tag=desk\r/m);
  group.says(200, 'door');
  const within = await caller.wait(200, 'INVITE');
  assert.equal(within.to, door.to);
  group.says(200, 'desk'); // picked up in the same moment
  assert.match((await group.wait('BYE')).text, /^To: [^\r]*;tag=desk\r/m);
  await caller.send('ACK', caller.number, within);
  await end(caller, within, group);
});
