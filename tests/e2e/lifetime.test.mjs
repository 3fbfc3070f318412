// Everything that a call began ends with it: unanswered requests, more of them than are allowed, and the peers in its dialogs.
import test, { before, after, beforeEach, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { Agent } from './lib/agent.mjs';
import { Rig, carrier } from './lib/rig.mjs';
import { Caller } from './lib/ua.mjs';

const OPEN_MAX = 16; // requests of one leg that may be unanswered (docs/sip.md)
let rig, agent, caller, number, n = 0;

before(async () => { rig = await Rig.start(); });
after(async () => { await rig?.stop(); });
beforeEach(async () => {
  number = `+4479112${String(10000 + n++)}`;
  agent = await Agent.open({ silent: ['INFO'] });
  await rig.daemon.number(number, [{ type: 'sip', destination: agent.uri() }]);
  caller = await Caller.open(carrier, rig.daemon.sip);
  await caller.talk(number);
  await agent.wait('ACK');
});
afterEach(() => { caller.close(); agent.close(); });

const end = async (cseq) => {
  await caller.send('BYE', number, { ...caller.within, cseq });
  await caller.wait(200, 'BYE');
};

test('a request that is open when the call ends is answered at once, and nothing is left', async () => {
  await caller.send('INFO', number, { ...caller.within, cseq: 2 });
  await agent.wait('INFO');
  await end(3);
  await caller.wait(487, 'INFO');
  await rig.daemon.quiet();
});

test('one more open request than may be gets 503 and says when to come again', async () => {
  const name = 'hookswitch_sip_requests_over_limit_total';
  const before = (await rig.daemon.gauges([name]))[name];
  for (let i = 0; i < OPEN_MAX; i++) await caller.send('INFO', number, { ...caller.within, cseq: 2 + i });
  await agent.wait('INFO', OPEN_MAX);
  await caller.send('INFO', number, { ...caller.within, cseq: 2 + OPEN_MAX });
  await caller.wait(503, 'INFO');
  assert.match(caller.of(503, 'INFO')[0], /^Retry-After: \d+\r$/m);
  assert.equal((await rig.daemon.gauges([name]))[name], before + 1);
  await end(3 + OPEN_MAX);
  await caller.wait(487, 'INFO', OPEN_MAX);
});

test('a request that the other side never answers is answered, and the call goes on', async () => {
  await caller.send('INFO', number, { ...caller.within, cseq: 2 });
  await caller.wait(504, 'INFO');
  await end(3);
});

test('the tag that one side sees does not open the dialog of the other', async () => {
  const [, seen] = /^From: [^\r]*;tag=([^\r;]+)b0/m.exec(agent.of('INVITE')[0].text);
  const forged = { ...caller.within, to: `;tag=${seen}a0` };
  assert.notEqual(forged.to, caller.within.to);
  await caller.send('UPDATE', number, { ...forged, cseq: 2 });
  await caller.wait(481, 'UPDATE');
  assert.equal(agent.of('UPDATE').length, 0);
  await end(2);
});

test('an ACK with the branch of its INVITE acknowledges the 200 whatever its To tag says', async () => {
  const other = await Caller.open(carrier, rig.daemon.sip);
  const branch = 'z9hG4bKsame' + other.id;
  await other.send('INVITE', number, { branch });
  other.within = await other.wait(200, 'INVITE');
  await other.send('ACK', number, { uri: other.within.uri, branch, to: ';tag=another', headers: ['X-Of: other'] });
  assert.match((await agent.wait('ACK', 3)).text, /^X-Of: other/m); // behind the daemon's own two
  await other.bye(number);
  await end(2);
  other.close();
});
