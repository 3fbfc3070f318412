// The how-tos, as they are printed: the configuration is taken out of the page and run by the real program.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, writeFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { Rig, agent, carrier } from './lib/rig.mjs';
import { freePort } from './lib/daemon.mjs';
import { recv, pause, uac, uas, sipp } from './lib/sipp.mjs';
import { until } from './lib/until.mjs';

const proxy = '127.0.0.4';
const modules = ['/usr/lib/x86_64-linux-gnu/kamailio/modules', '/usr/lib/aarch64-linux-gnu/kamailio/modules',
  '/usr/lib/kamailio/modules'].find(existsSync);
const skip = existsSync(path.join(modules ?? '', 'http_client.so')) ? false : 'kamailio-utils-modules is not installed';

/** The fenced blocks of that language on a page. */
function blocks(page, language) {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/howto/${page}`, import.meta.url)), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((m) => m[1]);
}

let rig, key;
before(async () => {
  rig = await Rig.start();
  ({ key } = await rig.daemon.must('POST', '/v1/keys', { name: 'kamailio', scopes: ['ingest'] }));
});
after(async () => { await rig?.stop(); });

/** Kamailio with the page's configuration, in front of an agent at `pbx`. */
async function kamailio(t, pbx) {
  const port = await freePort(proxy);
  const dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-howto-'));
  const file = path.join(dir, 'kamailio.cfg');
  writeFileSync(file, blocks('kamailio.md', 'kamailio')[0].replace(/^listen=.*$/m, `listen=udp:${proxy}:${port}`));
  const define = (name, value) => ['-A', `${name}="${value}"`];
  const child = spawn('kamailio', ['-DD', '-E', '-e', '-f', file, '-Y', dir, '-P', path.join(dir, 'pid'), '-m', '32', '-M', '4',
    '-L', modules, ...define('PBX', `sip:${agent}:${pbx}`),
    ...define('HOOKSWITCH_URL', `${rig.daemon.url}/v1/events`), ...define('HOOKSWITCH_KEY', key)],
  { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '', ended;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (b) => { output += b; });
  child.on('exit', (code) => { ended = code ?? -1; });
  t.after(async () => {
    child.kill('SIGTERM');
    await until(() => ended !== undefined, { what: 'kamailio to end' });
    rmSync(dir, { recursive: true, force: true });
  });
  await until(() => {
    if (ended !== undefined) throw new Error(`the daemon ended: kamailio with ${ended}: ${output.slice(-3000)}`);
    return /Listening on/.test(output);
  }, { what: 'kamailio to be up', timeout: 15000 });
  return { port, output: () => output };
}

const carry = async (line, port, steps) => sipp(steps, { ip: carrier, port: await freePort(carrier), service: line.number,
  remote: `${proxy}:${port}` });
const events = async (line, n, k) => rig.receiver.wait(line.where, n).catch((e) => { throw new Error(`${e.message}\n${k.output().slice(-3000)}`); });

test('kamailio.md: an answered call is three events, in order', { skip }, async (t) => {
  const line = await rig.line();
  const k = await kamailio(t, line.ports[0]);
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), uas.ok(), recv('ACK'), recv('BYE'), uas.reply(200, 'OK')]);
  const caller = await carry(line, k.port, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), pause(1200), uac.bye(), recv(200)]);
  await Promise.all([caller.done, callee.done]);
  const [incoming, answered, ended] = await events(line, 3, k);
  assert.deepEqual([incoming.event, answered.event, ended.event], ['incoming_call', 'call_answered', 'call_ended']);
  assert.deepEqual([incoming.sequence, answered.sequence, ended.sequence], [1, 2, 3]);
  assert.equal(incoming.did_number, line.number);
  assert.equal(incoming.caller_id, '+19175550100');
  assert.equal(answered.destination, `sip:${agent}:${line.ports[0]}`);
  assert.deepEqual([ended.answered, ended.end_reason, ended.ended_by], [true, 'completed', 'caller']);
  assert.ok(ended.duration_sec >= 1 && ended.duration_sec <= 5, ended.duration_sec);
  assert.ok(Math.abs(Date.parse(incoming.timestamp) - Date.now()) < 60000);
  assert.match(incoming.call_id, /^[0-9a-f]{32}$/);
});

test('kamailio.md: busy, cancelled, and hung up by the callee', { skip }, async (t) => {
  const line = await rig.line();
  const k = await kamailio(t, line.ports[0]);
  const busy = rig.attend(line, [uas.invite(), uas.answer(486, 'Busy Here'), recv('ACK')]);
  await Promise.all([(await carry(line, k.port, [uac.invite(), uac.ringing, recv(486), uac.ackFailure()])).done, busy.done]);
  const [, ended] = await events(line, 2, k);
  assert.deepEqual([ended.event, ended.answered, ended.end_reason, ended.sip_status], ['call_ended', false, 'busy', 486]);
  const canceled = rig.attend(line, [uas.invite(), uas.ringing(), recv('CANCEL'), uas.reply(200, 'OK'),
    pause(300), // the proxy's own answer to the CANCEL goes by another of its processes
    ...uas.terminated()]);
  await Promise.all([(await carry(line, k.port, [uac.invite(), recv(100, { optional: true }), recv(180), uac.cancel(), recv(200), recv(487), uac.ackFailure()])).done, canceled.done]);
  const second = (await events(line, 4, k))[3];
  assert.deepEqual([second.event, second.end_reason, second.ended_by], ['call_ended', 'canceled', 'caller']);
  const hangs = rig.attend(line, [uas.invite(), uas.ok(), recv('ACK'), pause(200), uas.bye(), recv(200)]);
  await Promise.all([(await carry(line, k.port, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), recv('BYE'), uas.reply(200, 'OK')])).done, hangs.done]);
  assert.equal((await events(line, 7, k))[6].ended_by, 'callee');
});

test('kamailio.md: while hookswitch is down events wait, and follow in order', { skip }, async (t) => {
  const line = await rig.line();
  const k = await kamailio(t, line.ports[0]);
  await rig.daemon.kill();
  const callee = rig.attend(line, [uas.invite(), uas.ok(), recv('ACK'), recv('BYE'), uas.reply(200, 'OK')]);
  const caller = await carry(line, k.port, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), pause(200), uac.bye(), recv(200)]);
  await Promise.all([caller.done, callee.done]);
  await until(() => /cannot be posted to/.test(k.output()), { what: 'a failed post' });
  await rig.daemon.run();
  const list = await events(line, 3, k);
  assert.deepEqual(list.map((e) => [e.event, e.sequence]), [['incoming_call', 1], ['call_answered', 2], ['call_ended', 3]]);
});

// ---- the spool that Asterisk and FreeSWITCH write into ----

/** The script of both pages, running; files are put into its spool as the PBX would, by a move. */
async function spool(t) {
  const [script] = blocks('asterisk.md', 'sh');
  assert.deepEqual(blocks('freeswitch.md', 'sh'), [script]); // one script, on both pages
  const dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-spool-'));
  for (const name of ['tmp', 'new', 'refused']) mkdirSync(path.join(dir, name));
  const file = path.join(dir, 'hookswitch-post');
  writeFileSync(file, script, { mode: 0o755 });
  writeFileSync(path.join(dir, 'header'), `Authorization: Bearer ${key}\n`);
  const child = spawn(file, [], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOOKSWITCH_SPOOL: dir,
    HOOKSWITCH_URL: `${rig.daemon.url}/v1/events`, HOOKSWITCH_HEADER: path.join(dir, 'header') } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (b) => { output += b; });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  t.after(async () => {
    rmSync(path.join(dir, 'new'), { recursive: true, force: true }); // which is how it ends
    await ended;
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    dir, output: () => output, left: (where) => readdirSync(path.join(dir, where)),
    put(name, event) {
      writeFileSync(path.join(dir, 'tmp', name), JSON.stringify(event));
      renameSync(path.join(dir, 'tmp', name), path.join(dir, 'new', name));
    },
  };
}

test('the posting script: in order, across a hookswitch that is away, with what is refused kept aside', async (t) => {
  const line = await rig.line();
  const s = await spool(t);
  const event = (n, kind, more = {}) => s.put(`100000000${n}-call-${n}.json`, { event: kind, id: `spool-${n}-${line.number}`,
    call_id: `spool-${line.number}`, did_number: line.number, caller_id: '+19175550100', ...more });
  await rig.daemon.kill();
  event(1, 'incoming_call');
  await until(() => /not taken \(000\)/.test(s.output()), { what: 'a failed post' });
  event(2, 'call_answered', { destination: 'PJSIP/100' });
  event(3, 'call_ended', { duration_sec: 'wrong' });
  event(4, 'call_ended', { duration_sec: 3 });
  await rig.daemon.run();
  const list = await rig.receiver.wait(line.where, 3, 20000);
  assert.deepEqual(list.map((e) => [e.event, e.sequence]), [['incoming_call', 1], ['call_answered', 2], ['call_ended', 3]]);
  await until(() => s.left('new').length === 0, { what: 'an empty spool' });
  assert.deepEqual(s.left('refused'), ['1000000003-call-3.json']);
  assert.match(s.output(), /refused \(422\).*duration_sec/);
  event(1, 'incoming_call'); // once more: absorbed
  await until(() => s.left('new').length === 0, { what: 'an empty spool' });
  assert.equal((await rig.daemon.must('GET', `/v1/events?number=${encodeURIComponent(line.number)}`)).data.length, 3);
});

const lua = ['lua5.4', 'lua5.3', 'lua5.2'].find((name) => spawnSync(name, ['-v']).status === 0);
test('freeswitch.md: the Lua script writes what hookswitch takes', { skip: lua ? false : 'there is no Lua' }, async (t) => {
  const line = await rig.line();
  const s = await spool(t);
  const [script] = blocks('freeswitch.md', 'lua');
  const call = `a/b"c${'x'.repeat(80)}@${line.number}`;
  const run = (what, variables) => {
    const file = path.join(s.dir, 'script.lua');
    const value = (v) => `"${v.replace(/[^A-Za-z0-9 ]/g, (c) => `\\${String(c.charCodeAt(0)).padStart(3, '0')}`)}"`;
    const table = Object.entries(variables).map(([k, v]) => `["${k}"]=${value(v)}`).join(',');
    writeFileSync(file, `argv = { "${what}" }
local values = { ${table} }
freeswitch = { consoleLog = function(_, text) error(text) end }
${what === 'ended' ? 'env = { getHeader = function(_, name) return values[name] end }'
    : 'session = { getVariable = function(_, name) return values[name] end }'}
${script.replace('/var/spool/hookswitch', s.dir)}`);
    const { status, stderr } = spawnSync(lua, [file], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  };
  const of_call = { sip_call_id: call, destination_number: line.number.slice(1), caller_id_number: '0019175550100',
    caller_id_name: 'Ann "\\\u0001" Lee', hookswitch_destination: 'user/1000@x' };
  run('incoming', of_call);
  run('answered', of_call);
  run('ended', Object.fromEntries(Object.entries({ ...of_call, billsec: '7', answer_epoch: '1732457000', hangup_cause: 'NORMAL_CLEARING',
    sip_hangup_disposition: 'recv_bye' }).map(([k, v]) => [`variable_${k}`, v])));
  const [incoming, answered, ended] = await rig.receiver.wait(line.where, 3);
  assert.deepEqual([incoming.event, answered.event, ended.event], ['incoming_call', 'call_answered', 'call_ended']);
  assert.deepEqual([incoming.caller_id, incoming.caller_name], ['+19175550100', of_call.caller_id_name]);
  assert.equal(answered.destination, 'user/1000@x');
  assert.deepEqual([ended.duration_sec, ended.answered, ended.end_reason, ended.ended_by], [7, true, 'completed', 'caller']);
  run('ended', { variable_sip_call_id: `busy-${line.number}`, variable_destination_number: line.number, variable_billsec: '0',
    variable_caller_id_number: 'Anonymous', variable_hangup_cause: 'USER_BUSY' });
  const busy = (await rig.receiver.wait(line.where, 4))[3];
  assert.deepEqual([busy.caller_id, busy.answered, busy.end_reason, busy.ended_by], ['anonymous', false, 'busy', 'system']);
});

