// A carrier that binds to our listener, made of npm smpp; and the rig that its tests share: a daemon that listens,
// a link of mode server, numbers with endpoints.
import net from 'node:net';
import smpp from 'smpp';
import { Daemon, freePort } from './daemon.mjs';
import { Receiver } from './receiver.mjs';
import { until } from './until.mjs';

const quiet = () => {};

export class Esme {
  /** `from`: the address it comes from. */
  static async connect(port, { from = '127.0.0.1' } = {}) {
    const e = new Esme();
    e.pdus = [];
    const socket = net.connect({ host: '127.0.0.1', port, localAddress: from });
    e.session = new smpp.Session({ socket });
    e.socket = socket;
    e.session.on('error', quiet);
    e.closed = new Promise((resolve) => socket.once('close', () => { e.isClosed = true; resolve(); }));
    e.session.on('pdu', (pdu) => {
      e.pdus.push(pdu);
      if (pdu.command === 'enquire_link' && !e.mute) e.session.send(pdu.response());
      if (pdu.command === 'unbind') e.session.send(pdu.response());
    });
    await new Promise((resolve) => { socket.once('connect', resolve); socket.once('error', resolve); });
    return e;
  }

  /** Any request; its response, or null when the connection ends first. */
  ask(command, fields = {}) {
    return new Promise((resolve) => {
      if (this.isClosed) { resolve(null); return; }
      this.closed.then(() => resolve(null));
      this.session[command](fields, resolve);
    });
  }

  bind(fields = {}, kind = 'transceiver') {
    return this.ask(`bind_${kind}`, { system_id: 'carrier', password: 'secret', interface_version: 0x34, ...fields });
  }

  deliver(fields) {
    return this.ask('deliver_sm', { source_addr_ton: 1, source_addr_npi: 1, dest_addr_ton: 1, dest_addr_npi: 1, ...fields });
  }

  destroy() { this.socket.destroy(); return this.closed; }
}

export class SmppRig {
  static async start(sets = {}, link = {}) {
    const rig = new SmppRig();
    rig.receiver = await Receiver.start();
    rig.port = await freePort();
    rig.daemon = await Daemon.start({ 'smpp.listen': `127.0.0.1:${rig.port}`, ...sets });
    rig.next = 0;
    rig.link = await rig.daemon.must('POST', '/v1/smpp-links', { name: 'carrier', mode: 'server', system_id: 'carrier',
      password: 'secret', max_binds: 64, ...link });
    rig.esmes = [];
    return rig;
  }

  /** A number that takes SMS, and an endpoint for it. */
  async line(more = {}) {
    const number = `+4479222${String(10000 + this.next++)}`;
    const where = `/sms/${number.slice(1)}`;
    await this.daemon.must('POST', '/v1/numbers', { number, label: 'sms', sms: true, ...more });
    const made = await this.daemon.must('POST', '/v1/endpoints', this.receiver.endpoint(where, { numbers: [number] }));
    this.receiver.expect(where, made);
    return { number, digits: number.slice(1), where, endpoint: made };
  }

  async connect(more) {
    const e = await Esme.connect(this.port, more);
    this.esmes.push(e);
    return e;
  }

  /** Connects and binds; fails when it is not let in. */
  async bound(fields = {}, kind = 'transceiver', more = {}) {
    let e, answer;
    await until(async () => { // a link that was just made or changed is there within a moment
      e = await this.connect(more);
      answer = await e.bind(fields, kind);
      return answer?.command_status === 0;
    }, { what: `a bind (${answer?.command_status})` });
    return e;
  }

  async status() { return (await this.daemon.must('GET', `/v1/smpp-links/${this.link.id}`)).status; }

  async metric(name) {
    const { text } = await this.daemon.api('GET', '/metrics');
    const line = text.split('\n').find((l) => l.startsWith(`${name} `));
    return line ? Number(line.split(' ').pop()) : undefined;
  }

  async events(number) {
    return (await this.daemon.must('GET', `/v1/events?limit=200&number=${encodeURIComponent(number)}`)).data;
  }

  async stop() {
    for (const e of this.esmes) e.socket.destroy();
    await this.daemon.stop();
    await this.receiver.stop();
  }
}
