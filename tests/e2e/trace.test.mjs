// GET /v1/calls/{id}/trace: the SIP messages of both legs, as they came and left.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync, existsSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { Rig, agent, carrier } from './lib/rig.mjs';
import { send, recv, pause, uac, uas } from './lib/sipp.mjs';
import { Caller, Refuser } from './lib/ua.mjs';
import { Daemon } from './lib/daemon.mjs';
import { cli } from './lib/cli.mjs';
import { until } from './lib/until.mjs';

let rig;
before(async () => { rig = await Rig.start({ 'sip.t1_ms': 100, 'sip.probe_s': 2 }); });
after(async () => { await rig?.stop(); });

/** "a> 100": leg, direction as we see it, method or status. */
const short = (m) => {
  const [first, second] = m.message.split(' ');
  return `${m.leg}${m.direction === 'out' ? '>' : '<'} ${first === 'SIP/2.0' ? second : first}`;
};
const ladder = (trace) => trace.data.map(short);
const callOf = async (line) => (await rig.daemon.must('GET', `/v1/calls?number=${encodeURIComponent(line.number)}`)).data[0];

/** The trace, once it has `what` in it (it is written within a tenth of a second). */
const traced = (id, what, of = rig) => until(async () => {
  const trace = await of.daemon.must('GET', `/v1/calls/${id}/trace`);
  return what(ladder(trace), trace) && trace;
}, { what: `the trace of ${id}` });

/** `steps` stand in `all` in that order, others between. */
function inOrder(all, steps) {
  let at = -1;
  for (const step of steps) {
    const next = all.indexOf(step, at + 1);
    assert.ok(next > at, `${step} after ${all[at]} in\n${all.join('\n')}`);
    at = next;
  }
}

const answeredByCaller = [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), pause(100), uac.bye(), recv(200)];
const agentAnswers = [uas.invite(), uas.ringing(), uas.ok(), recv('ACK'), recv('BYE'), uas.reply(200, 'OK')];

const onDisk = ({ number }, folder = path.join(rig.daemon.dir, 'trace')) =>
  readdirSync(folder).some((f) => readFileSync(path.join(folder, f)).includes(number));

/** A call that its target refuses; gives its id. */
async function refused(line, status = 486) {
  const refuser = await Refuser.open(agent);
  await rig.daemon.must('PUT', `/v1/numbers/${encodeURIComponent(line.number)}/forward`, { targets: [refuser.target(status)] });
  const caller = await Caller.open(carrier, rig.daemon.sip);
  await caller.send('INVITE', line.number);
  const { to } = await caller.wait(status, 'INVITE');
  await caller.send('ACK', line.number, { to, branch: `z9hG4bK${caller.id}1INVITE` }); // or it is repeated for long
  const { id } = await callOf(line);
  await traced(id, (l) => l.includes('a< ACK'));
  caller.close();
  refuser.close();
  return id;
}

test('an answered call: both legs in their order', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, agentAnswers);
  const caller = await rig.carry(line, answeredByCaller);
  await Promise.all([caller.done, callee.done]);
  const call = await callOf(line);
  const trace = await traced(call.id, (l) => l.includes('b< 200') && l.includes('a> 200') && l.includes('b> BYE') && l.at(-1) !== 'b> BYE');
  const all = ladder(trace);
  inOrder(all, ['a< INVITE', 'a> 100', 'b> INVITE', 'b< 180', 'a> 180', 'b< 200', 'b> ACK', 'a> 200', 'a< ACK', 'a< BYE', 'b> BYE']);
  assert.equal(all.filter((s) => s === 'a< INVITE').length, 1);
  assert.equal(trace.kept, true);
  assert.equal(trace.truncated, false);
  assert.equal(trace.next_cursor, null);
  const [invite] = trace.data;
  assert.deepEqual(Object.keys(invite), ['at', 'leg', 'direction', 'transport', 'local', 'remote', 'message', 'truncated']);
  assert.match(invite.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(invite.transport, 'udp');
  assert.equal(invite.local, `127.0.0.1:${rig.daemon.sip}`);
  assert.match(invite.remote, new RegExp(`^${carrier}:\\d+$`));
  assert.equal(invite.truncated, false);
  assert.match(invite.message, new RegExp(`^INVITE sip:\\${line.number}@127\\.0\\.0\\.1:\\d+ SIP/2\\.0\r\n`));
  assert.match(invite.message, /\r\n\r\nv=0\r\n[^]*a=rtpmap:0 PCMU\/8000\r\n$/);
  assert.equal(trace.data.find((m) => m.leg === 'b').remote, `${agent}:${line.ports[0]}`);
  for (let i = 1; i < trace.data.length; i++) assert.ok(trace.data[i].at >= trace.data[i - 1].at);
});