/** The query of the URL in that provider's section of the page. */
function mapping(provider) {
  const text = readFileSync(fileURLToPath(new URL('../../docs/howto/sms-providers.md', import.meta.url)), 'utf8');
  const section = text.split(/^## /m).find((s) => s.startsWith(`${provider}\n`));
  return new URL(/https:[^\s`]*\/v1\/ingest\/sms[^\s`]*/.exec(section)[0].replaceAll('…', '')).search;
}

test('sms-providers.md: each provider\'s URL reads a post of its shape, and passes over its reports', async (t) => {
  const from = '+19175550100';
  const json = (o) => [JSON.stringify(o), 'application/json'];
  const form = (o) => [new URLSearchParams(o).toString(), 'application/x-www-form-urlencoded'];
  const posts = {
    Twilio: (to) => [form({ MessageSid: 'SM1', From: from, To: to, Body: 'hi', NumMedia: '0' })],
    Vonage: (to) => [form({ msisdn: from.slice(1), to: to.slice(1), messageId: 'V1', text: 'hi', type: 'text' })],
    Plivo: (to) => [form({ From: from.slice(1), To: to.slice(1), Text: 'hi', MessageUUID: 'P1' })],
    Telnyx: (to) => ['message.received', 'message.finalized'].map((event_type) => json({ data: { event_type, payload: { id: 'T1', text: 'hi',
      from: { phone_number: from }, to: [{ phone_number: to }] } } })),
    Infobip: (to) => [json({ results: [{ messageId: 'I1', from: from.slice(1), to: to.slice(1), text: 'hi', cleanText: 'hi' }], messageCount: 1 })],
    Bandwidth: (to) => ['message-received', 'message-delivered'].map((type) => json([{ type, to, message: { id: 'B1', from, to: [to], text: 'hi' } }])),
    MessageBird: (to) => [json({ id: 'M1', originator: from.slice(1), recipient: to.slice(1), body: 'hi' })],
    Sinch: (to) => ['mo_text', 'delivery_report_sms'].map((type) => json({ type, id: 'S1', from: from.slice(1), to: to.slice(1), body: 'hi' })),
  };
  for (const [provider, post] of Object.entries(posts)) await t.test(provider, async () => {
    const line = await rig.line();
    await rig.daemon.must('PATCH', `/v1/numbers/${encodeURIComponent(line.number)}`, { sms: true });
    for (const [body, type] of post(line.number)) {
      const answer = await fetch(`${rig.daemon.url}/v1/ingest/sms${mapping(provider)}`, { method: 'POST', body,
        headers: { 'content-type': type, authorization: `Bearer ${key}` } });
      assert.equal(Math.floor(answer.status / 100), 2, await answer.text());
    }
    const [event] = await rig.receiver.wait(line.where, 1);
    assert.deepEqual([event.from, event.message], [from, 'hi']);
    assert.equal((await rig.daemon.must('GET', `/v1/events?number=${encodeURIComponent(line.number)}`)).data.length, 1);
  });
});
