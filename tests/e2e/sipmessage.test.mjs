// SIP MESSAGE from trunks: each text is one event, and the sender hears 202 when it is on disk.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Rig, agent, carrier } from './lib/rig.mjs';
import { freePort } from './lib/daemon.mjs';
import { recv, send, uac, uas } from './lib/sipp.mjs';
import { lockStore } from './lib/storelock.mjs';
import { Texter } from './lib/texter.mjs';
import { until } from './lib/until.mjs';

let rig, udp, tcp;
before(async () => {
  rig = await Rig.start();
  udp = await Texter.open(carrier, rig.daemon.sip);
  tcp = await Texter.open(carrier, rig.daemon.sip, { tcp: true });
});
after(async () => {
  udp?.close();
  tcp?.close();
  await rig?.stop();
});

/** A number for texts with an endpoint of its own. */
async function line(more = {}) {
  const l = await rig.line();
  await rig.daemon.must('PATCH', `/v1/numbers/${encodeURIComponent(l.number)}`, { sms: true, ...more });
  return l;
}

async function metric(row) {
  const { text } = await rig.daemon.api('GET', '/metrics');
  return Number(text.split('\n').find((r) => r.startsWith(`${row} `))?.split(' ')[1] ?? NaN);
}
const repeats = () => metric('hookswitch_sip_retransmissions_received_total');

/** What is stored of a number, not what was delivered. */
async function stored(number) {
  return (await rig.daemon.must('GET', `/v1/events?number=${encodeURIComponent(number)}`)).data;
}

const message = (body) => send(`
    MESSAGE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: ${uac.from}
    To: <sip:[service]@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: 1 MESSAGE
    Max-Forwards: 70
    Content-Type: text/plain;charset=UTF-8`, { body, retrans: 500 });

for (const [name, transport] of [['UDP', 'u1'], ['TCP', 't1']])
  test(`sipp sends texts over ${name}`, async () => {
    const l = await line();
    const peer = await rig.carry(l, [message('Is this line active? [call_number]'), recv(202)], { transport, calls: 20, rate: 100 });
    await peer.done;
    const events = await rig.receiver.wait(l.where, 20);
    assert.equal(new Set(events.map((e) => e.id)).size, 20);
    assert.equal(new Set(events.map((e) => e.message)).size, 20);
    const { id, message_id: mid, timestamp, occurred_at: at, message: text, ...rest } = events[0];
    assert.deepEqual(rest, { event: 'sms_received', from: '+19175550100', to: l.number, encoding: 'utf8', parts: 1,
      partial: false, api_version: rest.api_version });
    assert.deepEqual(Object.keys(events[0]).slice(0, 5), ['event', 'from', 'to', 'message', 'timestamp']);
    assert.match(text, /^Is this line active\? \d+\s*$/);
    assert.match(id, /^evt_/);
    assert.ok(mid.length > 0);
    assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60000);
  });

test('what is repeated while it is being stored is absorbed; afterwards the answer is repeated', async () => {
  for (const t of [udp, tcp]) {
    const l = await line();
    const m = t.write(l.number, 'storm');
    const before = await repeats();
    const unlock = await lockStore(rig.daemon.dir);
    for (let i = 0; i < 100; i++) await t.send(m);
    assert.equal((await t.ask('nobody', 'behind them')).status, 404);
    assert.equal(t.of(m).length, 0, 'an answer before the commit');
    await unlock();
    assert.equal((await t.wait(m)).status, 202);
    assert.ok(await repeats() >= before + 99);
    if (!t.tcp) { // over TCP nothing is repeated, and the transaction ends with its answer (timer J is 0)
      for (let i = 0; i < 5; i++) await t.send(m); // a lost 202
      await t.wait(m, 6);
    }
    assert.equal(new Set(t.of(m)).size, 1, 'the same answer each time');
    await rig.receiver.wait(l.where, 1);
    assert.equal((await stored(l.number)).length, 1);
  }
});