test('over TCP: the addresses are those of the connection', async () => {
  const line = await rig.line({ transport: ';transport=tcp' });
  const callee = rig.attend(line, agentAnswers, { transport: 't1' });
  const caller = await rig.carry(line, answeredByCaller, { transport: 't1' });
  await Promise.all([caller.done, callee.done]);
  const trace = await traced((await callOf(line)).id, (l) => l.includes('b> BYE'));
  for (const m of trace.data) assert.equal(m.transport, 'tcp');
  const b = trace.data.find((m) => m.leg === 'b');
  assert.equal(b.remote, `${agent}:${line.ports[0]}`);
  assert.notEqual(b.local, `127.0.0.1:${rig.daemon.sip}`); // we connected, from a port of its own
  assert.match(b.local, /^127\.0\.0\.\d+:\d+$/);
});

test('busy, and the ACKs to it', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.answer(486, 'Busy Here', { retrans: 500 }), recv('ACK')]);
  const caller = await rig.carry(line, [uac.invite(), uac.ringing, recv(486), uac.ackFailure()]);
  await Promise.all([caller.done, callee.done]);
  const trace = await traced((await callOf(line)).id, (l) => l.includes('a< ACK'));
  inOrder(ladder(trace), ['a< INVITE', 'a> 100', 'b> INVITE', 'b< 486', 'b> ACK']);
  inOrder(ladder(trace), ['b< 486', 'a> 486', 'a< ACK']);
});

test('cancelled: CANCEL and its answers on both legs', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), recv('CANCEL'), uas.reply(200, 'OK'),
    send(`
      SIP/2.0 487 Request Terminated
      [last_Via:]
      From:[$from]
      To:[$to];tag=[pid]a[call_number]
      Call-ID: [call_id]
      CSeq: 1 INVITE`), recv('ACK')]);
  const caller = await rig.carry(line, [uac.invite(), recv(100, { optional: true }), recv(180), pause(100),
    uac.cancel(), recv(200), recv(487), uac.ackFailure()]);
  await Promise.all([caller.done, callee.done]);
  const trace = await traced((await callOf(line)).id, (l) => l.includes('a< ACK') && l.includes('b> ACK'));
  inOrder(ladder(trace), ['a< INVITE', 'b> INVITE', 'b< 180', 'a> 180', 'a< CANCEL', 'a> 200', 'b> CANCEL', 'b< 200', 'b< 487', 'b> ACK']);
  inOrder(ladder(trace), ['a< CANCEL', 'a> 487', 'a< ACK']);
});

test('what is sent again is there again: an INVITE that came twice, a 200 that is never acknowledged', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ok(), recv('ACK')]); // and then nothing; its end is not looked at
  await callee.listens();
  const caller = await Caller.open(carrier, rig.daemon.sip);
  await caller.send('INVITE', line.number);
  await caller.wait(100, 'INVITE');
  await caller.send('INVITE', line.number);
  await caller.wait(200, 'INVITE', 3);
  await rig.receiver.wait(line.where, 3, 30000); // call_ended: no ACK
  callee.stop();
  const trace = await traced((await callOf(line)).id, (l) => l.includes('a> BYE') && l.includes('b> BYE'));
  const all = ladder(trace);
  assert.equal(all.filter((s) => s === 'a< INVITE').length, 2);
  assert.ok(all.filter((s) => s === 'a> 200').length >= 4, all.join('\n'));
  const ended = trace.data.find((m) => short(m) === 'a> BYE');
  assert.match(ended.message, /Reason: SIP;cause=408/);
  caller.close();
});

