// Is the peer of a call still there? OPTIONS, and a re-INVITE where OPTIONS tells too little (docs/sip.md, "When a peer is gone").
import test from 'node:test';
import assert from 'node:assert/strict';
import { Agent, answerTo } from './lib/agent.mjs';
import { Rig, carrier } from './lib/rig.mjs';
import { Caller, sdp } from './lib/ua.mjs';
import { until } from './lib/until.mjs';

const number = '+447911220001';
const withinDialog = (text) => /^To: [^\r]*;tag=/m.test(text);

/** A call on a daemon that probes soon, with that agent. */
async function probed(agent, work) {
  const rig = await Rig.start({ 'sip.t1_ms': 50, 'sip.probe_s': 1 });
  const caller = await Caller.open(carrier, rig.daemon.sip);
  try {
    rig.receiver.expect('/probed',
      await rig.daemon.number(number, [{ type: 'sip', destination: agent.uri() }], rig.receiver.endpoint('/probed')));
    await caller.talk(number);
    await agent.wait('ACK');
    await work(rig, caller);
  } finally {
    caller.close();
    agent.close();
    await rig.stop();
  }
}

test('a callee that never answers OPTIONS is asked by re-INVITE with the session as it is, and the call goes on', async () => {
  const mute = await Agent.open({ silent: ['OPTIONS'] });
  await probed(mute, async (rig, caller) => {
    await mute.wait('INVITE', 3);
    assert.deepEqual(mute.of('INVITE').map((r) => r.text.split('\r\n\r\n')[1]), [sdp, sdp, sdp]);
    assert.equal(mute.of('BYE').length, 0);
    await caller.bye(number);
    await caller.wait(200, 'BYE');
  });
});

for (const restarted of [false, true])
  test(`a callee that answers OPTIONS in a dialog that it lost is found${restarted ? ' after a restart' : ''}`, async () => {
    const forgetful = await Agent.open({ answer: (text) => (withinDialog(text)
      ? answerTo(text.replace(/^(To: [^\r]*);tag=[^\r]*/m, '$1'), 200, { tag: 'new', contact: forgetful.uri(), body: sdp }) : 200) });
    await probed(forgetful, async (rig) => {
      if (restarted) await rig.daemon.restart();
      const ended = await until(() => rig.receiver.of('/probed').find((e) => e.body.event === 'call_ended'), { what: 'call_ended', timeout: 20000 });
      assert.equal(ended.body.end_reason, 'lost');
      await until(() => forgetful.of('BYE').some((r) => /^To: [^\r]*;tag=new/m.test(r.text)), { what: 'a BYE of the new call' });
    });
  });
