// A called agent of a few lines over UDP, TCP or TLS: it answers INVITEs as it is told, everything else with 200, and
// keeps what it was sent and over which connections.
import { createSocket } from 'node:dgram';
import net from 'node:net';
import tls from 'node:tls';
import { until } from './until.mjs';

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\nm=audio 40002 RTP/AVP 0\r\n';

const header = (text, name) => new RegExp(`^${name}: ?([^\\r]*)`, 'mi').exec(text)?.[1];

/** An answer to that request; `tag` for a To that has none yet. */
export function answerTo(text, status, { tag = 'agent', contact, body = '', more = [] } = {}) {
  const to = header(text, 'To');
  return [`SIP/2.0 ${status} Said`, ...(text.match(/^Via: [^\r]*/gm) ?? []), `From: ${header(text, 'From')}`,
    `To: ${to}${/;tag=/.test(to) || status === 100 ? '' : `;tag=${tag}`}`, `Call-ID: ${header(text, 'Call-ID')}`,
    `CSeq: ${header(text, 'CSeq')}`, ...(contact ? [`Contact: <${contact}>`] : []), ...more,
    ...(body ? ['Content-Type: application/sdp'] : []), `Content-Length: ${body.length}`, '', body].join('\r\n');
}

export class Agent {
  /** `transport`: udp, tcp or tls (then `certificate`); `answer(request)`: a status, or a whole text, or nothing;
   * `contact`: of the 200; `silent`: methods that it hears and does not answer. */
  static async open({ transport = 'udp', host = '127.0.0.3', port = 0, certificate, answer = () => 200, contact, silent = [] } = {}) {
    const a = new Agent();
    Object.assign(a, { transport, host, answer, contact, silent, requests: [], connections: new Set(), opened: 0 });
    if (transport === 'udp') {
      a.socket = createSocket('udp4');
      a.socket.on('message', (bytes, from) => a.take(bytes.toString(), (text) => a.socket.send(text, from.port, from.address), from));
      await new Promise((resolve) => a.socket.bind(port, host, resolve));
      a.socket.unref();
      a.port = a.socket.address().port;
      return a;
    }
    a.server = transport === 'tls' ? tls.createServer(certificate, (c) => a.hold(c)) : net.createServer((c) => a.hold(c));
    await new Promise((resolve) => a.server.listen(port, host, resolve));
    a.server.unref();
    a.port = a.server.address().port;
    return a;
  }

  hold(c) {
    let rest = '';
    this.connections.add(c);
    this.opened++;
    c.unref();
    c.on('error', () => {}).on('close', () => this.connections.delete(c)).on('data', (bytes) => {
      rest += bytes.toString('latin1');
      for (;;) {
        const end = rest.indexOf('\r\n\r\n');
        const size = end < 0 ? 0 : end + 4 + Number(header(rest.slice(0, end + 2), 'Content-Length') ?? 0);
        if (end < 0 || rest.length < size) return;
        this.take(rest.slice(0, size), (text) => c.write(text, 'latin1'), c);
        rest = rest.slice(size);
      }
    });
  }

  take(text, say) {
    const method = /^[A-Z]+/.exec(text)?.[0];
    if (!method || text.startsWith('SIP/2.0 ')) return;
    this.requests.push({ method, id: header(text, 'Call-ID'), text });
    if (method === 'ACK' || this.silent.includes(method)) return;
    if (method !== 'INVITE') { say(answerTo(text, 200)); return; }
    const said = this.answer(text);
    if (typeof said === 'string') say(said);
    else if (said)
      say(answerTo(text, said, said === 200
        ? { contact: this.contact ?? `sip:agent@${this.host}:${this.port};transport=${this.transport}`, body: sdp } : {}));
  }

  uri(host = this.host) {
    return `sip:agent@${host}:${this.port};transport=${this.transport}`;
  }

  /** Requests with that method so far. */
  of(method) { return this.requests.filter((r) => r.method === method); }

  async wait(method, n = 1) {
    await until(() => this.of(method).length >= n, { what: `${n} × ${method} at the agent`, timeout: 15000 });
    return this.of(method)[n - 1];
  }

  close() {
    for (const c of this.connections) c.destroy();
    this.server?.close();
    this.socket?.close();
  }
}
