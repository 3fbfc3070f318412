// Links that we open: we bind to a carrier (npm smpp), follow the settings, and connect again whatever the carrier does.
import nodeTest, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import smpp from 'smpp';
import { Carrier, linkTo, linkState } from './lib/carrier.mjs';
import { Authority } from './lib/certificates.mjs';
import { Daemon, freePort } from './lib/daemon.mjs';
import { Receiver } from './lib/receiver.mjs';
import { until } from './lib/until.mjs';

// What waits for a session to end has no clock of its own.
const test = (name, run) => nodeTest(name, { timeout: 60000 }, run);

const own = '447911123456';
let daemon, receiver, authority, other;
const carriers = [];
before(async () => {
  authority = new Authority('ours');
  other = new Authority('other');
  receiver = await Receiver.start();
  daemon = await Daemon.start({ 'smpp.reconnect_ms': 50, 'smpp.response_ms': 500, 'smpp.ca_file': authority.path });
  receiver.expect('/sms', await daemon.number(`+${own}`, [], receiver.endpoint('/sms', { events: ['sms_received'] })));
});
after(async () => {
  await daemon?.stop();
  await receiver?.stop();
  for (const c of carriers) await c.stop();
  authority.remove();
  other.remove();
});

async function carrier(options) {
  const c = await Carrier.start(options);
  carriers.push(c);
  return c;
}

let n = 0;
async function link(c, more = {}) {
  return daemon.must('POST', '/v1/smpp-links', linkTo(c, { name: `link ${++n}`, ...more }));
}

const remove = (l) => daemon.must('DELETE', `/v1/smpp-links/${l.id}`);
const patch = (l, body) => daemon.must('PATCH', `/v1/smpp-links/${l.id}`, body);

/** Sends one and waits for its webhook, found by its sender. */
async function text(c, fields, session) {
  const from = `1917555${String(1000 + ++n)}`;
  const answer = await c.deliver({ source_addr: from, destination_addr: own, ...fields }, session);
  assert.equal(answer.command, 'deliver_sm_resp');
  assert.equal(answer.command_status, smpp.ESME_ROK);
  let event;
  await until(() => (event = receiver.of('/sms').find((e) => e.body.from === `+${from}`)), { what: `the webhook of ${from}` });
  return event.body;
}

test('it binds as the settings say, and says so', async () => {
  const c = await carrier();
  const l = await link(c, { system_type: 'VMA', enquire_link_s: 1 });
  const status = await linkState(daemon, l.id, 'bound');
  assert.equal(status.binds, 1);
  assert.equal(status.detail, null);
  const [bind] = c.seen('bind_transceiver');
  assert.deepEqual([bind.system_id, bind.password, bind.system_type, bind.interface_version], ['hook', 'secret', 'VMA', 0x34]);
  await until(() => c.seen('enquire_link').length >= 2, { what: 'enquire_link from us' });
  const answer = await new Promise((resolve) => c.bound[0].enquire_link(resolve));
  assert.equal(answer.command, 'enquire_link_resp');
  assert.equal(c.connections, 1);
  await remove(l);
});

test('every encoding becomes its text', async (t) => {
  const c = await carrier();
  const l = await link(c, { data_coding_1: 'ascii' });
  await c.binds();
  const latin1 = Buffer.from('Grüße, señor', 'latin1');
  const utf16 = (s) => Buffer.from(s, 'utf16le').swap16();
  const cases = [
    ['GSM 7 bit, extension table', { data_coding: 0, short_message: Buffer.from([0x00, 0x10, 0x1b, 0x65, 0x41]) }, '@Δ€A', 'gsm7'],
    ['ASCII', { data_coding: 1, short_message: Buffer.from('a@b_{c}') }, 'a@b_{c}', 'ascii'],
    ['Latin-1', { data_coding: 3, short_message: latin1 }, 'Grüße, señor', 'latin1'],
    ['UCS-2', { data_coding: 8, short_message: utf16('Привет') }, 'Привет', 'ucs2'],
    ['UCS-2 with surrogates', { data_coding: 8, short_message: utf16('ok 👍🏽') }, 'ok 👍🏽', 'ucs2'],
    ['8 bit that is UTF-8', { data_coding: 4, short_message: Buffer.from('Ł↑') }, 'Ł↑', 'binary'],
    ['message_payload', { data_coding: 8, short_message: '', message_payload: utf16('длинное '.repeat(40)) }, 'длинное '.repeat(40), 'ucs2'],
  ];
  for (const [name, fields, message, encoding] of cases)
    await t.test(name, async () => {
      const event = await text(c, fields);
      assert.equal(event.message, message);
      assert.equal(event.encoding, encoding);
      assert.equal(event.to, `+${own}`);
    });
  await t.test('two parts, the last one first', async () => {
    const part = (i, s) => ({ esm_class: 0x40, data_coding: 8,
      short_message: { udh: Buffer.from([5, 0, 3, 77, 2, i]), message: utf16(s) } });
    const from = '19175550000';
    for (const [i, s] of [[2, 'часть вторая'], [1, 'часть первая, ']]) {
      const answer = await c.deliver({ source_addr: from, destination_addr: own, ...part(i, s) });
      assert.equal(answer.command_status, smpp.ESME_ROK);
    }
    await until(() => receiver.of('/sms').some((e) => e.body.from === `+${from}`), { what: 'the whole message' });
    const event = receiver.of('/sms').find((e) => e.body.from === `+${from}`).body;
    assert.equal(event.message, 'часть первая, часть вторая');
    assert.equal(event.parts, 2);
  });
  await t.test('a number that is not ours', async () => {
    const answer = await c.deliver({ source_addr: '19175550001', destination_addr: '447999999999', short_message: 'no' });
    assert.equal(answer.command_status, smpp.ESME_RINVDSTADR);
  });
  await until(async () => (await daemon.must('GET', `/v1/smpp-links/${l.id}`)).status.received === cases.length + 2,
    { what: 'the count of what was received' });
  await remove(l);
});

