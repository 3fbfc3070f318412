// sipp as carrier (uac) and as agent (uas). A scenario is written from steps; sipp plays it and its exit
// code is the verdict.
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from './until.mjs';

const sdp = `
v=0
o=user1 53655765 2353687637 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
`;

const lines = (text) => text.trim().split('\n').map((l) => l.trim()).filter(Boolean).join('\n');
const message = (head, body) =>
  `<![CDATA[\n${lines(head)}\nContent-Length: [len]\n${body ? `\n${lines(body)}\n` : '\n'}\n]]>`;

export const send = (head, { body = '', ...attributes } = {}) => {
  const attr = Object.entries(attributes).map(([k, v]) => ` ${k}="${v}"`).join('');
  return `<send${attr}>${message(head, body)}</send>`;
};
export const recv = (what, { optional = false, rrs = false, timeout, actions = '' } = {}) =>
  `<recv ${typeof what === 'number' ? `response="${what}"` : `request="${what}"`}`
  + `${optional ? ' optional="true"' : ''}${rrs ? ' rrs="true"' : ''}`
  + `${timeout ? ` timeout="${timeout}"` : ''} crlf="true">`
  + (actions ? `<action>${actions}</action>` : '') + '</recv>';
export const pause = (ms) => `<pause milliseconds="${ms}"/>`;

/** The calling side's messages. `headers`: more lines for the INVITE. */
export const uac = {
  from: '"Ann Lee" <sip:+19175550100@[local_ip]:[local_port]>;tag=[pid]c[call_number]',
  invite: ({ headers = '', body = sdp, retrans = 500, from = uac.from } = {}) => send(`
    INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: ${from}
    To: <sip:[service]@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: 1 INVITE
    Contact: <sip:carrier@[local_ip]:[local_port];transport=[transport]>
    Max-Forwards: 70
    ${headers ? `${headers}\n` : ''}${body ? 'Content-Type: application/sdp' : 'Subject: no offer'}`,
  { body, retrans }),
  // In the dialog, towards the Contact that the 200 gave.
  inDialog: (method, cseq, { headers = '', body = '', retrans } = {}) => send(`
    ${method} [next_url] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    [routes]
    From: ${uac.from}
    To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: ${cseq} ${method}
    Contact: <sip:carrier@[local_ip]:[local_port];transport=[transport]>
    Max-Forwards: 70
    ${headers}`.trimEnd(), { body, ...(retrans ? { retrans } : {}) }),
  ack: (cseq = 1, body = '') => uac.inDialog('ACK', cseq,
    body ? { body, headers: 'Content-Type: application/sdp' } : {}),
  bye: (cseq = 2) => uac.inDialog('BYE', cseq, { retrans: 500 }),
  ackFailure: () => send(`
    ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    [last_Via:]
    From: ${uac.from}
    To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: 1 ACK
    Max-Forwards: 70`),
  cancel: () => send(`
    CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    [last_Via:]
    From: ${uac.from}
    To: <sip:[service]@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: 1 CANCEL
    Max-Forwards: 70`, { retrans: 500 }),
  ringing: [recv(100, { optional: true }), recv(180, { optional: true }), recv(183, { optional: true })],
  sdp,
};