test('a repeat with a branch of its own, over another transport, after a restart: the same event', async () => {
  const l = await line();
  const { message: first } = await udp.ask(l.number, 'once', { callId: 'again@carrier' });
  const [event] = await rig.receiver.wait(l.where, 1);
  assert.equal((await tcp.ask(l.number, 'once', { callId: first.callId, branch: 'z9hG4bKother1' })).status, 202);
  await rig.daemon.restart();
  tcp = await Texter.open(carrier, rig.daemon.sip, { tcp: true });
  assert.equal((await udp.ask(l.number, 'once', { callId: first.callId, branch: 'z9hG4bKother2' })).status, 202);
  assert.deepEqual((await stored(l.number)).map((e) => e.id), [event.id]);
  // A sender who never counts: other words are another text.
  assert.equal((await udp.ask(l.number, 'twice', { callId: first.callId, branch: 'z9hG4bKother3' })).status, 202);
  assert.equal((await udp.ask(l.number, 'once', { callId: first.callId, cseq: 2 })).status, 202);
  assert.equal((await udp.ask(l.number, 'once', { callId: first.callId, tag: 'u', branch: 'z9hG4bKother4' })).status, 202);
  assert.equal((await stored(l.number)).length, 4);
});

const utf16 = (text, big = false) => { const b = Buffer.from(text, 'utf16le'); return big ? b.swap16() : b; };
test('charsets', async () => {
  const text = 'Grüße, Ωμέγα 🦊';
  const table = [
    ['text/plain', Buffer.from(text), text, 'utf8'],
    ['', Buffer.from(text), text, 'utf8'],
    ['TEXT/PLAIN; charset="utf-8"', Buffer.from(text), text, 'utf8'],
    ['text/plain;charset=us-ascii', Buffer.from('plain'), 'plain', 'ascii'],
    ['text/plain;charset=us-ascii', Buffer.from(text), text, 'utf8'],
    ['text/plain;charset=iso-8859-1', Buffer.from('Grüße', 'latin1'), 'Grüße', 'latin1'],
    ['text/plain;charset=UTF-16', utf16(text, true), text, 'ucs2'],
    ['text/plain;charset=UTF-16', utf16(`\ufeff${text}`), text, 'ucs2'],
    ['text/plain;charset=UTF-16', utf16(`\ufeff${text}`, true), text, 'ucs2'],
    ['text/plain;charset=UTF-16LE', utf16(text), text, 'ucs2'],
    ['text/plain;charset=UTF-16BE', utf16(text, true), text, 'ucs2'],
    ['text/plain;charset=ucs-2', utf16('Ωμέγα', true), 'Ωμέγα', 'ucs2'],
    ['text/plain;charset=iso-8859-5', Buffer.from([0xbf, 0xe0, 0xd8, 0xd2, 0xd5, 0xe2]), 'Привет', 'iso-8859-5'],
    ['text/plain;charset=iso-8859-8', Buffer.from([0xf9, 0xec, 0xe5, 0xed]), 'שלום', 'iso-8859-8'],
    ['text/plain;charset=shift_jis', Buffer.from([0x93, 0xfa, 0x96, 0x7b]), '日本', 'shift-jis'],
    ['text/plain;charset=euc-jp', Buffer.from([0xc6, 0xfc, 0xcb, 0xdc]), '日本', 'euc-jp'],
    ['text/plain;charset=euc-kr', Buffer.from([0xc7, 0xd1, 0xb1, 0xb9]), '한국', 'euc-kr'],
    ['text/plain;charset=iso-2022-jp', Buffer.from('\x1b$BF|K\\\x1b(B', 'latin1'), '日本', 'iso-2022-jp'],
    ['text/plain', Buffer.alloc(0), '', 'utf8'],
    ['text/plain', Buffer.from('\ufeffmarked'), 'marked', 'utf8'],
  ];
  const l = await line();
  for (const [i, [type, bytes]] of table.entries())
    assert.equal((await (i % 2 ? tcp : udp).ask(l.number, bytes, { type })).status, 202, type);
  const events = await rig.receiver.wait(l.where, table.length);
  assert.deepEqual(events.map((e) => [e.message, e.encoding]), table.map(([, , message, encoding]) => [message, encoding]));
});

