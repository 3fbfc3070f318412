// One hookswitch on a temporary store: started, configured over its API, killed, started again.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { until } from './until.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const binary = process.env.HOOKSWITCH_BINARY ?? path.join(root, 'build/hookswitch');
export const key = 'hsk_e2e_operator_key_0123456789abcdef';

// What steers the tests (HOOKSWITCH_KILLS …) would be an unknown key of its configuration to the daemon.
const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOOKSWITCH_')));

/** A port that is free for TCP and UDP on `host` right now. */
export async function freePort(host = '127.0.0.1') {
  for (;;) {
    const port = await new Promise((resolve, reject) => {
      const s = createServer().on('error', reject);
      s.listen(0, host, () => { const { port } = s.address(); s.close(() => resolve(port)); });
    });
    const taken = await new Promise((resolve) => {
      const u = createSocket('udp4').on('error', () => resolve(true));
      u.bind(port, host, () => u.close(() => resolve(false)));
    });
    if (!taken) return port;
  }
}

/** The daemon in a mount namespace of its own, with that file as its resolv.conf. */
const withResolvConf = (file) => ['unshare', process.getuid() === 0 ? '-m' : '-rm', 'sh', '-c',
  `mount --bind ${file} /etc/resolv.conf && exec ${binary} "$@"`, 'sh'];

export class Daemon {
  constructor(dir, http, sip, sets, { listen = '127.0.0.1', env = {} } = {}) {
    Object.assign(this, { dir, http, sip, sets, listen, env, log: '' });
    this.url = `http://127.0.0.1:${http}`;
  }

  /** `sets`: further --set values, e.g. { 'sip.t1_ms': 100 }; `listen`: where the API is; `env`: of its environment. */
  static async start(sets = {}, more = {}) {
    const d = await Daemon.make(sets, more);
    await d.run();
    return d;
  }

  /** Not running yet. */
  static async make(sets = {}, more = {}) {
    return new Daemon(mkdtempSync(path.join(tmpdir(), 'hookswitch-e2e-')), await freePort(), await freePort(), sets, more);
  }

  async run() {
    const sets = {
      data_dir: this.dir,
      'http.listen': `${this.listen}:${this.http}`,
      'sip.listen': `udp:127.0.0.1:${this.sip},tcp:127.0.0.1:${this.sip}`,
      'http_client.allow': '127.0.0.0/8',
      'bootstrap.admin_key': key,
      ...this.sets,
    };
    const args = Object.entries(sets).flatMap(([k, v]) => ['--set', `${k}=${v}`]);
    const [program, ...before] = this.resolvConf ? withResolvConf(this.resolvConf) : [binary];
    this.process = spawn(program, [...before, 'serve', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'], env: { ...inherited, ...this.env } });
    this.exited = new Promise((resolve) => this.process.on('exit', (code, signal) => {
      this.end = { code, signal };
      resolve(this.end);
    }));
    for (const stream of [this.process.stdout, this.process.stderr])
      stream.on('data', (bytes) => { this.log += bytes; });
    const started = Date.now();
    await until(async () => {
      if (this.end) throw new Error(`the daemon ended: ${JSON.stringify(this.end)}\n${this.log}`);
      return (await fetch(`${this.url}/readyz`)).status === 200;
    }, { what: 'readyz', timeout: 20000 });
    this.readyAfterMs = Date.now() - started;
  }

  async kill(signal = 'SIGKILL') {
    if (!this.process) return this.end;
    this.process.kill(signal);
    const end = await this.exited;
    this.process = this.end = undefined;
    return end;
  }

  /** The gauges of /metrics with those names. */
  async gauges(names) {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return Object.fromEntries(names.map((name) => [name, Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)[1])]));
  }

  /** Waits until no call is left (the peers of one may be gone: its INVITE has 64 × T1), then for its SIP transactions and look-ups,
   *  which have as long again. */
  async quiet() {
    const timeout = 64 * (this.sets['sip.t1_ms'] ?? 500) + 6000;
    for (const names of [['hookswitch_calls_active'],
      ['hookswitch_calls_active', 'hookswitch_sip_dialogs', 'hookswitch_sip_transactions', 'hookswitch_lookups']]) {
      let left;
      await until(async () => {
        left = await this.gauges(names);
        return Object.values(left).every((n) => n === 0);
      }, { what: 'calls, dialogs, transactions and look-ups to end', timeout, every: 50 })
        .catch((error) => { throw new Error(`${error.message}: ${JSON.stringify(left)}`); });
    }
  }

  /** Hangs up what is still up, as an operator does; its peers must be there to hear it. */
  async hangUp() {
    if (!this.process || this.end) return;
    const patient = async (method, where) => { // a test may have used up what the key may ask in a second
      let answer;
      await until(async () => (answer = await this.api(method, where)).status !== 429, { what: `${method} ${where}`, timeout: 20000 });
      return answer.json;
    };
    for (const call of (await patient('GET', '/v1/calls?limit=100')).data)
      if (!call.ended_at) await patient('POST', `/v1/calls/${call.id}/hangup`);
  }

  async restart() {
    await this.kill();
    await this.run();
  }

  /** The end of a test of calls: hangs up, stops and looks at what is left, and closes the test's own peers, whatever failed. */
  async finish(peers = []) {
    try {
      await this.hangUp();
      await this.stop();
    } finally {
      await this.kill();
      for (const peer of peers) peer.close();
    }
  }

  /** `inUse`: calls, or what asks the DNS, are left on purpose. */
  async stop({ inUse = false } = {}) {
    let end;
    try {
      if (this.process && !this.end && !inUse) await this.quiet();
    } finally {
      end = await this.kill('SIGTERM');
      rmSync(this.dir, { recursive: true, force: true });
    }
    return end;
  }

  async api(method, where, body, headers = {}) {
    const answer = await fetch(this.url + where, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    let json;
    try { json = JSON.parse(text); } catch { /* metrics and pages are text */ }
    return { status: answer.status, headers: answer.headers, text, json };
  }

  /** The same, but anything other than 2xx fails the test. */
  async must(method, where, body) {
    const answer = await this.api(method, where, body);
    if (answer.status < 200 || answer.status > 299)
      throw new Error(`${method} ${where}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  /** A number whose calls go to `targets`, and an endpoint for its events. */
  async number(number, targets, endpoint) {
    await this.must('POST', '/v1/numbers', { number, label: 'e2e' });
    await this.must('PUT', `/v1/numbers/${encodeURIComponent(number)}/forward`, { targets });
    return endpoint ? this.must('POST', '/v1/endpoints', { numbers: [number], ...endpoint }) : null;
  }
}
