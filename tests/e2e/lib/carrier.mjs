// A carrier's SMSC made of npm smpp: we bind to it. What it answers to a bind, and whether it answers
// enquire_link at all, is the test's to say; it remembers what it was sent.
import smpp from 'smpp';
import { until } from './until.mjs';

const quiet = () => {};

export class Carrier {
  constructor() {
    this.password = 'secret';
    this.bindStatus = () => smpp.ESME_ROK;  // (pdu) → status, or null: no answer at all
    this.enquire = true;                    // answers enquire_link
    this.pdus = [];                         // what came, over all sessions, in order
    this.bound = [];                        // sessions that are bound now
    this.open = new Set();                  // sockets
    this.connections = 0;
  }

  /** `options`: port, host; key and cert: TLS; allowHalfOpen. */
  static async start(options = {}) {
    const c = new Carrier();
    await c.listen({ host: '127.0.0.1', port: 0, ...options });
    return c;
  }

  async listen(options = this.options) {
    this.server = smpp.createServer(options, (session) => this.serve(session));
    this.server.on('error', quiet); // a TLS handshake that the other side broke off
    this.server.on('connection', (socket) => {
      this.connections++;
      this.open.add(socket);
      socket.on('error', quiet).on('close', () => this.open.delete(socket));
    });
    await new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(options.port, options.host, resolve);
    });
    this.port = this.server.address().port;
    this.options = { ...options, port: this.port };
  }

  serve(session) {
    session.on('error', quiet).setMaxListeners(0);
    session.on('close', () => { this.bound = this.bound.filter((s) => s !== session); });
    session.on('pdu', (pdu) => {
      this.pdus.push(pdu);
      switch (pdu.command) {
        case 'bind_transceiver':
        case 'bind_receiver': {
          const wrong = pdu.password !== this.password && smpp.ESME_RINVPASWD;
          const status = wrong || this.bindStatus(pdu);
          if (status === null) return;
          session.send(pdu.response({ command_status: status, system_id: 'carrier' }));
          if (status === smpp.ESME_ROK) this.bound.push(session);
          break;
        }
        case 'enquire_link':
          if (this.enquire) session.send(pdu.response());
          break;
        case 'unbind':
          this.bound = this.bound.filter((s) => s !== session);
          session.send(pdu.response());
          session.close();
          break;
      }
    });
  }

  seen(command) { return this.pdus.filter((p) => p.command === command); }

  /** Waits until `n` sessions are bound; gives them. */
  async binds(n = 1, timeout = 15000) {
    await until(() => this.bound.length === n, { what: `${n} binds (there: ${this.bound.length})`, timeout });
    return this.bound;
  }

  /** One deliver_sm over a bound session; its response. Rejects when the session ends first. */
  deliver(fields, session = this.bound[0]) {
    return new Promise((resolve, reject) => {
      session.once('close', () => reject(new Error('the session ended')));
      session.deliver_sm({ source_addr_ton: 1, source_addr_npi: 1, dest_addr_ton: 1, dest_addr_npi: 1, ...fields }, resolve);
    });
  }

  /** Ends all connections at once and stops listening; `listen()` comes back on the same port. */
  async stop() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.open) socket.destroy();
    this.bound = []; // their 'close' may come after the server's
    await closed;
  }
}

/** What POST /v1/smpp-links wants for a link to it. */
export function linkTo(carrier, more = {}) {
  return { mode: 'client', name: 'carrier', host: carrier.options.host, port: carrier.port, system_id: 'hook',
    password: 'secret', ...more };
}

/** Waits until the link is in that state (and `detail` fits); gives its status. */
export async function linkState(daemon, id, state, detail = /^/, timeout = 15000) {
  let status;
  await until(async () => {
    ({ status } = await daemon.must('GET', `/v1/smpp-links/${id}`));
    return status.state === state && detail.test(status.detail ?? '');
  }, { what: `the link to be ${state} ${detail}`, timeout }).catch((error) => {
    throw new Error(`${error.message}; it is ${JSON.stringify(status)}`);
  });
  return status;
}
