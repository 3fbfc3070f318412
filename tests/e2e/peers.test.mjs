// Kamailio as the carrier's proxy in front of us and as a sender of texts, baresip as the agent behind us.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Rig, agent, carrier } from './lib/rig.mjs';
import { freePort } from './lib/daemon.mjs';
import { recv, send, pause, uac, uas, sipp } from './lib/sipp.mjs';
import { until } from './lib/until.mjs';

const proxy = '127.0.0.4';
let rig;
before(async () => {
  rig = await Rig.start();
  await rig.daemon.must('POST', '/v1/trunks', { name: 'kamailio', sources: [proxy] });
});
after(async () => { await rig?.stop(); });

/** Runs a program until the test is over; `ready` tells from its output that it is up. */
async function program(t, name, args, ready, options = {}) {
  const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '', ended;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (b) => { output += b; });
  child.on('exit', (code) => { ended = code ?? -1; });
  t.after(async () => {
    let asked = 0; // again and again: Kamailio loses a signal that comes between its look at the last one and its pause(2)
    await until(() => {
      if (ended !== undefined) return true;
      if (Date.now() - asked > 1000) {
        child.kill('SIGTERM');
        asked = Date.now();
      }
      return false;
    }, { what: `${name} to end`, timeout: 10000 });
  });
  await until(() => {
    if (ended !== undefined) throw new Error(`${name} ended with ${ended}: ${output.slice(-2000)}`);
    return ready(output);
  }, { what: `${name} to be up`, timeout: 15000 });
  return { child, output: () => output };
}

function folder(t, files) {
  const dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-peer-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(dir, name), text);
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** `more`: further lines of its configuration. */
async function kamailio(t, more = '') {
  const port = await freePort(proxy);
  const modules = ['/usr/lib/x86_64-linux-gnu/kamailio/modules', '/usr/lib/aarch64-linux-gnu/kamailio/modules',
    '/usr/lib/kamailio/modules'].find(existsSync);
  const dir = folder(t, {
    'kamailio.cfg': `#!KAMAILIO
debug=2
log_stderror=yes
children=2
auto_aliases=no
tcp_source_ipv4=${proxy}
listen=udp:${proxy}:${port}
listen=tcp:${proxy}:${port}
mpath="${modules}"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) { if (loose_route()) { t_relay(); exit; } if (is_method("ACK")) { exit; } sl_send_reply("404", "Not here"); exit; }
  record_route();
  $du = "sip:127.0.0.1:${rig.daemon.sip}";
  t_relay();
}
${more}`,
  });
  const { output } = await program(t, 'kamailio', ['-DD', '-E', '-f', path.join(dir, 'kamailio.cfg'), '-Y', dir,
    '-P', path.join(dir, 'pid'), '-m', '32', '-M', '4'], (o) => /Listening on/.test(o));
  return more ? { port, output } : port;
}

async function baresip(t, port) {
  const dir = folder(t, {
    config: `sip_listen ${agent}:${port}
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
audio_player aubridge,one
audio_source aubridge,one
audio_alert aubridge,two
module_app account.so
module_app menu.so
`,
    accounts: `<sip:agent@${agent}:${port}>;regint=0;answermode=auto\n`,
    contacts: '',
  });
  return program(t, 'baresip', ['-f', dir, '-v'], (o) => /baresip is ready/i.test(o));
}

test('Kamailio in front: Record-Route, its own Vias, CANCEL and BYE', async (t) => {
  const port = await kamailio(t);
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ringing(), uas.ok(), recv('ACK'), recv('BYE'), uas.reply(200, 'OK')]);
  const caller = sipp([uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), pause(300), uac.bye(), recv(200)],
    { ip: carrier, port: await freePort(carrier), service: line.number, remote: `${proxy}:${port}` });
  await Promise.all([caller.done, callee.done]);
  const events = await rig.receiver.wait(line.where, 3);
  assert.deepEqual(events.map((e) => e.event), ['incoming_call', 'call_answered', 'call_ended']);
  assert.equal(events[0].trunk, 'kamailio');
});

test('Kamailio in front: the callee hangs up, through the route set', async (t) => {
  const port = await kamailio(t);
  const line = await rig.line();
  const callee = rig.attend(line, [uas.invite(), uas.ok(), recv('ACK'), pause(200), uas.bye(), recv(200)]);
  const caller = sipp([uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), recv('BYE'), uas.reply(200, 'OK')],
    { ip: carrier, port: await freePort(carrier), service: line.number, remote: `${proxy}:${port}` });
  await Promise.all([caller.done, callee.done]);
  assert.equal((await rig.receiver.wait(line.where, 3))[2].ended_by, 'callee');
});

test('baresip answers a call that comes through Kamailio', async (t) => {
  const port = await kamailio(t);
  const line = await rig.line({ endpoint: { format: 'form' } });
  await baresip(t, line.ports[0]);
  const caller = sipp([uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), pause(1100), uac.bye(), recv(200)],
    { ip: carrier, port: await freePort(carrier), service: line.number, remote: `${proxy}:${port}` });
  await caller.done;
  const events = await rig.receiver.wait(line.where, 3);
  assert.deepEqual(events.map((e) => e.event), ['incoming_call', 'call_answered', 'call_ended']);
  assert.equal(events[2].duration_sec, '1');
});

test('Kamailio texts by itself (uac_req_send), over UDP and TCP', async (t) => {
  const line = await rig.line();
  const text = (transport) => `
  $uac_req(method) = "MESSAGE";
  $uac_req(ruri) = "sip:${line.number}@127.0.0.1:${rig.daemon.sip};transport=${transport}";
  $uac_req(turi) = "sip:${line.number}@127.0.0.1";
  $uac_req(furi) = "sip:+19175550100@kamailio.example";
  $uac_req(hdrs) = "Content-Type: text/plain;charset=UTF-8\r\n";
  $uac_req(body) = "Schöne Grüße über ${transport}";
  $uac_req(evroute) = 1;
  uac_req_send();`;
  const { output } = await kamailio(t, `
loadmodule "uac.so"
loadmodule "xlog.so"
loadmodule "rtimer.so"
modparam("rtimer", "timer", "name=one;interval=1;mode=1;")
modparam("rtimer", "exec", "timer=one;route=TEXT")
route[TEXT] {${text('udp')}${text('tcp')}
}
event_route[uac:reply] { xlog("L_ERR", "the text got $uac_req(evcode)\n"); }
`);
  await until(() => (output().match(/the text got 202/g) ?? []).length >= 2, { what: '202 for both', timeout: 15000 });
  const events = () => new Set(rig.receiver.of(line.where).map(({ body: e }) => `${e.event} ${e.from} ${e.message}`));
  await until(() => events().size >= 2, { what: 'a text each way' });
  assert.deepEqual([...events()].sort(), ['tcp', 'udp'].map((how) => `sms_received +19175550100 Schöne Grüße über ${how}`));
});

test('a text through Kamailio as a proxy', async (t) => {
  const port = await kamailio(t);
  const line = await rig.line();
  const peer = sipp([send(`
    MESSAGE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: ${uac.from}
    To: <sip:[service]@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: 1 MESSAGE
    Max-Forwards: 70
    Content-Type: text/plain`, { body: 'relayed', retrans: 500 }), recv(202)],
  { ip: carrier, port: await freePort(carrier), service: line.number, remote: `${proxy}:${port}` });
  await peer.done;
  const [event] = await rig.receiver.wait(line.where, 1);
  assert.equal(event.message.trim(), 'relayed');
});
