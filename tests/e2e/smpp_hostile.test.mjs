// Hostile or faulty clients of our SMPP listener: each gets its due answer in time, and a carrier beside them is never disturbed.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { SmppRig } from './lib/esme.mjs';
import { Raw, bind, command, deliver, head, join, pdu, resp, status, text, tlv, u16, u32, u8, z } from './lib/rawsmpp.mjs';
import { descriptors } from './lib/pings.mjs';
import { until } from './lib/until.mjs';

const BIND_MS = 700, RESPONSE_MS = 500, ENQUIRE_MS = 1000, SLACK_MS = 4000;
const BIND_END = BIND_MS + SLACK_MS, SILENT_END = ENQUIRE_MS + RESPONSE_MS + SLACK_MS;
const MAX = 120, UNBOUND_MAX = MAX / 4, WINDOW = 50, FLOOD = 10000;
const bad = '127.0.0.9';
let rig, good, line, target, beside, stopping = false, answered = 0;

before(async () => {
  rig = await SmppRig.start({ 'smpp.bind_timeout_ms': BIND_MS, 'smpp.response_ms': RESPONSE_MS, 'smpp.max_connections': MAX },
    { sources: ['127.0.0.1/32'] });
  for (const [name, more] of [['bad', { window: WINDOW, enquire_link_s: 1, max_binds: 2 }]])
    await rig.daemon.must('POST', '/v1/smpp-links', { name, mode: 'server', system_id: name, password: 'pw',
      sources: [`${bad}/32`, '127.0.1.0/24'], ...more });
  line = await rig.line();
  target = `+4479220000001`;
  await rig.daemon.must('POST', '/v1/numbers', { number: target, label: 'target', sms: true });
  target = target.slice(1);
  good = await rig.bound();
  beside = (async () => { // a carrier as they should be: one message after the other, all the while
    while (!stopping) {
      const a = await good.deliver({ source_addr: '19175550100', destination_addr: line.digits, short_message: `n ${answered}` });
      assert.equal(a?.command_status, 0, 'the good carrier was disturbed');
      answered++;
      await pause(20);
    }
  })();
  beside.catch(() => {});
});
after(async () => {
  stopping = true;
  await beside?.catch(() => {});
  await rig?.stop();
});

/** A bind that has to work. */
async function bound(r) {
  r.send(bind('bad', 'pw'));
  await r.answer('bind_transceiver', status.ROK);
  return r;
}
const isOpen = async (r) => { // it still answers
  r.send(pdu('enquire_link'));
  await r.answer('enquire_link', status.ROK);
};
const nacked = async (r, s) => {
  await r.answer('generic_nack', s);
  await r.ends(SLACK_MS);
};
const refused = async (r, name, s) => {
  await r.answer(name, s);
  await isOpen(r);
};
const garbage = (n) => { let x = 7; return Buffer.from(Array.from({ length: n }, () => (x = (x * 1103515245 + 12345) & 0x7fffffff) >> 16 & 0xff)); };
const drip = async (r, bytes, every = 60) => {
  for (const b of bytes) {
    if (r.isClosed) return;
    r.send(u8(b));
    await pause(every);
  }
};