test('across a restart: what was before it and what came after', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ok(), recv('ACK'), recv('OPTIONS', { optional: true }), recv('BYE'), uas.reply(200, 'OK')]);
  const caller = await rig.carry(line, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), pause(3000), uac.bye(), recv(200)],
    { more: ['-aa'] });
  await rig.receiver.wait(line.where, 2);
  const { id } = await callOf(line);
  await traced(id, (l) => l.includes('a< ACK'));
  await rig.daemon.restart();
  await Promise.all([caller.done, callee.done]);
  const trace = await traced(id, (l) => l.includes('b> BYE') && l.at(-1) !== 'b> BYE');
  inOrder(ladder(trace), ['a< INVITE', 'b> INVITE', 'b< 200', 'b> ACK', 'a> 200', 'a> OPTIONS', 'a< BYE', 'b> BYE']);
  assert.equal(trace.truncated, false);
});

test('secrets do not come in: credentials, keys, what is said in bodies', async () => {
  const line = await rig.line();
  const marks = ['c0ffee00deadbeef', 'bWlkbmlnaHQ', 'Signal=7', 'icesecret'];
  const body = `v=0\r\no=- 1 1 IN IP4 [local_ip]\r\ns=-\r\nk=clear:${marks[1]}\r\nc=IN IP4 [media_ip]\r\nt=0 0\r\n`
    + `m=audio [media_port] RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${marks[1]}|2^20|1:4\r\na=ice-pwd:${marks[3]}\r\n`;
  const callee = rig.attend(line, [uas.invite(), uas.ok(), recv('ACK'), recv('INFO'), uas.reply(200, 'OK'), recv('BYE'), uas.reply(200, 'OK')]);
  const caller = await rig.carry(line, [uac.invite({ body,
    headers: `Proxy-Authorization: Digest username="ann", realm="r", nonce="n", uri="sip:x", response="${marks[0]}"` }),
  uac.ringing, recv(200, { rrs: true }), uac.ack(),
  uac.inDialog('INFO', 2, { headers: 'Content-Type: application/dtmf-relay', body: `${marks[2]}\r\nDuration=160`, retrans: 500 }), recv(200),
  uac.bye(3), recv(200)]);
  await Promise.all([caller.done, callee.done]);
  const trace = await traced((await callOf(line)).id, (l) => l.includes('b> BYE'));
  const text = JSON.stringify(trace);
  for (const mark of marks) {
    assert.ok(!text.includes(mark), `${mark} in ${text}`);
    for (const file of readdirSync(path.join(rig.daemon.dir, 'trace')))
      assert.ok(!readFileSync(path.join(rig.daemon.dir, 'trace', file)).includes(mark), `${mark} on the disk`);
  }
  const { message } = trace.data[0];
  assert.match(message, /username="ann", realm="r", nonce="n", uri="sip:x", response="…"/);
  assert.match(message, /\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 …\r\n/);
  assert.match(trace.data.find((m) => short(m) === 'a< INFO').message, /\(\d+ bytes of application\/dtmf-relay\)/);
});