test('a refused password is said, and not tried again and again; a changed one is tried at once', async () => {
  const c = await carrier();
  const l = await link(c, { password: 'wrong', max_binds: 8 });
  await linkState(daemon, l.id, 'refused', /ESME_RINVPASWD/);
  assert.equal(c.seen('bind_transceiver').length, 1);
  await patch(l, { password: 'secret' });
  await c.binds(8);
  assert.equal(c.seen('bind_transceiver').length, 1 + 8); // 64 pauses had not passed, and one asks for all
  await remove(l);
});

test('a carrier without transceivers says what to change', async () => {
  const c = await carrier();
  c.bindStatus = (pdu) => (pdu.command === 'bind_transceiver' ? smpp.ESME_RINVCMDID : smpp.ESME_ROK);
  const l = await link(c);
  await linkState(daemon, l.id, 'refused', /ESME_RINVCMDID.*receiver/);
  await patch(l, { bind: 'receiver' });
  await linkState(daemon, l.id, 'bound');
  assert.equal(c.seen('bind_receiver').length, 1);
  assert.equal((await text(c, { short_message: 'hello' })).message, 'hello');
  await remove(l);
});

test('a carrier that is down, comes, goes and comes again', async () => {
  const c = await carrier();
  await c.stop();
  const l = await link(c);
  await linkState(daemon, l.id, 'waiting', /refused/i);
  for (let i = 0; i < 2; i++) {
    await c.listen();
    await c.binds();
    assert.equal((await text(c, { short_message: `life ${i}` })).message, `life ${i}`);
    await c.stop();
    await until(async () => (await daemon.must('GET', `/v1/smpp-links/${l.id}`)).status.state !== 'bound', { what: 'the end to be seen' });
  }
  await c.listen();
  await linkState(daemon, l.id, 'bound');
  await remove(l);
});

test('a carrier that answers nothing: not to enquire_link, not to the bind', async () => {
  const c = await carrier();
  const l = await link(c, { enquire_link_s: 1 });
  const [first] = await c.binds();
  c.enquire = false;
  await new Promise((resolve) => first.on('close', resolve)); // we gave it up
  c.enquire = true;
  await c.binds();
  c.bindStatus = () => null;
  c.bound[0].socket.destroy();
  await linkState(daemon, l.id, 'waiting', /bind|answer/);
  c.bindStatus = () => smpp.ESME_ROK;
  await linkState(daemon, l.id, 'bound');
  await remove(l);
});

test('a carrier that closes half, one that unbinds, one that resets', async (t) => {
  const ways = {
    half: (s) => s.socket.end(),
    unbind: (s) => s.unbind(),
    reset: (s) => s.socket.resetAndDestroy(),
  };
  for (const [name, way] of Object.entries(ways))
    await t.test(name, { timeout: 30000 }, async () => {
      const c = await carrier({ allowHalfOpen: name === 'half' });
      const l = await link(c);
      const [session] = await c.binds();
      const ended = new Promise((resolve) => session.on('close', resolve));
      way(session);
      await ended;
      await until(() => c.bound.length === 1 && c.bound[0] !== session, { what: 'another bind' });
      await remove(l);
    });
});

test('over TLS: the chain and the name are verified', async () => {
  const tls = (by, names) => ({ ...by.issue('smsc', names), host: '127.0.0.1' });
  const good = await carrier(tls(authority, 'IP:127.0.0.1'));
  const wrongName = await carrier(tls(authority, 'DNS:smsc.example.com'));
  const foreign = await carrier(tls(other, 'IP:127.0.0.1'));
  const plain = await carrier();
  const links = [];
  for (const c of [good, wrongName, foreign, plain]) links.push(await link(c, { tls: true }));
  await linkState(daemon, links[0].id, 'bound');
  assert.equal((await text(good, { short_message: 'sealed' })).message, 'sealed');
  await linkState(daemon, links[1].id, 'waiting', /mismatch/i);
  await linkState(daemon, links[2].id, 'waiting', /issuer|certificate/i);
  assert.equal(wrongName.pdus.length + foreign.pdus.length + plain.seen('bind_transceiver').length, 0);
  for (const l of links) await remove(l);
});