// name: what it does once connected, and what must come of it
const unbound = {
  'says nothing': (r) => r.ends(BIND_END),
  'one byte and no more': (r) => r.send(u8(0)).ends(BIND_END),
  'half a header': (r) => r.send(u32(40), u32(9)).ends(BIND_END),
  'half a bind': (r) => r.send(bind('bad', 'pw').subarray(0, 20)).ends(BIND_END),
  'a byte now and then': async (r) => { drip(r, bind('bad', 'pw'), 200); await r.ends(BIND_END); },
  'enquire_link now and then does not keep it': async (r) => {
    (async () => { while (!r.isClosed) { r.send(pdu('enquire_link')); await pause(200); } })();
    await r.ends(BIND_END);
  },
  'enquire_link seventeen times': async (r) => {
    r.send(...Array.from({ length: 17 }, () => pdu('enquire_link')));
    await r.ends(SLACK_MS);
    assert.equal(r.got.length, 16);
  },
  'a length of 0': (r) => nacked(r.send(u32(0), Buffer.alloc(12)), status.RINVCMDLEN),
  'a length of 15': (r) => nacked(r.send(pdu('enquire_link', undefined, { length: 15 })), status.RINVCMDLEN),
  'a length of 4 GiB': (r) => nacked(r.send(u32(0xffffffff)), status.RINVCMDLEN),
  'a length of 2 GiB': (r) => nacked(r.send(pdu('bind_transceiver', undefined, { length: 0x80000000 })), status.RINVCMDLEN),
  'a length just above what may be': (r) => nacked(r.send(u32(70 * 1024 + 1)), status.RINVCMDLEN),
  'more than a bind needs': (r) => nacked(r.send(pdu('deliver_sm', Buffer.alloc(2000))), status.RINVCMDLEN),
  'a length of 0 byte by byte': async (r) => { await drip(r, u32(0), 5); await nacked(r, status.RINVCMDLEN); },
  'an unknown command': (r) => nacked(r.send(pdu(0x99)), status.RINVCMDID),
  'a command of nines': (r) => nacked(r.send(pdu(0x00999999, garbage(100))), status.RINVCMDID),
  'HTTP': (r) => nacked(r.send(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')), status.RINVCMDLEN),
  'SIP': (r) => nacked(r.send(Buffer.from('OPTIONS sip:a SIP/2.0\r\n\r\n')), status.RINVCMDLEN),
  'TLS': (r) => nacked(r.send(u8(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3)), status.RINVCMDLEN),
  'a megabyte of zeros': (r) => r.send(Buffer.alloc(1 << 20)).ends(SLACK_MS), // the nack may be lost: he writes into a reset
  'a megabyte of garbage': (r) => r.send(u8(0xff), garbage(1 << 20)).ends(SLACK_MS),
  'deliver_sm before a bind': async (r) => { await r.send(deliver(target)).answer('deliver_sm', status.RINVBNDSTS); r.destroy(); },
  'submit_sm before a bind': async (r) => { await r.send(pdu('submit_sm', join(head(target), text('x')))).answer('submit_sm', status.RINVBNDSTS); r.destroy(); },
  'query_sm before a bind': async (r) => { await r.send(pdu('query_sm', join(z('1'), u8(0, 0), z('')))).answer('query_sm', status.RINVBNDSTS); r.destroy(); },
  'unbind before a bind': async (r) => { await r.send(pdu('unbind')).answer('unbind', status.RINVBNDSTS); await r.ends(BIND_END); },
  'outbind': async (r) => {
    await r.send(pdu('outbind', join(z('bad'), z('pw')))).ends(SLACK_MS);
    assert.equal(r.got.length, 0);
  },
  'answers before it asks': async (r) => { r.send(pdu(resp('bind_transceiver'), z('x')), pdu(resp('enquire_link'))); await bound(r); },
  'a bind byte by byte': async (r) => { await drip(r, bind('bad', 'pw'), 1); await r.answer('bind_transceiver', status.ROK); await isOpen(r); },
  'a bind and a message in two pieces, cut anywhere': async (r) => {
    const all = join(bind('bad', 'pw'), deliver(target, 'cut'));
    for (let at = 1; at < all.length; at += 7) {
      const one = at === 1 ? r : await connect();
      one.send(all.subarray(0, at));
      await pause(2);
      one.send(all.subarray(at));
      await one.answer('bind_transceiver', status.ROK);
      await one.answer('deliver_sm', status.ROK);
      one.send(pdu('unbind'));
      await one.answer('unbind', status.ROK);
      await one.ends(SLACK_MS);
    }
  },
  'a bind without a NUL': (r) => r.send(pdu('bind_transceiver', Buffer.from('aaaa'))).answer('bind_transceiver', status.RINVCMDLEN),
  'a bind with a system_id of 16': (r) => r.send(bind('a'.repeat(16), 'pw')).answer('bind_transceiver', status.RINVCMDLEN),
  'a bind with a password of 40': (r) => r.send(bind('bad', 'p'.repeat(40))).answer('bind_transceiver', status.RINVCMDLEN),
  'a bind with bytes behind': (r) => r.send(pdu('bind_transceiver', join(z('bad'), z('pw'), z(''), u8(0x34, 0, 0), z(''), u8(1, 2, 3)))).answer('bind_transceiver', status.RINVCMDLEN),
  'a bind that is cut off': (r) => r.send(pdu('bind_transceiver', join(z('bad'), z('pw')))).answer('bind_transceiver', status.RINVCMDLEN),
  'a bind of nothing': (r) => r.send(pdu('bind_transceiver')).answer('bind_transceiver', status.RINVCMDLEN),
  'a wrong password': async (r) => { await r.send(bind('bad', 'no')).answer('bind_transceiver', status.RBINDFAIL); await r.ends(SLACK_MS); },
  'a link of others': async (r) => { await r.send(bind('carrier', 'secret')).answer('bind_transceiver', status.RBINDFAIL); await r.ends(SLACK_MS); },
  'half closed at once': async (r) => { r.socket.end(); await r.ends(SLACK_MS); },
  'a bind, half closed at once': async (r) => { r.send(bind('bad', 'pw')); r.socket.end(); await r.ends(SLACK_MS); },
  'reset in the middle of a bind': async (r) => { r.send(bind('bad', 'pw').subarray(0, 10)); r.reset(); },
};

const sent = (esm, bytes) => deliver(target, bytes, { esm });
const bindings = {
  'binds twice': async (r) => refused(r.send(bind('bad', 'pw')), 'bind_transceiver', status.RALYBND),
  'binds as something else': async (r) => refused(r.send(bind('bad', 'pw', 'bind_receiver')), 'bind_receiver', status.RALYBND),
  'a message longer than its PDU': (r) => refused(r.send(pdu('deliver_sm', join(head(target), u8(200), Buffer.from('x')))), 'deliver_sm', status.RINVCMDLEN),
  'a deliver_sm of nothing': (r) => refused(r.send(pdu('deliver_sm')), 'deliver_sm', status.RINVCMDLEN),
  'addresses without an end': (r) => refused(r.send(pdu('deliver_sm', Buffer.alloc(60, 0x39))), 'deliver_sm', status.RINVCMDLEN),
  'an address of 21': (r) => refused(r.send(deliver(target, 'x', { source: '1'.repeat(21) })), 'deliver_sm', status.RINVCMDLEN),
  'a TLV longer than its PDU': (r) => refused(r.send(deliver(target, '', {}, join(u16(0x424), u16(500), u8(1)))), 'deliver_sm', status.RINVPARLEN),
  'half a TLV': (r) => refused(r.send(deliver(target, '', {}, u8(4, 0x24, 0))), 'deliver_sm', status.RINVOPTPARSTREAM),
  'forty TLVs': (r) => refused(r.send(deliver(target, 'x', {}, join(...Array.from({ length: 40 }, (_, i) => tlv(0x1400 + i, u8(1)))))), 'deliver_sm', status.ROPTPARNOTALLWD),
  'a header longer than the message': (r) => refused(r.send(sent(0x40, u8(200, 0, 3, 1, 2, 1))), 'deliver_sm', status.RINVMSGLEN),
  'an element longer than the header': (r) => refused(r.send(sent(0x40, u8(5, 0, 90, 1, 2, 1, 0x41))), 'deliver_sm', status.RINVMSGLEN),
  'a header announced, and nothing there': (r) => refused(r.send(sent(0x40, '')), 'deliver_sm', status.RINVMSGLEN),
  'part 1 of 0': (r) => refused(r.send(sent(0x40, u8(5, 0, 3, 1, 0, 1, 0x41))), 'deliver_sm', status.ROK),
  'part 9 of 2': (r) => refused(r.send(sent(0x40, u8(5, 0, 3, 1, 2, 9, 0x41))), 'deliver_sm', status.ROK),
  'part 0 of 2': (r) => refused(r.send(sent(0x40, u8(5, 0, 3, 1, 2, 0, 0x41))), 'deliver_sm', status.ROK),
  'sar of a wrong size': (r) => refused(r.send(deliver(target, 'x', {}, join(tlv(0x20c, u8(1, 2, 3)), tlv(0x20e, u8(2)), tlv(0x20f, u8(1))))), 'deliver_sm', status.ROK),
  'sar part 9 of 2': (r) => refused(r.send(deliver(target, 'x', {}, join(tlv(0x20c, u16(1)), tlv(0x20e, u8(2)), tlv(0x20f, u8(9))))), 'deliver_sm', status.ROK),
  'text in two places': (r) => refused(r.send(deliver(target, 'x', {}, tlv(0x424, Buffer.from('y')))), 'deliver_sm', status.ROPTPARNOTALLWD),
  'a payload of 65,535': (r) => refused(r.send(deliver(target, '', {}, tlv(0x424, Buffer.alloc(65535, 0x41)))), 'deliver_sm', status.ROK),
  'a payload of garbage': (r) => refused(r.send(deliver(target, '', { coding: 8 }, tlv(0x424, garbage(60001)))), 'deliver_sm', status.ROK),
  'NULs and escapes': (r) => refused(r.send(deliver(target, Buffer.alloc(254, 0x1b))), 'deliver_sm', status.ROK),
  'a number of others': (r) => refused(r.send(deliver('447000000000')), 'deliver_sm', status.RINVDSTADR),
  'no number': (r) => refused(r.send(deliver('')), 'deliver_sm', status.RINVDSTADR),
  'letters for a number': (r) => refused(r.send(deliver('%s%n../..')), 'deliver_sm', status.RINVDSTADR),
  'a PDU above the limit': (r) => nacked(r.send(pdu('deliver_sm', Buffer.alloc(72 * 1024))), status.RINVCMDLEN),
  'an unknown command, bound': (r) => refused(r.send(pdu(0x111)), 'generic_nack', status.RINVCMDID),
  'an unknown response': async (r) => { r.send(pdu(0x80000111)); await isOpen(r); assert.ok(!r.got.some((g) => g.id === resp('generic_nack'))); },
  'unbinds and stays': async (r) => { await r.send(pdu('unbind')).answer('unbind', status.ROK); await r.ends(SLACK_MS); },
  'a good message, then garbage': async (r) => {
    r.send(deliver(target, 'before'), Buffer.alloc(64, 0xff));
    await r.answer('generic_nack', status.RINVCMDLEN); // its own answer may still wait for the disk
    await r.ends(SLACK_MS);
  },
  'answers to nothing, a hundred': async (r) => {
    const before = await rig.metric('hookswitch_smpp_unasked_total');
    r.send(...Array.from({ length: 100 }, (_, i) => pdu(resp(i % 2 ? 'submit_sm' : 'enquire_link'), i % 2 ? z('1') : undefined)));
    await isOpen(r);
    assert.ok(await rig.metric('hookswitch_smpp_unasked_total') >= before + 100);
  },
  'malformed answers': async (r) => { r.send(pdu(resp('submit_sm'), Buffer.from('no end'))); await isOpen(r); },
  'nacks': async (r) => { r.send(...Array.from({ length: 50 }, () => pdu('generic_nack', undefined, { status: 3 }))); await isOpen(r); },
  'one sequence number for all': async (r) => {
    r.send(...Array.from({ length: 20 }, (_, i) => deliver(target, `same ${i}`, {}, undefined, { seq: 1 })));
    await until(() => r.got.filter((g) => g.seq === 1 && g.id === resp('deliver_sm') && g.status === 0).length === 20, { what: '20 answers' });
  },
  'sequence numbers out of range': async (r) => {
    for (const seq of [0, 0x7fffffff, 0x80000000, 0xffffffff])
      assert.equal((await r.send(pdu('enquire_link', undefined, { seq })).answer('enquire_link', status.ROK)).seq, seq);
  },
  'a request with a status': (r) => refused(r.send(pdu('enquire_link', undefined, { status: 0x58 })), 'enquire_link', status.ROK),
  'enquire_link with a body': (r) => refused(r.send(pdu('enquire_link', u8(1))), 'enquire_link', status.RINVCMDLEN),
  'submit_multi of garbage': (r) => refused(r.send(pdu('submit_multi', garbage(300))), 'submit_multi', status.RSUBMITFAIL),
  'query_sm of garbage': (r) => refused(r.send(pdu('query_sm', Buffer.alloc(80, 0x41))), 'query_sm', status.RINVCMDLEN),
  'alerts and outbinds': async (r) => {
    r.send(...Array.from({ length: 50 }, (_, i) => i % 2 ? pdu('outbind', join(z('a'), z('b'))) : pdu('alert_notification', join(u8(1, 1), z('1'), u8(1, 1), z('2')))));
    await isOpen(r);
  },
  'a thousand receipts': async (r) => {
    r.send(...Array.from({ length: 1000 }, () => deliver(target, 'id:1 stat:DELIVRD', { esm: 4 })));
    await until(() => r.got.filter((g) => g.id === resp('deliver_sm') && g.status === 0).length === 1000, { what: '1000 answers' });
  },
  'does not answer enquire_link': async (r) => { r.mute = true; await r.ends(SILENT_END); },
  'answers enquire_link with a nack': async (r) => {
    r.mute = true;
    for (let n = 0; n < 2; n++) {
      let asked;
      await until(() => (asked = r.got.splice(0).find((g) => g.id === command.enquire_link)), { what: 'enquire_link' });
      r.send(pdu('generic_nack', undefined, { seq: asked.seq, status: 3 }));
    }
    await isOpen(r);
  },
  '70 KiB announced, and silence': async (r) => { r.mute = true; r.send(u32(70000), u32(5)); await r.ends(SILENT_END); },
  'a PDU byte by byte that never ends': async (r) => {
    r.mute = true;
    drip(r, join(u32(70000), u32(5), Buffer.alloc(2000)), 30);
    await r.ends(SILENT_END);
  },
  'unbinds twice': async (r) => { r.send(pdu('unbind'), pdu('unbind')); await r.answer('unbind', status.ROK); await r.ends(SLACK_MS); },
  'unbinds and goes on': async (r) => { r.send(pdu('unbind'), deliver(target), garbage(1000)); await r.answer('unbind', status.ROK); await r.ends(SLACK_MS); },
  'half closed with messages under way': async (r) => { r.send(...Array.from({ length: 200 }, (_, i) => deliver(target, `half ${i}`))); r.socket.end(); await r.ends(SLACK_MS); },
  'reset with messages under way': async (r) => { r.send(...Array.from({ length: 40 }, (_, i) => deliver(target, `gone ${i}`))); await r.answer('deliver_sm', status.ROK); r.reset(); },
  'ten thousand messages, nothing read': async (r) => {
    r.socket.pause();
    for (let i = 0; i < FLOOD; i++) r.send(deliver(target, `flood ${i}`, {}, undefined, { seq: i + 1 }));
    await until(async () => (await rig.metric('hookswitch_smpp_messages_total{outcome="stored"}')) > 2 * WINDOW, { what: 'some taken' });
    r.socket.resume(); // and now it reads: each has its answer
    await until(() => r.got.filter((g) => g.id === resp('deliver_sm') && g.status === 0).length === FLOOD,
      { what: 'all answers', timeout: 60000 });
    assert.equal(new Set(r.got.filter((g) => g.id === resp('deliver_sm')).map((g) => g.seq)).size, FLOOD);
  },
  'asks without reading the answers': async (r) => {
    r.socket.pause();
    const many = join(...Array.from({ length: 4096 }, () => pdu('enquire_link')));
    let over = false;
    r.socket.once('close', () => { over = true; });
    r.socket.once('error', () => { over = true; });
    for (let i = 0; i < 2000 && !over; i++) // 128 MiB at the most
      if (!r.socket.write(many)) await Promise.race([new Promise((resolve) => { r.socket.once('drain', resolve); }), r.closed, pause(3000)]);
    await until(() => over || r.isClosed, { what: 'the end', timeout: 20000 });
  },
};

const connect = (from = bad) => Raw.connect(rig.port, { from });
const healthy = async () => {
  const n = answered;
  assert.ok(!rig.daemon.end, rig.daemon.log);
  assert.equal((await fetch(`${rig.daemon.url}/readyz`)).status, 200);
  await until(() => answered > n, { what: 'the good carrier to be answered' });
  assert.ok(!good.isClosed);
};
/** The binds of the test before are gone. */
const free = () => until(async () => (await rig.metric('hookswitch_smpp_sessions')) === 1, { what: 'the other sessions to be gone' });

/** But for the API's and the webhooks' connections, which come and go. */
const flat = (open) => until(() => descriptors(rig.daemon) <= open + 2, { what: `descriptors to fall to ${open}` });

test('before a bind', async (t) => {
  await free();
  const open = descriptors(rig.daemon);
  let from = 1;
  for (const [name, does] of Object.entries(unbound)) await t.test(name, async () => {
    const r = await connect(name.includes('wrong') || name.includes('others') ? `127.0.1.${from++}` : bad);
    try { await does(r); } finally { r.destroy(); }
    await healthy();
    await free();
  });
  await flat(open);
});

test('bound', async (t) => {
  const open = descriptors(rig.daemon);
  for (const [name, does] of Object.entries(bindings)) await t.test(name, async () => {
    const r = await bound(await connect());
    try { await does(r); } finally { r.destroy(); }
    await healthy();
    await free();
  });
  await flat(open);
});

test('crowds', async (t) => {
  const open = descriptors(rig.daemon);
  await t.test('from where no link is: closed at once', async () => {
    const r = await connect('127.0.0.77');
    await r.ends(SLACK_MS);
    assert.equal(r.got.length, 0);
  });
  await t.test('a thousand connections that do not bind', async () => {
    const all = await Promise.all(Array.from({ length: 1000 }, () => connect()));
    const few = UNBOUND_MAX + 1; // and the good one; in a turn that accepts, 64 more
    assert.ok(await rig.metric('hookswitch_smpp_sessions') <= few + 64);
    await until(async () => (await rig.metric('hookswitch_smpp_sessions')) <= few, { what: 'the oldest to go', timeout: BIND_MS / 2 });
    const late = await bound(await connect()); // who binds at once finds room
    late.destroy();
    await Promise.all(all.map((r) => r.ends(BIND_END)));
    await healthy();
  });
  await t.test('a thousand connections that come and go', async () => {
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 100 }, async (_, n) => {
      const r = await connect();
      if (n % 2) r.reset(); else r.destroy();
    }));
    await healthy();
  });
  await t.test('more binds than the link may have', async () => {
    await free();
    const two = [await bound(await connect()), await bound(await connect())];
    const third = await connect();
    await third.send(bind('bad', 'pw')).answer('bind_transceiver', status.RALYBND);
    await third.ends(SLACK_MS);
    for (const r of two) { await isOpen(r); r.destroy(); }
  });
  await t.test('guessing: one answer for all, and after twenty nobody looks', async () => {
    await free();
    for (let i = 0; i < 25; i++) {
      const r = await connect('127.0.1.200');
      await r.send(bind(`guess${i}`, 'pw')).answer('bind_transceiver', status.RBINDFAIL);
      await r.ends(SLACK_MS);
    }
    const right = await connect('127.0.1.200');
    await right.send(bind('bad', 'pw')).answer('bind_transceiver', status.RBINDFAIL);
    await right.ends(SLACK_MS);
    const elsewhere = await bound(await connect('127.0.1.201'));
    elsewhere.destroy();
    await healthy();
  });
  await free();
  await flat(open);
});