test('hostile bytes come out as JSON, and harmless on a terminal', async () => {
  const line = await rig.line();
  const refuser = await Refuser.open(agent);
  await rig.daemon.must('PUT', `/v1/numbers/${encodeURIComponent(line.number)}/forward`, { targets: [refuser.target(486)] });
  const caller = await Caller.open(carrier, rig.daemon.sip);
  const bytes = Buffer.concat([Buffer.from(`INVITE sip:${line.number}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP ${carrier}:${caller.port};branch=z9hG4bKh;rport\r\n`
    + `From: <sip:+19175550100@${carrier}>;tag=${caller.id}\r\nTo: <sip:${line.number}@127.0.0.1>\r\nCall-ID: ${caller.id}@test\r\nCSeq: 1 INVITE\r\n`
    + 'Max-Forwards: 70\r\nX-Evil: </script>"\\\u202e\u001b]0;owned\u0007 '), Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
  Buffer.from('\r\nX-Large: '), Buffer.alloc(9000, 'x'), Buffer.from(`\r\nContact: <sip:ann@${carrier}:${caller.port}>\r\nContent-Length: 0\r\n\r\n`)]);
  await new Promise((resolve) => caller.socket.send(bytes, rig.daemon.sip, '127.0.0.1', resolve));
  await caller.wait(486, 'INVITE');
  const { id } = await callOf(line);
  const trace = await traced(id, (l) => l.includes('a> 486'));
  const [invite] = trace.data;
  assert.equal(invite.truncated, true);
  assert.ok(invite.message.length <= 8192);
  for (const more of [{}, { terminal: 100 }]) {
    const shown = await cli(rig.daemon, ['call', 'trace', id], more);
    assert.equal(shown.code, 0);
    assert.ok(!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u0080-\u009f\u202e]/.test(shown.out), JSON.stringify(shown.out));
    assert.match(shown.out, /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}\+0\.000 s {2}leg a << udp 127\.0\.0\.2:\d+ > 127\.0\.0\.1:\d+\r?\n {4}INVITE sip:/);
    assert.match(shown.out, /^ {4}X-Evil: <\/script>"\\\?\?\]0;owned\? /m);
    assert.match(shown.out, /^ {4}\(it was longer\)\r?$/m);
    assert.match(shown.out, /leg a >> udp 127\.0\.0\.1:\d+ > 127\.0\.0\.2:\d+\r?\n {4}SIP\/2\.0 486/);
    for (const l of shown.out.split(/\r?\n/)) assert.match(l, /^($| {4}|\d{4}-)/);
  }
  const json = await cli(rig.daemon, ['call', 'trace', id, '--json']);
  assert.deepEqual(JSON.parse(json.out), await rig.daemon.must('GET', `/v1/calls/${id}/trace`));
  assert.ok(invite.message.includes('X-Evil: </script>"\\\u202e\u001b]0;owned\u0007 \ufffd'), JSON.stringify(invite.message.slice(0, 600)));
  caller.close();
  refuser.close();
});

test('what has none: a simulated call, and all of them when it is off', async () => {
  const line = await rig.line();
  const { call_id } = await rig.daemon.must('POST', '/v1/simulate', { kind: 'call', number: line.number, from: '+19175550100' });
  assert.deepEqual(await rig.daemon.must('GET', `/v1/calls/${call_id}/trace`),
    { data: [], next_cursor: null, kept: false, truncated: false });
  for (const id of ['call_unknown', 'call_0123456789abcdefghjkmnpqr0', 'evt_1'])
    assert.equal((await rig.daemon.api('GET', `/v1/calls/${id}/trace`)).status, 404);
  const off = new Rig();
  const started = await Rig.start({ 'sip.trace_bytes': 0 });
  Object.assign(off, started);
  try {
    const silent = await started.line();
    const callee = started.attend(silent, agentAnswers);
    const caller = await started.carry(silent, answeredByCaller);
    await Promise.all([caller.done, callee.done]);
    const [{ id }] = (await started.daemon.must('GET', '/v1/calls')).data;
    assert.deepEqual(await started.daemon.must('GET', `/v1/calls/${id}/trace`),
      { data: [], next_cursor: null, kept: false, truncated: false });
    assert.ok(!existsSync(path.join(started.daemon.dir, 'trace')));
  } finally { await started.stop(); }
  await assert.rejects(Daemon.start({ 'sip.trace_bytes': 1000 }), /sip\.trace_bytes: 0, or a whole number from 1048576/);
});