/** The called side's messages. */
export const uas = {
  invite: (actions = '') => recv('INVITE', { rrs: true, actions: `
    <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
    <ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>${actions}
    <log message="caller [$from] [$to]"/>` }),
  answer: (status, reason, { headers = '', body = '', retrans, tag = '[pid]a[call_number]' } = {}) => send(`
    SIP/2.0 ${status} ${reason}
    [last_Via:]
    [last_Record-Route:]
    [last_From:]
    [last_To:];tag=${tag}
    [last_Call-ID:]
    [last_CSeq:]
    Contact: <sip:agent@[local_ip]:[local_port];transport=[transport]>
    ${headers}${body ? '\nContent-Type: application/sdp' : ''}`.trimEnd(),
  { body, ...(retrans ? { retrans } : {}) }),
  ringing: () => uas.answer(180, 'Ringing'),
  ok: (more = {}) => uas.answer(200, 'OK', { body: sdp, retrans: 500, ...more }),
  // Answers to what comes inside the dialog already have the To tag.
  reply: (status, reason, { headers = '', body = '' } = {}) => send(`
    SIP/2.0 ${status} ${reason}
    [last_Via:]
    [last_From:]
    [last_To:]
    [last_Call-ID:]
    [last_CSeq:]
    Contact: <sip:agent@[local_ip]:[local_port];transport=[transport]>
    ${headers}${body ? '\nContent-Type: application/sdp' : ''}`.trimEnd(), { body }),
  // To the INVITE, after its CANCEL was answered: whose headers are no longer the last.
  terminated: () => [send(`
    SIP/2.0 487 Request Terminated
    [last_Via:]
    From:[$from]
    To:[$to];tag=[pid]a[call_number]
    Call-ID: [call_id]
    CSeq: 1 INVITE`), recv('ACK')],
  inDialog: (method, cseq, { headers = '', body = '', retrans } = {}) => send(`
    ${method} [next_url] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    [routes]
    From:[$to];tag=[pid]a[call_number]
    To:[$from]
    Call-ID: [call_id]
    CSeq: ${cseq} ${method}
    Contact: <sip:agent@[local_ip]:[local_port];transport=[transport]>
    Max-Forwards: 70
    ${headers}`.trimEnd(), { body, ...(retrans ? { retrans } : {}) }),
  bye: (cseq = 1) => uas.inDialog('BYE', cseq, { retrans: 500 }),
};

/**
 * Starts sipp with the steps, or with a whole scenario as text. `ip`: its own address (127.0.0.2 is the trunk, 127.0.0.3 the agent).
 * Gives { done: Promise, port, stop }; `done` fails unless all calls went as written.
 */
/** Is that a port of somebody's here? The kernel refuses what comes to it before, and the daemon hears that. */
const isOpen = (port) => ['udp', 'udp6', 'tcp', 'tcp6'].some((table) => readFileSync(`/proc/net/${table}`, 'utf8')
  .includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} 0`));

export function sipp(steps, { ip, port, remote, service = '+447911123456', calls = 1, rate = 1,
  transport = 'u1', timeout = 40, more = [] }) {
  const dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-sipp-'));
  const file = path.join(dir, 'scenario.xml');
  writeFileSync(file, typeof steps === 'string' ? steps : `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="e2e">\n`
    + `${steps.flat(9).join('\n')}\n</scenario>\n`);
  const args = ['-sf', file, '-i', ip, '-p', String(port), '-m', String(calls), '-t', transport,
    '-s', service, '-nostdin', '-timeout', `${timeout}s`, '-timeout_error', '-trace_err',
    '-error_file', path.join(dir, 'errors.log'), '-r', String(rate), '-recv_timeout', '30000',
    ...more, ...(remote ? [remote] : [])];
  const child = spawn('sipp', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => { output = (output + bytes).slice(-6000); });
  const done = new Promise((resolve, reject) => child.on('exit', (code) => {
    let errors = '';
    for (const name of readdirSync(dir).filter((f) => f.endsWith('.log')))
      errors += readFileSync(path.join(dir, name), 'utf8').slice(0, 6000);
    rmSync(dir, { recursive: true, force: true });
    if (code === 0) resolve();
    else reject(new Error(`sipp at ${ip}:${port} ended with ${code}\n${errors}\n${output.slice(-1500)}`));
  }));
  done.catch(() => {}); // looked at by whoever waits for it
  return { done, port, child, stop: () => child.kill('SIGKILL'), listens: () => until(() => isOpen(port) || child.exitCode !== null,
    { what: `sipp's port ${port}`, timeout: 15000 }) };
}