const cpim = (inner, body, outer = '') => `From: Ann <im:ann@a.example>\r\nTo: <im:bob@b.example>\r\n`
  + `DateTime: 2026-11-24T10:00:00Z\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\n`
  + `imdn.Disposition-Notification: positive-delivery, display\r\n${outer}\r\n${inner}\r\n\r\n${body}`;

test('message/cpim: the text inside, from who the trunk says; notifications are taken and tell nobody', async () => {
  const l = await line();
  const type = 'message/cpim';
  assert.equal((await udp.ask(l.number, cpim('Content-Type: text/plain; charset=utf-8', 'wrapped ✓'), { type })).status, 202);
  assert.equal((await tcp.ask(l.number, cpim('Content-type: text/plain;\r\n charset=utf-8\r\nContent-ID: <1@a>', 'folded'), { type })).status, 202);
  const imdn = '<?xml version="1.0"?><imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>34jk324j</message-id></imdn>';
  assert.equal((await udp.ask(l.number, cpim('Content-Type: message/imdn+xml', imdn), { type })).status, 200);
  assert.equal((await udp.ask(l.number, imdn, { type: 'message/imdn+xml' })).status, 200);
  const events = await rig.receiver.wait(l.where, 2);
  assert.deepEqual(events.map((e) => [e.from, e.message]), [['+19175550100', 'wrapped ✓'], ['+19175550100', 'folded']]);
  assert.equal((await stored(l.number)).length, 2);
});

test('who sent it: short codes and names stay, who hides is anonymous', async () => {
  const l = await line();
  for (const [from, headers = []] of [['<sip:54321@c>'], ['<sip:My%20Bank@c>'], ['"x" <sip:anonymous@anonymous.invalid>'],
    ['<sip:+19175550100@c>', ['Privacy: id']], ['<sip:proxy@c>', ['P-Asserted-Identity: <tel:+19175550177>']], ['<sip:c>']])
    assert.equal((await udp.ask(l.number, 'who?', { from, headers })).status, 202);
  const events = await rig.receiver.wait(l.where, 6);
  assert.deepEqual(events.map((e) => e.from).sort(), ['+19175550177', '54321', 'My Bank', 'anonymous', 'anonymous', 'unknown'].sort());
});

test('what is refused makes no event', async () => {
  const l = await line();
  const mute = await line({ sms: false });
  const multipart = '--b\r\nContent-Type: text/plain\r\n\r\nhi';
  const table = [ // status, number, body, options, header that must be there
    [404, '+12025550199', 'hi', {}],
    [404, mute.number, 'hi', {}],
    [404, 'nobody', 'hi', {}],
    [413, l.number, 'x'.repeat(16 * 1024 + 1), {}],
    [415, l.number, '<p>hi', { type: 'text/html' }, /^Accept: text\/plain, message\/cpim\r$/m],
    [415, l.number, multipart, { type: 'multipart/mixed;boundary=b' }, /^Accept: text\/plain, message\/cpim\r$/m],
    [415, l.number, '\0\x01', { type: 'application/octet-stream' }, /^Accept: /m],
    [415, l.number, '<isComposing/>', { type: 'application/im-iscomposing+xml' }, /^Accept: /m],
    [415, l.number, 'hi', { headers: ['Content-Encoding: gzip'] }, /^Accept-Encoding: identity\r$/m],
    [415, l.number, 'hi', { type: 'text/plain;charset=klingon' }, /^Accept: /m],
    [415, l.number, cpim('Content-Type: text/html', '<p>'), { type: 'message/cpim' }, /^Accept: /m],
    [415, l.number, cpim('Content-Transfer-Encoding: base64', 'aGk='), { type: 'message/cpim' }, /^Accept: /m],
    [415, l.number, cpim('Content-Type: text/plain', 'hi', 'Require: a.b\r\n'), { type: 'message/cpim' }, /^Accept: /m],
    [400, l.number, 'no headers', { type: 'message/cpim' }],
    [400, l.number, 'hi', { type: 'text' }],
    [400, l.number, 'hi', { type: 'text/plain;charset="utf-8' }],
    [416, l.number, 'hi', { uri: `im:${l.number}@127.0.0.1` }],
    [420, l.number, 'hi', { headers: ['Require: recipient-list-message'] }, /^Unsupported: recipient-list-message\r$/m],
    [481, l.number, 'hi', { to: ';tag=of-no-dialog' }],
  ];
  for (const t of [udp, tcp])
    for (const [status, number, body, more, header] of table) {
      const answer = await t.ask(number, body, more);
      assert.equal(answer.status, status, answer.text);
      if (header) assert.match(answer.text, header);
      assert.match(answer.text, /^To: .*;tag=/m);
    }
  assert.equal((await udp.ask(l.number, 'x'.repeat(16 * 1024))).status, 202); // what just fits
  assert.equal((await stored(l.number)).length, 1);
  assert.equal((await stored(mute.number)).length, 0);
});

