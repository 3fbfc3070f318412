// Kannel 1.4 (Debian's package) as a carrier: bearerbox binds to our listener by SMPP, smsbox takes messages over HTTP.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './daemon.mjs';
import { until } from './until.mjs';

export function hasKannel() {
  try {
    execFileSync('sh', ['-c', 'command -v bearerbox && command -v smsbox'], { stdio: 'ignore' });
    return true;
  } catch { return false; }
}

/** Whether somebody listens there. */
function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

export class Kannel {
  /** `smpp`: the port to bind to. */
  static async start({ smpp, systemId = 'kannel', password = 'secret' }) {
    const k = new Kannel();
    k.dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-kannel-'));
    [k.admin, k.boxes, k.sendsms] = [await freePort(), await freePort(), await freePort()];
    const file = path.join(k.dir, 'kannel.conf');
    writeFileSync(file, `
group = core
admin-port = ${k.admin}
admin-password = bar
smsbox-port = ${k.boxes}
log-level = 1

group = smsc
smsc = smpp
smsc-id = hookswitch
host = 127.0.0.1
port = ${smpp}
transceiver-mode = true
smsc-username = ${systemId}
smsc-password = ${password}
system-type = VMA
enquire-link-interval = 1
max-pending-submits = 50
reconnect-delay = 1
log-level = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = ${k.sendsms}
log-level = 1

group = sendsms-user
username = tester
password = foobar
concatenation = true
max-messages = 10
`);
    k.log = '';
    k.processes = [];
    k.spawn('bearerbox', file);
    await k.until(() => listens(k.boxes), 'bearerbox'); // smsbox ends at once when it is not there
    k.spawn('smsbox', file);
    await k.until(() => listens(k.sendsms), 'smsbox');
    await k.until(async () => /smsbox:.*on-line/.test(await k.status()), 'smsbox at bearerbox');
    return k;
  }

  spawn(program, file) {
    const child = spawn(program, ['-v', '1', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { this.log += bytes; });
    child.exited = new Promise((resolve) => child.on('exit', resolve));
    this.processes.push(child);
  }

  async until(condition, what) {
    await until(condition, { what, timeout: 30000 }).catch((error) => {
      throw new Error(`${error.message}\n${this.log.slice(-2000)}`);
    });
  }

  async status() {
    return (await fetch(`http://127.0.0.1:${this.admin}/status.txt?password=bar`)).text();
  }

  /** Bound to us, as Kannel sees it. */
  async online() {
    await this.until(async () => /hookswitch.*\(online/.test(await this.status()), 'Kannel to be bound');
  }

  async offline() {
    await this.until(async () => !/hookswitch.*\(online/.test(await this.status()), 'Kannel to be unbound');
  }

  /** Through its HTTP interface; `coding`: 0 GSM, 2 UCS-2 (the text is UTF-8 all the same). */
  async send({ from, to, text, ...more }) {
    const query = new URLSearchParams({ username: 'tester', password: 'foobar', from, to, text, charset: 'UTF-8', ...more });
    const answer = await fetch(`http://127.0.0.1:${this.sendsms}/cgi-bin/sendsms?${query}`);
    const body = await answer.text();
    if (answer.status !== 202) throw new Error(`sendsms: ${answer.status} ${body}`);
    return body;
  }

  async stop() {
    for (const child of this.processes) child.kill('SIGKILL');
    await Promise.all(this.processes.map((c) => c.exited));
    rmSync(this.dir, { recursive: true, force: true });
  }
}
