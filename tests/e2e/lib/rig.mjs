// What most call tests share: a daemon with a trunk at 127.0.0.2 and a receiver; each call gets its own
// number, agent port and endpoint path, so that tests do not see each other's events.
import { Daemon, freePort } from './daemon.mjs';
import { Receiver } from './receiver.mjs';
import { sipp } from './sipp.mjs';

export const carrier = '127.0.0.2';
export const agent = '127.0.0.3';

export class Rig {
  static async start(sets = {}, more = {}) {
    const rig = new Rig();
    rig.receiver = await Receiver.start();
    rig.daemon = await Daemon.start({ 'sip.t1_ms': 100, ...sets }, more);
    rig.next = 0;
    await rig.daemon.must('POST', '/v1/trunks', { name: 'carrier', sources: [`${carrier}/32`] });
    return rig;
  }

  /** A number with `n` agents (ports on 127.0.0.3) as targets, and an endpoint that wants all events. */
  async line({ n = 1, target = {}, endpoint = {}, type = 'sip', transport = '' } = {}) {
    const number = `+4479111${String(10000 + this.next++)}`;
    const where = `/hook/${number.slice(1)}`;
    const ports = [];
    const targets = [];
    for (let i = 0; i < n; i++) {
      const port = await freePort(agent);
      ports.push(port);
      const destination = type === 'sip' ? `sip:agent@${agent}:${port}${transport}` : `${agent}:${port}`;
      targets.push({ type, destination, ring_timeout_s: 20, ...(Array.isArray(target) ? target[i] : target) });
    }
    const made = await this.daemon.number(number, targets, this.receiver.endpoint(where, endpoint));
    this.receiver.expect(where, made);
    return { number, where, ports, endpoint: made };
  }

  async carry(line, steps, more = {}) {
    await line.callee?.listens();
    return sipp(steps, { ip: carrier, port: await freePort(carrier), service: line.number,
      remote: `127.0.0.1:${this.daemon.sip}`, ...more });
  }

  attend(line, steps, more = {}) {
    line.callee = sipp(steps, { ip: agent, port: line.ports[0], ...more });
    return line.callee;
  }

  async stop(how) {
    try {
      await this.daemon.stop(how);
    } finally {
      await this.receiver.stop();
    }
  }
}
