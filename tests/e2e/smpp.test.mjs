// Carriers that bind to us (npm smpp): each text becomes sms_received once, in any alphabet; other PDUs, and texts for others, do not.
// Binds are checked, and their attempts are limited.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import smpp from 'smpp';
import { SmppRig } from './lib/esme.mjs';
import { until } from './lib/until.mjs';
import { lockStore } from './lib/storelock.mjs';

const bytes = (hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const RESPONSE_MS = 600;
let rig, esme;
before(async () => {
  rig = await SmppRig.start({ 'smpp.response_ms': RESPONSE_MS });
  esme = await rig.bound();
});
after(async () => rig?.stop());

const from = '19175550100';
async function one(line, fields, ask = 'deliver') {
  const n = rig.receiver.of(line.where).length;
  const answer = await esme[ask]({ source_addr: from, destination_addr: line.digits, ...fields });
  assert.equal(answer?.command_status, smpp.ESME_ROK, JSON.stringify(fields));
  const events = await rig.receiver.wait(line.where, n + 1);
  return events[n];
}

test('every encoding', async (t) => {
  const line = await rig.line();
  for (const [name, data_coding, hex, message, encoding] of [
    ['GSM 7 bit', 0, '48 69 20 00 02 1b 65', 'Hi @$\u20ac', 'gsm7'],
    ['GSM 7 bit under 1', 1, '48 69 00', 'Hi@', 'gsm7'],
    ['Latin-1', 3, '63 61 66 e9', 'caf\u00e9', 'latin1'],
    ['8 bit that is UTF-8', 4, 'e2 82 ac', '\u20ac', 'binary'],
    ['Cyrillic', 6, 'bf e0 d8 d2 d5 e2', '\u041f\u0440\u0438\u0432\u0435\u0442', 'iso-8859-5'],
    ['Hebrew', 7, 'f9 ec e5 ed', '\u05e9\u05dc\u05d5\u05dd', 'iso-8859-8'],
    ['UCS-2', 8, '04 1f 04 40', '\u041f\u0440', 'ucs2'],
    ['UCS-2 with a surrogate pair', 8, 'd8 3d de 00', '\u{1f600}', 'ucs2'],
    ['UCS-2 with half a pair', 8, '00 41 d8 3d', 'A\ufffd', 'ucs2'],
    ['GSM 7 bit by message class', 0xf0, '48 69', 'Hi', 'gsm7'],
    ['UCS-2 by message class', 0x18, '00 48', 'H', 'ucs2'],
    ['nothing', 0, '', '', 'gsm7'],
  ]) await t.test(name, async () => {
    const event = await one(line, { data_coding, short_message: bytes(hex) });
    assert.equal(event.event, 'sms_received');
    assert.equal(event.message, message);
    assert.equal(event.encoding, encoding);
    assert.equal(event.from, `+${from}`);
    assert.equal(event.to, line.number);
    assert.equal(event.parts, 1);
    assert.equal(event.partial, false);
  });
});

test('data_sm, message_payload, submit_sm', async () => {
  const line = await rig.line();
  const long = 'x'.repeat(3000);
  const data = await esme.ask('data_sm', { source_addr_ton: 1, source_addr: from, dest_addr_ton: 1,
    destination_addr: line.digits, message_payload: Buffer.from('by data sm') });
  assert.equal(data.command_status, 0);
  assert.match(data.message_id, /^msg_/);
  assert.equal((await rig.receiver.wait(line.where, 1))[0].message, 'by data sm');
  assert.equal((await rig.receiver.wait(line.where, 1))[0].message_id, data.message_id);
  assert.equal((await one(line, { message_payload: Buffer.from(long) })).message, long);
  const submit = await esme.ask('submit_sm', { source_addr_ton: 1, source_addr: from, dest_addr_ton: 1,
    destination_addr: line.digits, short_message: Buffer.from('by submit sm') });
  assert.equal(submit.command_status, 0);
  assert.match(submit.message_id, /^msg_/);
  assert.equal((await rig.receiver.wait(line.where, 3))[2].message, 'by submit sm');
  const both = await esme.deliver({ source_addr: from, destination_addr: line.digits,
    short_message: Buffer.from('a'), message_payload: Buffer.from('b') });
  assert.equal(both.command_status, 0xc1);
  const neither = await esme.ask('data_sm', { source_addr: from, dest_addr_ton: 1, destination_addr: line.digits });
  assert.equal(neither.command_status, 0xc3);
});

test('senders and destinations by their type of number', async () => {
  await rig.daemon.must('PATCH', `/v1/smpp-links/${rig.link.id}`, { country: '44', national_prefix: '0' });
  const line = await rig.line();
  const national = `0${line.digits.slice(2)}`;
  for (const [fields, want] of [
    [{ source_addr_ton: 1, source_addr: '19175550100' }, '+19175550100'],
    [{ source_addr_ton: 1, source_addr: '+19175550100' }, '+19175550100'],
    [{ source_addr_ton: 0, source_addr: '0019175550100' }, '+19175550100'],
    [{ source_addr_ton: 2, source_addr: '7700900123' }, '+447700900123'],
    [{ source_addr_ton: 2, source_addr: '07700900123' }, '+447700900123'],
    [{ source_addr_ton: 5, source_addr: 'My Bank' }, 'My Bank'],
    [{ source_addr_ton: 0, source_addr: 'PayPal' }, 'PayPal'],
    [{ source_addr_ton: 1, source_addr: 'WhatsApp' }, 'WhatsApp'],
    [{ source_addr_ton: 3, source_addr: '70500' }, '70500'],
    [{ source_addr_ton: 1, source_addr: '70500' }, '70500'],
    [{ source_addr_ton: 0, source_addr: '' }, 'unknown'],
    [{ dest_addr_ton: 2, destination_addr: national }, `+${from}`],
    [{ dest_addr_ton: 0, destination_addr: national }, `+${from}`],
    [{ dest_addr_ton: 0, destination_addr: line.number }, `+${from}`],
    [{ dest_addr_ton: 0, destination_addr: line.digits }, `+${from}`],
  ]) {
    const event = await one(line, { short_message: Buffer.from('x'), ...fields });
    assert.equal(event.from, want, JSON.stringify(fields));
    assert.equal(event.to, line.number);
  }
});

test('several parts: 8 and 16 bit headers, sar, out of order, one twice', async () => {
  const line = await rig.line();
  const send = (fields) => esme.deliver({ source_addr: from, destination_addr: line.digits, ...fields });
  const udh = (hex, text) => ({ esm_class: 0x40, short_message: Buffer.concat([bytes(hex), Buffer.from(text)]) });
  for (const [i, parts] of [
    [udh('05 00 03 07 02 01', 'one '), udh('05 00 03 07 02 02', 'two')],
    [udh('06 08 04 01 07 02 02', 'two'), udh('06 08 04 01 07 02 01', 'one '), ],
    [1, 2].map((n) => ({ sar_msg_ref_num: 9, sar_total_segments: 2, sar_segment_seqnum: n,
      short_message: Buffer.from(n === 1 ? 'one ' : 'two') })),
    [udh('05 00 03 08 02 02', 'two'), udh('05 00 03 08 02 02', 'two'), udh('05 00 03 08 02 01', 'one ')],
  ].entries()) {
    for (const part of parts) assert.equal((await send(part)).command_status, 0);
    const event = (await rig.receiver.wait(line.where, i + 1))[i];
    assert.equal(event.message, 'one two');
    assert.equal(event.parts, 2);
    assert.equal(event.partial, false);
  }
});

test('what is no message makes no event', async () => {
  const line = await rig.line();
  const receipts = await rig.metric('hookswitch_smpp_receipts_total');
  for (const esm_class of [0x04, 0x20]) {
    const answer = await esme.deliver({ source_addr: from, destination_addr: line.digits, esm_class,
      short_message: Buffer.from('id:1 sub:001 dlvrd:001 submit date:2411151432 done date:2411151432 stat:DELIVRD err:000 text:') });
    assert.equal(answer.command_status, 0);
  }
  assert.equal(await rig.metric('hookswitch_smpp_receipts_total'), receipts + 2);
  for (const [command, fields, status] of [
    ['query_sm', { message_id: '1' }, smpp.ESME_RQUERYFAIL],
    ['cancel_sm', { message_id: '1' }, smpp.ESME_RCANCELFAIL],
    ['replace_sm', { message_id: '1', short_message: 'x' }, smpp.ESME_RREPLACEFAIL],
    ['submit_multi', { dest_address: [], short_message: 'x' }, smpp.ESME_RSUBMITFAIL],
    ['bind_transceiver', { system_id: 'carrier', password: 'secret' }, smpp.ESME_RALYBND],
    ['deliver_sm', { source_addr: from, dest_addr_ton: 1, destination_addr: '447922299999', short_message: 'x' }, smpp.ESME_RINVDSTADR],
    ['deliver_sm', { source_addr: from, dest_addr_ton: 1, destination_addr: '', short_message: 'x' }, smpp.ESME_RINVDSTADR],
    ['enquire_link', {}, smpp.ESME_ROK],
  ]) assert.equal((await esme.ask(command, fields)).command_status, status, command);
  const mute = await rig.line({ sms: false });
  assert.equal((await esme.deliver({ source_addr: from, destination_addr: mute.digits, short_message: 'x' })).command_status,
    smpp.ESME_RINVDSTADR);
  assert.equal((await rig.events(line.number)).length + (await rig.events(mute.number)).length, 0);
});

test('acknowledgements that a user wrote, and all else that is no receipt, are texts', async () => {
  const line = await rig.line();
  const texts = [[0x08, 'deliver_sm'], [0x10, 'deliver_sm'], [0x18, 'deliver_sm'], [0x08, 'submit_sm'], [0x10, 'submit_sm'], [0x04, 'submit_sm']];
  for (const [esm_class, way] of texts) {
    const answer = await esme.ask(way, { source_addr_ton: 1, source_addr: from, dest_addr_ton: 1, destination_addr: line.digits, esm_class, short_message: Buffer.from(`${way.slice(0, 6)} ${esm_class}`) });
    assert.equal(answer.command_status, 0);
  }
  const events = await rig.receiver.wait(line.where, texts.length);
  assert.deepEqual(events.map((e) => e.message).sort(), texts.map(([esm_class, way]) => `${way.slice(0, 6)} ${esm_class}`).sort());
});

test('two equal messages are two events; one with an id of the carrier, sent again, is one', async () => {
  const line = await rig.line();
  const same = { source_addr: from, destination_addr: line.digits, short_message: Buffer.from('same') };
  for (let i = 0; i < 2; i++) assert.equal((await esme.deliver(same)).command_status, 0);
  assert.equal((await rig.receiver.wait(line.where, 2)).length, 2);
  for (let i = 0; i < 2; i++)
    assert.equal((await esme.deliver({ ...same, receipted_message_id: 'carrier-1' })).command_status, 0);
  await rig.receiver.wait(line.where, 3);
  const events = await rig.events(line.number);
  assert.equal(events.length, 3);
});

test('bind states: who only receives may not send; receiver and transmitter may bind', async () => {
  const line = await rig.line();
  const fields = { source_addr: from, destination_addr: line.digits, short_message: 'x' };
  const rx = await rig.bound({}, 'receiver');
  assert.equal((await rx.deliver(fields)).command_status, smpp.ESME_RINVBNDSTS);
  const tx = await rig.bound({}, 'transmitter');
  assert.equal((await tx.deliver(fields)).command_status, 0);
  const none = await rig.connect();
  assert.equal((await none.deliver(fields)).command_status, smpp.ESME_RINVBNDSTS);
  for (const e of [rx, tx]) {
    assert.equal((await e.ask('unbind')).command_status, 0);
    await e.closed;
  }
  await none.destroy();
  await rig.receiver.wait(line.where, 1);
});

test('who may bind: one answer for every no, a limit, and max_binds', async () => {
  await rig.daemon.must('POST', '/v1/smpp-links', { name: 'other', mode: 'server', system_id: 'other',
    password: 'pw', max_binds: 2, sources: ['127.0.0.5/32', '127.0.0.6/32'] });
  const at = { from: '127.0.0.5' };
  const a = await rig.bound({ system_id: 'other', password: 'pw' }, 'transceiver', at);
  await rig.bound({ system_id: 'other', password: 'pw' }, 'receiver', at);
  const third = await rig.connect(at);
  assert.equal((await third.bind({ system_id: 'other', password: 'pw' })).command_status, smpp.ESME_RALYBND);
  await third.closed;
  const no = async (fields, more = { from: '127.0.0.6' }) => {
    const e = await rig.connect(more);
    const answer = await e.bind(fields);
    await e.closed;
    return answer.command_status;
  };
  for (const [fields, more] of [
    [{ system_id: 'nobody', password: 'pw' }], [{ system_id: 'other', password: 'wrong' }], [{ system_id: '', password: '' }],
    [{ system_id: 'other', password: 'pw' }, { from: '127.0.0.7' }], // not from there
  ]) assert.equal(await no(fields, more), smpp.ESME_RBINDFAIL);
  for (let i = 0; i < 4; i++) assert.equal(await no({ system_id: 'other', password: 'wrong' }), smpp.ESME_RBINDFAIL);
  // five failures: the right password does not help for a minute, from there, under that name
  assert.equal(await no({ system_id: 'other', password: 'pw' }), smpp.ESME_RBINDFAIL);
  await a.ask('unbind');
  await a.closed;
  await rig.bound({ system_id: 'other', password: 'pw' }, 'transceiver', at);
});

test('enquire_link both ways: asked when silent, closed when there is no answer', async () => {
  const link = await rig.daemon.must('POST', '/v1/smpp-links', { name: 'quiet', mode: 'server', system_id: 'quiet',
    password: 'pw', enquire_link_s: 1 });
  const e = await rig.bound({ system_id: 'quiet', password: 'pw' });
  assert.equal((await e.ask('enquire_link')).command_status, 0);
  await until(() => e.pdus.filter((p) => p.command === 'enquire_link').length >= 2, { what: 'two enquire_links' });
  assert.ok(!e.isClosed);
  const { status } = await rig.daemon.must('GET', `/v1/smpp-links/${link.id}`);
  assert.equal(status.state, 'bound');
  e.mute = true;
  await e.closed;
  await until(async () => (await rig.daemon.must('GET', `/v1/smpp-links/${link.id}`)).status.state === 'listening',
    { what: 'the link to listen again' });
});

test('a link that is changed, switched off or deleted has its sessions unbound', async () => {
  const made = await rig.daemon.must('POST', '/v1/smpp-links', { name: 'brief', mode: 'server', system_id: 'brief', password: 'one' });
  const where = `/v1/smpp-links/${made.id}`;
  const unbound = async (e) => {
    await e.closed;
    assert.equal(e.pdus.at(-1).command, 'unbind');
  };
  let e = await rig.bound({ system_id: 'brief', password: 'one' });
  await rig.daemon.must('PATCH', where, { name: 'still brief' });
  await rig.daemon.must('PATCH', where, { password: 'two' });
  await unbound(e);
  e = await rig.bound({ system_id: 'brief', password: 'two' });
  await rig.daemon.must('PATCH', where, { disabled: true });
  await unbound(e);
  await until(async () => (await rig.daemon.must('GET', where)).status.state === 'disabled', { what: 'disabled' });
  await rig.daemon.must('PATCH', where, { disabled: false });
  e = await rig.bound({ system_id: 'brief', password: 'two' });
  await rig.daemon.api('DELETE', where);
  await unbound(e);
});

test('while the store cannot write carriers are throttled; then they are taken', async () => {
  const line = await rig.line();
  const unlock = await lockStore(rig.daemon.dir);
  const fields = { source_addr: from, destination_addr: line.digits, short_message: Buffer.from('later') };
  let status = [];
  await until(async () => {
    const answer = await esme.deliver(fields);
    status.push(answer.command_status);
    return answer.command_status === smpp.ESME_RTHROTTLED;
  }, { what: 'throttled', timeout: 20000 });
  assert.ok(status.every((s) => s === smpp.ESME_RTHROTTLED || s === smpp.ESME_RX_T_APPN), status.join());
  await unlock();
  await until(async () => (await esme.deliver(fields)).command_status === 0, { what: 'taken again' });
  await rig.receiver.wait(line.where, 1);
  assert.equal((await rig.events(line.number)).length, 1);
});

test('the connection goes while the commit is under way: the repeat waits, then is answered, and is no second event', async () => {
  const line = await rig.line();
  const fields = { source_addr: from, destination_addr: line.digits, short_message: Buffer.from('once') };
  const first = await rig.bound();
  const unlock = await lockStore(rig.daemon.dir);
  const stored = await rig.metric('hookswitch_events_total');
  const answer = first.deliver(fields);
  await first.ask('enquire_link'); // what was sent before it has arrived
  await first.destroy();
  assert.equal(await answer, null);
  const second = await rig.bound();
  const early = await second.deliver(fields);
  assert.equal(early.command_status, smpp.ESME_RTHROTTLED);
  await unlock();
  await until(async () => await rig.metric('hookswitch_events_total') > stored, { what: 'the commit' });
  assert.equal((await second.deliver(fields)).command_status, 0);
  assert.equal((await rig.events(line.number)).length, 1);
  assert.equal((await second.deliver(fields)).command_status, 0); // and now it is another one
  await until(async () => (await rig.events(line.number)).length === 2, { what: 'the second message' });
});

test('kill -9 in the middle: what was accepted is there once, what was not is sent again and is there once', async () => {
  const line = await rig.line();
  const texts = Array.from({ length: 300 }, (_, i) => `message ${i}`);
  const done = new Set();
  for (let kills = 3; done.size < texts.length; kills--) {
    const e = await rig.bound();
    const due = texts.filter((text) => !done.has(text));
    await Promise.all(due.map(async (text, i) => {
      const answer = await e.deliver({ source_addr: from, destination_addr: line.digits, short_message: Buffer.from(text) });
      if (answer?.command_status === 0) done.add(text);
      if (i === 40 && kills > 0) rig.daemon.process.kill('SIGKILL');
    }));
    if (kills > 0) await rig.daemon.restart();
    await e.destroy();
  }
  const told = () => rig.receiver.of(line.where).map((e) => e.body); // one may be POSTed again after a kill: the same id
  await until(() => new Set(told().map((e) => e.message)).size === texts.length, { what: 'all POSTs', timeout: 30000 });
  const stored = [];
  for (let cursor = ''; cursor !== null;) {
    const page = await rig.daemon.must('GET', `/v1/events?limit=200&number=${encodeURIComponent(line.number)}${cursor && `&cursor=${cursor}`}`);
    stored.push(...page.data);
    cursor = page.next_cursor;
  }
  assert.equal(stored.length, texts.length);
  assert.equal(new Set(told().map((e) => e.id)).size, texts.length);
  esme = await rig.bound();
});

test('an answer lost in a kill: what was stored just before is not stored again, once', async () => {
  const line = await rig.line();
  const fields = { source_addr: from, destination_addr: line.digits, data_coding: 8, short_message: bytes('04 1f 04 40 d8 3d de 00') };
  assert.equal((await esme.deliver(fields)).command_status, 0);
  await rig.daemon.restart();
  esme = await rig.bound();
  for (const stored of [1, 2]) { // the repeat; and then somebody who says the same again
    assert.equal((await esme.deliver(fields)).command_status, 0);
    assert.equal((await rig.events(line.number)).length, stored);
  }
});

test('the last part again after a kill makes no second message', async () => {
  const line = await rig.line();
  const part = (n) => ({ source_addr: from, destination_addr: line.digits, esm_class: 0x40,
    short_message: Buffer.concat([bytes(`05 00 03 2a 02 0${n}`), Buffer.from(`part ${n} `)]) });
  for (const n of [1, 2]) assert.equal((await esme.deliver(part(n))).command_status, 0);
  await rig.daemon.restart();
  esme = await rig.bound();
  assert.equal((await esme.deliver(part(2))).command_status, 0);
  const events = await rig.events(line.number);
  assert.equal(events.length, 1);
  assert.equal(events[0].message, 'part 1 part 2 ');
});

test('SIGTERM: what was sent is answered, then each session is unbound', async () => {
  const line = await rig.line();
  const e = await rig.bound();
  const answers = Array.from({ length: 50 }, (_, i) => e.deliver({ source_addr: from, destination_addr: line.digits,
    short_message: Buffer.from(`last ${i}`) }));
  await e.ask('enquire_link');
  rig.daemon.process.kill('SIGTERM');
  const statuses = (await Promise.all(answers)).map((a) => a?.command_status);
  assert.ok(statuses.every((s) => s === 0 || s === smpp.ESME_RTHROTTLED), statuses.join());
  await e.closed;
  assert.equal(e.pdus.at(-1).command, 'unbind');
  const end = await rig.daemon.exited;
  assert.equal(end.code, 0);
  rig.daemon.process = rig.daemon.end = undefined;
  await rig.daemon.run();
  assert.equal((await rig.events(line.number)).length, statuses.filter((s) => s === 0).length);
});
