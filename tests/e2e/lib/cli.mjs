// The program as a command: run to its end, or kept running and talked to.
import { spawn } from 'node:child_process';
import { binary, key as operator } from './daemon.mjs';
import { until } from './until.mjs';

const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOOKSWITCH_')));

export class Command {
  /** `terminal`: columns of one that it believes to write to (script(1) gives it). */
  constructor(daemon, args, { key = operator, env = {}, input = '', terminal } = {}) {
    this.out = '';
    this.err = '';
    const quoted = [binary, ...args].map((s) => `'${s.replaceAll("'", "'\\''")}'`).join(' ');
    const [file, words] = terminal ? ['script', ['-qec', `stty cols ${terminal}; ${quoted}`, '/dev/null']] : [binary, args];
    this.process = spawn(file, words, { env: { ...inherited, ...(daemon ? { HOOKSWITCH_URL: daemon.url } : {}),
      ...(key ? { HOOKSWITCH_KEY: key } : {}), ...env } });
    this.process.stdout.setEncoding('utf8').on('data', (s) => { this.out += s; });
    this.process.stderr.setEncoding('utf8').on('data', (s) => { this.err += s; });
    this.process.stdin.on('error', () => {});
    this.process.stdin.end(input);
    this.done = new Promise((resolve) => this.process.on('close', (code, signal) => {
      this.end = { code, signal };
      resolve(this);
    })).then((c) => Object.assign(c, { code: this.end.code }));
  }

  says(pattern, timeout = 10000) {
    return until(() => {
      const found = pattern.exec(this.out + this.err);
      if (!found && this.end) throw new Error(`the daemon ended: ${JSON.stringify(this.end)} ${this.out}${this.err}`);
      return found;
    }, { timeout, what: `${pattern} in: ${this.out}${this.err}` });
  }

  async interrupt() {
    this.process.kill('SIGINT');
    await this.done;
    return this;
  }
}

/** Run to its end: { code, out, err }. */
export const cli = (daemon, args, more) => new Command(daemon, args, more).done;
