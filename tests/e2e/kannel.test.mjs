// Kannel as the carrier: its bearerbox binds to our listener as transceiver, and a text given to its smsbox over HTTP arrives as
// sms_received.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Daemon, freePort } from './lib/daemon.mjs';
import { hasKannel, Kannel } from './lib/kannel.mjs';
import { Receiver } from './lib/receiver.mjs';
import { linkState } from './lib/carrier.mjs';
import { until } from './lib/until.mjs';

const own = '+447911123456';
const skip = hasKannel() ? false : 'Kannel is not installed';
let daemon, receiver, kannel, link;
before(async () => {
  if (skip) return;
  const smpp = await freePort();
  receiver = await Receiver.start();
  daemon = await Daemon.start({ 'smpp.listen': `127.0.0.1:${smpp}` });
  receiver.expect('/sms', await daemon.number(own, [], receiver.endpoint('/sms', { events: ['sms_received'] })));
  link = await daemon.must('POST', '/v1/smpp-links', { name: 'kannel', mode: 'server', system_id: 'kannel',
    password: 'secret', sources: ['127.0.0.0/8'] });
  kannel = await Kannel.start({ smpp });
  await kannel.online();
});
after(async () => {
  await kannel?.stop();
  await daemon?.stop();
  await receiver?.stop();
});

let n = 0;
async function text(message, more = {}) {
  const from = `+1917556${String(1000 + ++n)}`;
  await kannel.send({ from, to: own, text: message, ...more });
  return arrived(from);
}

async function arrived(from, timeout = 15000) {
  let event;
  await until(() => (event = receiver.of('/sms').find((e) => e.body.from === from)),
    { what: `the webhook of ${from}`, timeout }).catch((error) => {
    throw new Error(`${error.message}\n${kannel.log.slice(-2000)}`);
  });
  return event.body;
}

test('it is bound, and shown as such', { skip }, async () => {
  const status = await linkState(daemon, link.id, 'bound');
  assert.equal(status.binds, 1);
});

test('plain text, with what GSM has and ASCII has not', { skip }, async () => {
  const event = await text('Hello, is this line active? £5 @ [home] {€}');
  assert.equal(event.message, 'Hello, is this line active? £5 @ [home] {€}');
  assert.equal(event.to, own);
  assert.equal(event.encoding, 'gsm7');
});

test('Unicode', { skip }, async () => {
  const event = await text('Привет, 世界', { coding: '2' });
  assert.equal(event.message, 'Привет, 世界');
  assert.equal(event.encoding, 'ucs2');
});

test('long texts in parts, in both alphabets', { skip }, async () => {
  const plain = 'The quick brown fox jumps over the lazy dog. '.repeat(9).trim();
  const event = await text(plain);
  assert.equal(event.message, plain);
  assert.equal(event.parts, 3);
  const unicode = 'Съешь же ещё этих мягких французских булок. '.repeat(5).trim();
  const long = await text(unicode, { coding: '2' });
  assert.equal(long.message, unicode);
  assert.equal(long.parts, 4);
});

test('an alphanumeric sender stays as it is', { skip }, async () => {
  await kannel.send({ from: 'MyBank', to: own, text: 'Your code is 1234' });
  assert.equal((await arrived('MyBank')).message, 'Your code is 1234');
});

test('a number that is not ours is refused, and Kannel does not try it for ever', { skip }, async () => {
  await kannel.send({ from: '+19175559999', to: '+447999999999', text: 'nobody' });
  await until(() => /SMPP.*submit_sm_resp[\s\S]*0x0000000b|0x0000000b/.test(kannel.log), { what: 'ESME_RINVDSTADR in its log' });
  assert.equal(receiver.of('/sms').filter((e) => e.body.from === '+19175559999').length, 0);
});

test('500 at once, each once', { skip }, async () => {
  const from = (i) => `+1916${1000000 + i}`;
  await Promise.all(Array.from({ length: 500 }, (_, i) => kannel.send({ from: from(i), to: own, text: `burst ${i}` })));
  const burst = () => receiver.of('/sms').filter((e) => e.body.message.startsWith('burst'));
  await until(() => burst().length >= 500, { what: '500 webhooks', timeout: 60000 });
  assert.equal(new Set(burst().map((e) => e.body.message)).size, 500);
  assert.equal(burst().length, 500);
});

test('it comes back after our restart, with what was given to it meanwhile', { skip }, async () => {
  await daemon.kill();
  await kannel.offline();
  await kannel.send({ from: '+19175558888', to: own, text: 'while you were away' });
  await daemon.run();
  await kannel.online();
  assert.equal((await arrived('+19175558888', 30000)).message, 'while you were away');
  await linkState(daemon, link.id, 'bound');
});

test('SIGTERM unbinds it', { skip }, async () => {
  assert.equal((await daemon.kill('SIGTERM')).code, 0);
  await kannel.offline();
  await daemon.run();
  await kannel.online();
});