test('malformed ones get 400 or silence, and the daemon lives on', async () => {
  const l = await line();
  const good = udp.write(l.number, 'hi');
  const edit = (find, to) => ({ ...good, bytes: Buffer.from(good.bytes.toString('latin1').replace(find, to), 'latin1') });
  for (const bad of [edit('Content-Length: 2', 'Content-Length: 3'), edit('Content-Length: 2', 'Content-Length: -2'),
    edit('Content-Length: 2', 'Content-Length: 2\r\nContent-Length: 1'), edit('1 MESSAGE', '1 INVITE'),
    edit('CSeq: 1 MESSAGE', 'CSeq: 4294967296 MESSAGE'), edit('Max-Forwards: 70', 'Max-Forwards: 700'),
    edit(/\r\n\r\nhi$/, ''), edit('Content-Type: text', 'Content-Type text'), edit('SIP/2.0\r\nVia', 'SIP/2.0\r\n\r\nVia')]) {
    const n = udp.answers.length;
    await udp.send(bad);
    await udp.ask('nobody', 'behind it');
    for (const a of udp.answers.slice(n, -1)) assert.match(a, /^SIP\/2\.0 400 /);
  }
  for (let n = 0; n < good.bytes.length; n += 3) await udp.send({ bytes: good.bytes.subarray(0, n) });
  const cut = await Texter.open(carrier, rig.daemon.sip, { tcp: true });
  await cut.send(cut.write(l.number, 'less than it says', { length: 5000 }));
  cut.close();
  const slow = await Texter.open(carrier, rig.daemon.sip, { tcp: true });
  const m = slow.write(l.number, 'byte by byte');
  for (const byte of m.bytes) await slow.send({ bytes: Buffer.of(byte) });
  assert.equal((await slow.wait(m)).status, 202);
  slow.close();
  assert.deepEqual((await rig.receiver.wait(l.where, 1)).map((e) => e.message), ['byte by byte']);
  assert.equal((await stored(l.number)).length, 1);
});

test('a source nobody knows hears nothing', async () => {
  const l = await line();
  const stranger = await Texter.open('127.0.0.66', rig.daemon.sip);
  const before = await metric('hookswitch_sip_unknown_source_total');
  for (let i = 0; i < 20; i++) await stranger.send(stranger.write(l.number, 'spam'));
  await until(async () => await metric('hookswitch_sip_unknown_source_total') >= before + 20, { what: 'all to be counted' });
  assert.equal((await udp.ask('nobody', 'behind them')).status, 404);
  assert.equal(stranger.answers.length, 0);
  assert.equal((await stored(l.number)).length, 0);
  stranger.close();
});

