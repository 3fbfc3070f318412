// SMPP by hand: PDUs written as bytes, whatever they should be, over a plain socket.
import net from 'node:net';
import { until } from './until.mjs';

export const command = {
  generic_nack: 0x80000000, bind_receiver: 1, bind_transmitter: 2, query_sm: 3, submit_sm: 4, deliver_sm: 5, unbind: 6,
  replace_sm: 7, cancel_sm: 8, bind_transceiver: 9, outbind: 0x0b, enquire_link: 0x15, submit_multi: 0x21,
  alert_notification: 0x102, data_sm: 0x103,
};
export const resp = (name) => (command[name] | 0x80000000) >>> 0;
export const status = { ROK: 0, RINVMSGLEN: 1, RINVCMDLEN: 2, RINVCMDID: 3, RINVBNDSTS: 4, RALYBND: 5, RINVDSTADR: 0x0b,
  RBINDFAIL: 0x0d, RTHROTTLED: 0x58, RSUBMITFAIL: 0x45, RINVOPTPARSTREAM: 0xc0, ROPTPARNOTALLWD: 0xc1, RINVPARLEN: 0xc2 };

export const z = (text) => Buffer.from(`${text}\0`, 'latin1');
export const u8 = (...n) => Buffer.from(n);
export const u16 = (n) => { const b = Buffer.alloc(2); b.writeUInt16BE(n); return b; };
export const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n >>> 0); return b; };
export const join = (...parts) => Buffer.concat(parts);
export const tlv = (tag, value) => join(u16(tag), u16(value.length), value);

let sequence = 0;
/** `length`: a lie; by default the truth. */
export function pdu(id, body = Buffer.alloc(0), { length = 16 + body.length, seq = ++sequence, status: s = 0 } = {}) {
  return join(u32(length), u32(typeof id === 'number' ? id : command[id]), u32(s), u32(seq), body);
}

export const bind = (id, password, kind = 'bind_transceiver', more = {}) =>
  pdu(kind, join(z(id), z(password), z(''), u8(0x34, 0, 0), z('')), more);

/** deliver_sm's body up to short_message. */
export const head = (to, { esm = 0, coding = 0, source = '19175550100' } = {}) =>
  join(z(''), u8(1, 1), z(source), u8(1, 1), z(to), u8(esm, 0, 0), z(''), z(''), u8(0, 0, coding, 0));
export const text = (s) => { const b = Buffer.isBuffer(s) ? s : Buffer.from(s); return join(u8(b.length), b); };
export const deliver = (to, s = 'x', more = {}, rest = Buffer.alloc(0), how = {}) =>
  pdu('deliver_sm', join(head(to, more), text(s), rest), how);

export class Raw {
  static async connect(port, { from, allowHalfOpen = true } = {}) {
    const r = new Raw();
    r.got = [];
    r.bytes = Buffer.alloc(0);
    r.socket = net.connect({ host: '127.0.0.1', port, localAddress: from, allowHalfOpen });
    r.closed = new Promise((resolve) => {
      r.socket.on('error', () => { r.isClosed = true; resolve(); });
      r.socket.on('end', () => { r.isClosed = true; resolve(); });
      r.socket.on('close', () => { r.isClosed = true; resolve(); });
    });
    r.socket.on('data', (b) => r.take(b));
    await new Promise((resolve) => { r.socket.once('connect', resolve); r.closed.then(resolve); });
    return r;
  }

  take(b) {
    this.bytes = Buffer.concat([this.bytes, b]);
    while (this.bytes.length >= 16 && this.bytes.length >= this.bytes.readUInt32BE(0)) {
      const n = this.bytes.readUInt32BE(0);
      const p = this.bytes.subarray(0, n);
      const got = { id: p.readUInt32BE(4), status: p.readUInt32BE(8), seq: p.readUInt32BE(12) };
      this.got.push(got);
      if (got.id === command.enquire_link && !this.mute) this.send(pdu(resp('enquire_link'), undefined, { seq: got.seq }));
      this.bytes = this.bytes.subarray(n);
    }
  }

  send(...parts) {
    if (!this.socket.destroyed) this.socket.write(join(...parts));
    return this;
  }

  /** Waits for the next answer of that kind (those before are dropped); fails when its status is another. */
  async answer(id, wanted, timeout = 5000) {
    const want = typeof id === 'number' ? id : id === 'generic_nack' ? command.generic_nack : resp(id);
    let found;
    await until(() => {
      const i = this.got.findIndex((g) => g.id === want);
      if (i >= 0) [found] = this.got.splice(0, i + 1).slice(-1);
      return found;
    }, { what: `an answer ${want.toString(16)} (there: ${JSON.stringify(this.got)}${this.isClosed ? ', closed' : ''})`, timeout });
    if (found.status !== wanted) throw new Error(`status 0x${found.status.toString(16)}, not 0x${wanted.toString(16)}`);
    return found;
  }

  /** Waits until the other side has closed. */
  async ends(within) {
    const started = Date.now();
    await until(() => this.isClosed, { what: 'the end of the connection', timeout: within });
    return Date.now() - started;
  }

  destroy() { this.socket.destroy(); }
  reset() { this.socket.resetAndDestroy(); }
}
