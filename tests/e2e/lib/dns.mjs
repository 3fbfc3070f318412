// A name server of a few lines: it knows the SRV and A records that it is given, and says of all else that there is none.
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const name = (n) => Buffer.concat([...n.split('.').map((l) => Buffer.concat([Buffer.from([l.length]), Buffer.from(l)])), Buffer.from([0])]);
const A = 1, SRV = 33;

function srv({ priority, port, host }) {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(priority, 0);
  head.writeUInt16BE(10, 2);
  head.writeUInt16BE(port, 4);
  return Buffer.concat([head, name(host)]);
}

export class NameServer {
  /** `zone`: name → { srv: [{ priority, port, host }], a: ['127.0.0.1'] }. It listens at port 53 of `host`. */
  static async open(zone, host = '127.0.0.53') {
    const s = new NameServer();
    s.zone = zone;
    s.dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-dns-'));
    s.resolvConf = path.join(s.dir, 'resolv.conf');
    writeFileSync(s.resolvConf, `nameserver ${host}\n`);
    s.socket = createSocket('udp4');
    s.socket.on('message', (q, from) => s.socket.send(s.answer(q), from.port, from.address));
    await new Promise((resolve, reject) => s.socket.once('error', reject).bind(53, host, resolve));
    s.socket.unref();
    return s;
  }

  records(host, type) {
    const of = this.zone[host] ?? {};
    if (type === SRV) return (of.srv ?? []).map(srv);
    return type === A ? (of.a ?? []).map((ip) => Buffer.from(ip.split('.').map(Number))) : [];
  }

  answer(q) {
    const labels = [];
    let at = 12;
    for (; q[at]; at += 1 + q[at]) labels.push(q.subarray(at + 1, at + 1 + q[at]).toString());
    const host = labels.join('.').toLowerCase(), type = q.readUInt16BE(at + 1);
    const records = this.records(host, type), head = Buffer.from(q.subarray(0, 12));
    head.writeUInt16BE(this.zone[host] ? 0x8180 : 0x8183, 2);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt32BE(0, 8);
    const parts = [head, q.subarray(12, at + 5)];
    for (const data of records) {
      const record = Buffer.alloc(12); // its name is the question's
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt32BE(30, 6);
      record.writeUInt16BE(data.length, 10);
      parts.push(record, data);
    }
    return Buffer.concat(parts);
  }

  close() {
    this.socket.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