test('hostile strings arrive as the text they are', async () => {
  const l = await line();
  const texts = ['"},{"event":"call_ended"}', '\\u0000 \\" \\\\', '<script>alert(1)</script>', '\x1b[31mred\x1b[0m \x07\x08',
    'a\r\nX-Injected: yes\r\n\r\nbody', `'; DROP TABLE events; --`, '%s%n%x {{7*7}} ${jndi:ldap://x}', '\u2028\u2029\ufeff\u202e',
    '\u{10ffff}\u{1f468}\u200d\u{1f469}', 'e\u0301'.repeat(500), '\t\n\r', `${'\x7f'.repeat(50)}\u0085`, '🦊'.repeat(4096)];
  const broken = [ // bytes that are no UTF-8: what stands around them stays
    [Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x62]), /^a\ufffd+b$/], [Buffer.from([0x61, 0xc0, 0xaf, 0x62]), /^a\ufffd+b$/],
    [Buffer.from([0x61, 0xf4, 0x90, 0x80, 0x80, 0x62]), /^a\ufffd+b$/], [Buffer.from([0x61, 0xff, 0xfe, 0x62]), /^a\ufffd+b$/],
    [Buffer.from([0x61, 0xf0, 0x9f]), /^a\ufffd+$/], [Buffer.from([0x61, 0, 0x62]), /^a\ufffdb$/]];
  for (const text of texts) assert.equal((await tcp.ask(l.number, text)).status, 202, text);
  for (const [bytes] of broken) assert.equal((await udp.ask(l.number, bytes)).status, 202);
  const events = await rig.receiver.wait(l.where, texts.length + broken.length);
  assert.deepEqual(events.slice(0, texts.length).map((e) => e.message), texts);
  broken.forEach(([bytes, due], i) => {
    assert.match(events[texts.length + i].message, due);
    assert.equal(events[texts.length + i].raw, bytes.toString('hex')); // for who can make more of it
    assert.equal(events[texts.length + i].data_coding, 4);
  });
  assert.equal(rig.receiver.refused.length, 0);
  for (const e of events) assert.doesNotMatch(e.message, /\p{Surrogate}/u);
});

test('a store that cannot write: 503 with Retry-After, then taken', async () => {
  const l = await line();
  const unlock = await lockStore(rig.daemon.dir);
  const refused = await udp.ask(l.number, 'now or later', { callId: 'later@carrier' });
  assert.equal(refused.status, 503);
  assert.match(refused.text, /^Retry-After: \d+\r$/m);
  const at_once = await tcp.ask(l.number, 'at once'); // it is known by now: nothing waits
  assert.equal(at_once.status, 503);
  assert.match(at_once.text, /^Retry-After: \d+\r$/m);
  await unlock();
  await until(async () => (await rig.daemon.api('GET', '/readyz')).status === 200, { what: 'the store to write again' });
  assert.equal((await udp.ask(l.number, 'now or later', { callId: 'later@carrier', cseq: 2 })).status, 202);
  assert.equal((await rig.receiver.wait(l.where, 1))[0].message, 'now or later');
  assert.equal((await stored(l.number)).length, 1);
});

test('a text that waits for its commit is answered, also when its trunk is deleted meanwhile', async () => {
  const l = await line();
  const trunk = await rig.daemon.must('POST', '/v1/trunks', { name: 'short-lived', sources: ['127.0.0.8'] });
  const t = await Texter.open('127.0.0.8', rig.daemon.sip);
  const unlock = await lockStore(rig.daemon.dir);
  const m = t.write(l.number, 'last words');
  await t.send(m);
  assert.equal((await t.ask('nobody', 'behind it')).status, 404); // so it is under way
  const deleted = rig.daemon.must('DELETE', `/v1/trunks/${trunk.id}`);
  await unlock();
  await deleted;
  assert.equal((await t.wait(m)).status, 202);
  assert.equal((await rig.receiver.wait(l.where, 1))[0].message, 'last words');
  const n = t.answers.length;
  await t.send(t.write(l.number, 'from nobody'));
  assert.equal((await udp.ask('nobody', 'behind it')).status, 404);
  assert.equal(t.answers.length, n);
  t.close();
});

test('max_cps holds for texts, in a bucket of their own', async () => {
  const l = await line();
  await rig.daemon.must('POST', '/v1/trunks', { name: 'slow', sources: ['127.0.0.9'], max_cps: 3 });
  const t = await Texter.open('127.0.0.9', rig.daemon.sip);
  const all = Array.from({ length: 30 }, (_, i) => t.write(l.number, `text ${i}`));
  for (const m of all) await t.send(m);
  const answers = await Promise.all(all.map((m) => t.wait(m)));
  const taken = answers.filter((a) => a.status === 202).length;
  assert.ok(taken >= 3 && taken < 30, `${taken} taken`);
  for (const a of answers) if (a.status !== 202) assert.match(a.text, /^SIP\/2\.0 503 [^]*\r\nRetry-After: \d+\r\n/);
  await rig.receiver.wait(l.where, taken);
  assert.equal((await stored(l.number)).length, taken);
  t.close();
});