test('a name is looked up; one that is not there says so', async () => {
  const c = await carrier();
  const l = await link(c, { host: 'localhost' });
  await linkState(daemon, l.id, 'bound'); // ::1 may come first, and refuse
  const none = await link(c, { host: 'nobody.invalid' });
  await linkState(daemon, none.id, 'waiting', /name/);
  await remove(l);
  await remove(none);
});

test('changed, disabled, enabled and deleted links unbind and bind', async () => {
  const [c, d] = [await carrier(), await carrier()];
  const l = await link(c);
  await c.binds();
  await patch(l, { port: d.port });
  await d.binds();
  await until(() => c.bound.length === 0, { what: 'the old session to end' });
  assert.equal(c.seen('unbind').length, 1);
  await patch(l, { max_binds: 3 });
  await d.binds(3);
  assert.equal((await linkState(daemon, l.id, 'bound')).binds, 3);
  await patch(l, { disabled: true });
  await linkState(daemon, l.id, 'disabled');
  await d.binds(0);
  assert.equal(d.seen('unbind').length, d.seen('bind_transceiver').length);
  await patch(l, { disabled: false, max_binds: 1 });
  await d.binds(1);
  const before = d.seen('unbind').length;
  await remove(l);
  await d.binds(0);
  assert.equal(d.seen('unbind').length, before + 1);
  assert.equal((await daemon.api('GET', `/v1/smpp-links/${l.id}`)).status, 404);
});

test('a change that does not touch the bind does not break it', async () => {
  const c = await carrier();
  const l = await link(c, { data_coding_0: 'gsm7' });
  await c.binds();
  await patch(l, { data_coding_0: 'latin1' });
  const message = 'Grüße';
  await until(async () => (await text(c, { data_coding: 0, short_message: Buffer.from(message, 'latin1') })).message === message,
    { what: 'the new meaning of data_coding 0' });
  assert.equal(c.connections, 1);
  await remove(l);
});

test('two carriers at once, each for itself', async () => {
  const [a, b] = [await carrier(), await carrier()];
  const links = [await link(a), await link(b)];
  await a.binds();
  await b.binds();
  await a.stop();
  await linkState(daemon, links[0].id, 'waiting');
  const texts = await Promise.all(Array.from({ length: 20 }, (_, i) => text(b, { short_message: `b ${i}` })));
  assert.deepEqual(texts.map((e) => e.message), Array.from({ length: 20 }, (_, i) => `b ${i}`));
  await a.listen();
  await a.binds();
  await Promise.all([text(a, { short_message: 'a' }), text(b, { short_message: 'b' })]);
  for (const l of links) await remove(l);
});

test('kill -9 with messages unanswered: what the carrier sends again is there, and once', async () => {
  const c = await carrier();
  const d = await Daemon.start({ 'smpp.reconnect_ms': 50 });
  try {
    receiver.expect('/kill', await d.number(`+${own}`, [], receiver.endpoint('/kill', { events: ['sms_received'] })));
    await d.must('POST', '/v1/smpp-links', linkTo(c));
    const waiting = new Map(Array.from({ length: 300 }, (_, i) => [`1918${String(1000000 + i)}`, i]));
    let sent = 0;
    const send = async (from, i) => {
      sent++;
      const answer = await c.deliver({ source_addr: from, destination_addr: own, short_message: `message ${i}` });
      if (answer.command_status === smpp.ESME_ROK) waiting.delete(from);
    };
    for (let life = 0; life < 4; life++) {
      await c.binds();
      const want = life < 3 ? Math.ceil(waiting.size / 2) : 0; // left when we kill
      const all = [...waiting].map(([from, i]) => send(from, i).catch(() => {}));
      if (life < 3) {
        await until(() => waiting.size <= want, { what: 'half of them', every: 1 });
        await d.kill();
      }
      await Promise.all(all);
      if (life < 3) await d.run();
    }
    assert.equal(waiting.size, 0);
    const from = () => new Set(receiver.of('/kill').map((e) => e.body.from));
    await until(() => from().size === 300, { what: '300 senders', timeout: 30000 });
    const ids = new Set(receiver.of('/kill').map((e) => e.headers['webhook-id']));
    assert.equal(ids.size, 300, `${sent} were sent, what was repeated is the same event`);
  } finally {
    await d.stop();
  }
});

test('SIGTERM answers what is under way and unbinds', async () => {
  const c = await carrier();
  const d = await Daemon.start({ 'sip.listen': '' });
  receiver.expect('/end', await d.number(`+${own}`, [], receiver.endpoint('/end', { events: ['sms_received'] })));
  await d.must('POST', '/v1/smpp-links', linkTo(c));
  await c.binds();
  const answers = Array.from({ length: 50 }, (_, i) => c.deliver({ source_addr: `1919${1000000 + i}`, destination_addr: own, short_message: 'last' }));
  const end = await Promise.all([d.stop(), ...answers.map((a) => a.catch(() => null))]);
  assert.equal(end[0].code, 0);
  assert.equal(c.seen('unbind').length, 1);
  assert.ok(end.slice(1).every((a) => a), 'each was answered before the unbind');
});