test('a folder that cannot be used is no reason not to take calls', async () => {
  const daemon = await Daemon.make();
  writeFileSync(path.join(daemon.dir, 'trace'), 'a file');
  await daemon.run();
  try { assert.match(daemon.log, /no SIP messages of calls are kept/); } finally { await daemon.stop(); }
});

test('an account sees its own: another key gets what an unknown call gets', async () => {
  const line = await rig.line();
  const id = await refused(line, 603);
  await rig.daemon.must('POST', '/v1/accounts', { name: 'other' });
  const keyOf = async (more) => (await rig.daemon.must('POST', '/v1/keys', { name: 'k', scopes: ['read'], ...more })).key;
  const ask = async (key, call) => {
    const { status, text } = await rig.daemon.api('GET', `/v1/calls/${call}/trace`, undefined, { authorization: `Bearer ${key}` });
    return { status, text };
  };
  const [own, other] = [await keyOf({}), await keyOf({ account: 'other' })];
  assert.equal((await ask(own, id)).status, 200);
  assert.deepEqual(await ask(other, id), await ask(other, 'call_unknown'));
  assert.equal((await ask(other, id)).status, 404);
});

test('erased with its number: not given, and not on the disk', async () => {
  const line = await rig.line();
  const callee = rig.attend(line, agentAnswers);
  const caller = await rig.carry(line, answeredByCaller);
  await Promise.all([caller.done, callee.done]);
  await rig.receiver.wait(line.where, 3);
  const { id } = await callOf(line);
  await traced(id, (l) => l.includes('b> BYE') && l.at(-1) !== 'b> BYE');
  const folder = path.join(rig.daemon.dir, 'trace');
  assert.ok(onDisk(line));
  for (const f of readdirSync(folder)) assert.equal(statSync(path.join(folder, f)).mode & 0o777, 0o600);
  const { id: erasure } = await rig.daemon.must('DELETE', `/v1/numbers/${encodeURIComponent(line.number)}/data`);
  await until(async () => (await rig.daemon.must('GET', `/v1/erasures/${erasure}`)).state === 'finished', { what: 'the erasure' });
  assert.equal((await rig.daemon.api('GET', `/v1/calls/${id}/trace`)).status, 404);
  await until(() => !onDisk(line), { what: 'the bytes to be overwritten' });
  const metrics = (await rig.daemon.api('GET', '/metrics')).text;
  assert.match(metrics, /^hookswitch_trace_messages_total\{outcome="kept"\} [1-9]/m);
  assert.match(metrics, /^hookswitch_trace_bytes_total [1-9]/m);
});

test('gone with its row: after its retention, and where the daemon was killed between the two', async () => {
  const [old, lost, young] = [await rig.line(), await rig.line(), await rig.line()];
  const ids = [await refused(old), await refused(lost), await refused(young)];
  for (const line of [old, lost, young]) {
    await rig.receiver.wait(line.where, 2);
    assert.ok(onDisk(line));
  }
  await rig.daemon.kill('SIGTERM');
  const then = Date.now() - 31 * 24 * 3600 * 1000;
  execFileSync('sqlite3', [path.join(rig.daemon.dir, 'hookswitch.db'),
    `UPDATE calls SET started_at = ${then}, ended_at = ${then} WHERE call_id = '${ids[0]}'; DELETE FROM calls WHERE call_id = '${ids[1]}'`]);
  await rig.daemon.run();
  await until(() => !onDisk(old) && !onDisk(lost), { what: 'the bytes to be overwritten' });
  for (const id of ids.slice(0, 2))
    assert.equal((await rig.daemon.api('GET', `/v1/calls/${id}/trace`)).status, 404);
  const kept = await rig.daemon.must('GET', `/v1/calls/${ids[2]}/trace`);
  inOrder(ladder(kept), ['a< INVITE', 'b> INVITE', 'b< 486', 'a> 486', 'a< ACK']);
  assert.equal(kept.truncated, false);
});
