// A sender of SIP MESSAGEs of a few lines, over UDP or TCP: what sipp will not do, sending the same bytes again,
// bodies of any bytes, and looking at each answer.
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { until } from './until.mjs';

export class Texter {
  static async open(host, remotePort, { tcp = false } = {}) {
    const t = new Texter();
    Object.assign(t, { host, remotePort, tcp, answers: [], made: 0, own: Math.random().toString(36).slice(2), text: '' });
    if (tcp) {
      t.socket = connect({ host: '127.0.0.1', port: remotePort, localAddress: host, noDelay: true });
      t.socket.on('data', (bytes) => t.take(bytes.toString('latin1')));
      t.socket.on('error', () => {});
      await new Promise((resolve, reject) => { t.socket.on('connect', resolve); t.socket.on('error', reject); });
    } else {
      t.socket = createSocket('udp4');
      t.socket.on('message', (bytes) => t.answers.push(bytes.toString('latin1')));
      await new Promise((resolve) => t.socket.bind(0, host, resolve));
    }
    t.socket.unref(); // a test that fails before close() must not keep the file from ending
    return t;
  }

  take(piece) { // our answers have no body
    this.text += piece;
    for (let end; (end = this.text.indexOf('\r\n\r\n')) >= 0; this.text = this.text.slice(end + 4))
      this.answers.push(this.text.slice(0, end + 4));
  }

  /** The bytes of a MESSAGE; `body`: text or Buffer. */
  write(number, body = '', { type = 'text/plain', headers = [], from = '<sip:+19175550100@carrier.example>',
    callId = `${this.own}-${++this.made}`, cseq = 1, tag = 't', branch = `z9hG4bK${callId}-${cseq}`, to = '',
    length, uri = `sip:${number}@127.0.0.1:${this.remotePort}` } = {}) {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
    const head = [`MESSAGE ${uri} SIP/2.0`,
      `Via: SIP/2.0/${this.tcp ? 'TCP' : 'UDP'} ${this.host}:5060;branch=${branch};rport`,
      `From: ${from};tag=${tag}`, `To: <sip:${number}@127.0.0.1>${to}`, `Call-ID: ${callId}`, `CSeq: ${cseq} MESSAGE`,
      'Max-Forwards: 70', ...(type ? [`Content-Type: ${type}`] : []), ...headers,
      `Content-Length: ${length ?? bytes.length}`, '', ''].join('\r\n');
    return { callId, cseq, branch, bytes: Buffer.concat([Buffer.from(head), bytes]) };
  }

  /** Sends what write() gave, as often as one likes. */
  send(message) {
    return new Promise((resolve) => {
      if (this.tcp) this.socket.write(message.bytes, resolve);
      else this.socket.send(message.bytes, this.remotePort, '127.0.0.1', resolve);
    });
  }

  /** All answers to it, by its branch. */
  of(message) {
    return this.answers.filter((a) => a.includes(`branch=${message.branch};`) || a.includes(`branch=${message.branch}\r`));
  }

  /** Waits for its n-th answer: { status, text }. */
  async wait(message, n = 1, timeout = 10000) {
    await until(() => this.of(message).length >= n, { what: `answer ${n} to ${message.callId}`, timeout });
    const text = this.of(message)[n - 1];
    return { status: Number(text.slice(8, 11)), text };
  }

  /** Writes, sends, waits. */
  async ask(number, body, more) {
    const message = this.write(number, body, more);
    await this.send(message);
    return { ...await this.wait(message), message };
  }

  close() {
    if (this.tcp) this.socket.destroy();
    else this.socket.close();
  }
}
