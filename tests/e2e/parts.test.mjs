// Messages in parts through the whole daemon: kept across kill -9, joined, and out as partial when the rest never comes.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { SmppRig } from './lib/esme.mjs';
import { until } from './lib/until.mjs';

const from = '19175550100';
let rig;
before(async () => { rig = await SmppRig.start({ 'sms.join_timeout_s': 3 }); });
after(async () => rig?.stop());

const part = (reference, parts, number, text, fields = {}) => ({
  esm_class: 0x40, short_message: Buffer.concat([Buffer.from([5, 0, 3, reference, parts, number]), Buffer.from(text)]), ...fields,
});
/** All at once, over one session. */
async function send(line, ...parts) {
  const esme = await rig.bound();
  const answers = await Promise.all(parts.map((fields) =>
    esme.deliver({ source_addr: from, destination_addr: line.digits, ...fields })));
  for (const answer of answers) assert.equal(answer?.command_status, 0);
  await esme.destroy();
}
const ids = (line) => new Set(rig.receiver.of(line.where).map((e) => e.body.id));

test('what never gets whole goes out as partial, once, also when the daemon was killed while it waited', async () => {
  const line = await rig.line();
  await send(line, part(1, 4, 3, 'three '), part(1, 4, 1, 'one ', { data_coding: 4 }));
  rig.daemon.process.kill('SIGKILL');
  await rig.daemon.restart();
  const [event] = await rig.receiver.wait(line.where, 1);
  assert.equal(event.message, 'one three ');
  assert.equal(event.partial, true);
  assert.equal(event.parts, 4);
  assert.equal(event.parts_missing, '2,4');
  assert.equal(event.encoding, 'mixed');
  assert.equal(event.data_coding, 4);
  assert.equal(event.raw, `${Buffer.from('one ').toString('hex')},${Buffer.from('three ').toString('hex')}`);
  assert.equal((await rig.events(line.number)).length, 1);
  await until(async () => (await rig.metric('hookswitch_sms_partial_total')) === 1, { what: 'the metric' });
});

test('parts that a kill -9 lies between are one message', async () => {
  const long = await SmppRig.start();
  const before = rig;
  rig = long;
  try {
    const line = await rig.line();
    await send(line, part(2, 3, 2, 'two '));
    rig.daemon.process.kill('SIGKILL');
    await rig.daemon.restart();
    await send(line, part(2, 3, 2, 'two ')); // the carrier's repeat
    await send(line, part(2, 3, 3, 'three'));
    rig.daemon.process.kill('SIGKILL');
    await rig.daemon.restart();
    await send(line, part(2, 3, 1, 'one '));
    const [event] = await rig.receiver.wait(line.where, 1);
    assert.equal(event.message, 'one two three');
    assert.equal(event.partial, false);
    assert.equal(event.parts_missing, undefined);
    await send(line, ...['one ', 'two ', 'three'].map((text, i) => part(2, 3, i + 1, text)));
    assert.equal((await rig.events(line.number)).length, 1);
    assert.equal(ids(line).size, 1);
  } finally {
    rig = before;
    await long.stop();
  }
});