test('a MESSAGE within a call goes to the other leg and is no event', async () => {
  const l = await line();
  const callee = rig.attend(l, [uas.invite(), uas.ok(), recv('ACK'), recv('MESSAGE'), uas.reply(200, 'OK'), recv('BYE'), uas.reply(200, 'OK')]);
  const caller = await rig.carry(l, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(),
    uac.inDialog('MESSAGE', 2, { headers: 'Content-Type: text/plain', body: 'between us', retrans: 500 }), recv(200), uac.bye(3), recv(200)]);
  await Promise.all([caller.done, callee.done]);
  assert.deepEqual((await rig.receiver.wait(l.where, 3)).map((e) => e.event), ['incoming_call', 'call_answered', 'call_ended']);
});

test('texts by kill -9 at random moments: each that was accepted is one event', { timeout: 300000 }, async (t) => {
  const kills = Math.ceil(Number(process.env.HOOKSWITCH_KILLS ?? 100) / 10);
  const l = await line();
  let stop = false, made = 0;
  const accepted = new Set();
  const sender = async () => { // as a carrier: what is not answered is sent again, with a branch of its own
    while (!stop) {
      const n = made++;
      for (let attempt = 0, status; status !== 202 && !(stop && attempt > 200); attempt++) {
        const m = udp.write(l.number, `text ${n}`, { callId: `kill-${udp.own}-${n}`, branch: `z9hG4bKkill${n}x${attempt}` });
        await udp.send(m);
        status = (await udp.wait(m, 1, 150).catch(() => ({}))).status;
        if (status === 202) accepted.add(`text ${n}`);
      }
    }
  };
  const senders = Array.from({ length: 4 }, sender);
  for (let i = 0; i < kills; i++) {
    const n = accepted.size;
    await until(() => accepted.size >= n + 1 + (i * 7) % 20, { what: 'more to be accepted', timeout: 20000 });
    await rig.daemon.kill();
    await rig.daemon.run();
  }
  stop = true;
  await Promise.all(senders);
  await until(() => new Set(rig.receiver.of(l.where).map((e) => e.body.message)).size >= accepted.size, { what: 'all of them', timeout: 30000 });
  const ids = new Map();
  for (const { body } of rig.receiver.of(l.where)) {
    assert.equal(ids.get(body.message) ?? body.id, body.id, `two events of ${body.message}`);
    ids.set(body.message, body.id);
  }
  assert.deepEqual([...ids.keys()].sort(), [...accepted].sort());
  t.diagnostic(`${kills} kills, ${accepted.size} texts, ${rig.receiver.of(l.where).length} deliveries`);
  tcp = await Texter.open(carrier, rig.daemon.sip, { tcp: true });
});

test('SIGTERM: what waits for its commit is answered, what comes then gets 503', async () => {
  const l = await line();
  const unlock = await lockStore(rig.daemon.dir);
  const m = udp.write(l.number, 'before the end');
  await udp.send(m);
  assert.equal((await udp.ask('nobody', 'behind it')).status, 404); // so it is under way
  rig.daemon.process.kill('SIGTERM');
  await until(async () => { // one that is there before the drain waits for its commit, too
    const late = udp.write(l.number, 'too late');
    await udp.send(late);
    return (await udp.wait(late, 1, 50)).status === 503;
  }, { what: 'the drain', timeout: 1500 });
  await unlock();
  assert.equal((await udp.wait(m)).status, 202);
  assert.deepEqual(await rig.daemon.exited, { code: 0, signal: null });
  rig.daemon.process = rig.daemon.end = undefined;
  await rig.daemon.run();
  assert.ok((await rig.receiver.wait(l.where, 1)).some((e) => e.message === 'before the end'));
});
