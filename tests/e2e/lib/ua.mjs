// A caller and a callee of a few lines on UDP sockets, for what sipp will not do: losing an ACK on purpose,
// sending the same INVITE twice, many targets on one port.
import { createSocket } from 'node:dgram';
import { answerTo } from './agent.mjs';
import { until } from './until.mjs';

export const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n';

export class Caller {
  static async open(host, remotePort) {
    const c = new Caller();
    Object.assign(c, { host, remotePort, answers: [], requests: [], id: Math.random().toString(36).slice(2) });
    c.socket = createSocket('udp4');
    c.socket.on('message', (bytes, from) => { // the port may have been another's, to whom something is repeated still
      if (!bytes.includes(`${c.id}@test`)) return;
      const text = bytes.toString();
      if (text.startsWith('SIP/2.0 ')) c.answers.push(text);
      else {
        c.requests.push(text);
        if (!text.startsWith('ACK ')) c.socket.send(answerTo(text, 200), from.port, from.address);
      }
    });
    await new Promise((resolve) => c.socket.bind(0, host, resolve));
    c.socket.unref(); // a test that fails before close() must not keep the file from ending
    c.port = c.socket.address().port;
    return c;
  }

  /** `from`: name and address; `display`: a name before the address in To; `headers`: further lines. */
  send(method, number, { cseq = 1, branch = `z9hG4bK${this.id}${cseq}${method}`, to = '', uri, headers = [], display = '',
    from = `"Ann Lee" <sip:+19175550100@${this.host}>`, user = 'ann', type = 'application/sdp', body = method === 'INVITE' ? sdp : '' } = {}) {
    const text = [
      `${method} ${uri ?? `sip:${number}@127.0.0.1:${this.remotePort}`} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.host}:${this.port};branch=${branch};rport`,
      `From: ${from};tag=${this.id}`,
      `To: ${display}<sip:${number}@127.0.0.1>${to}`, `Call-ID: ${this.id}@test`, `CSeq: ${cseq} ${method}`,
      `Contact: <sip:${user}@${this.host}:${this.port}>`, 'Max-Forwards: 70', ...headers,
      ...(body ? [`Content-Type: ${type}`] : []), `Content-Length: ${Buffer.byteLength(body)}`, '', body,
    ].join('\r\n');
    return new Promise((resolve) => this.socket.send(text, this.remotePort, '127.0.0.1', resolve));
  }

  /** All answers with that status to that method. */
  of(status, method) {
    return this.answers.filter((a) => a.startsWith(`SIP/2.0 ${status} `) && new RegExp(`^CSeq: \\d+ ${method}`, 'm').test(a));
  }

  async wait(status, method, n = 1) {
    await until(() => this.of(status, method).length >= n, { what: `${n} × ${status} to ${method}`, timeout: 15000 });
    const answer = this.of(status, method)[n - 1];
    return { to: /^To:[^\r]*(;tag=[^;\r]+)/m.exec(answer)?.[1] ?? '', uri: /^Contact: <([^>]+)>/m.exec(answer)?.[1] };
  }

  /** INVITE, its 200 and the ACK. */
  async talk(number) {
    await this.send('INVITE', number);
    this.within = await this.wait(200, 'INVITE');
    await this.send('ACK', number, this.within);
  }

  bye(number) { return this.send('BYE', number, { cseq: 2, ...this.within }); }

  close() {
    this.socket.close();
  }
}

/** Refuses every INVITE with the status that its user part names (sip:s603@…), and keeps what came. */
export class Refuser {
  static async open(host) {
    const r = new Refuser();
    Object.assign(r, { host, invites: [] });
    r.socket = createSocket('udp4');
    r.socket.on('message', (bytes, from) => r.take(bytes.toString(), from));
    await new Promise((resolve) => r.socket.bind(0, host, resolve));
    r.socket.unref();
    r.port = r.socket.address().port;
    return r;
  }

  take(text, from) {
    if (!text.startsWith('INVITE ')) return;
    const line = (name) => new RegExp(`^${name}:[^\\r]*`, 'm').exec(text)[0];
    const status = /^INVITE sip:s(\d+)/.exec(text)[1];
    if (!this.invites.some((i) => i.id === line('Call-ID'))) this.invites.push({ id: line('Call-ID'), text });
    this.socket.send([`SIP/2.0 ${status} No`, line('Via'), line('From'), `${line('To')};tag=r`, line('Call-ID'),
      line('CSeq'), 'Content-Length: 0', '', ''].join('\r\n'), from.port, from.address);
  }

  target(status, more = {}) {
    return { type: 'sip', destination: `sip:s${status}@${this.host}:${this.port}`, ...more };
  }

  close() {
    this.socket.close();
  }
}

/** Answers what it is sent: INVITE with 200 and `headers`, everything else with a bare 200; keeps the requests. */
export class Answerer {
  static async open(host, { headers = [], display = '', ring = [] } = {}) {
    const a = new Answerer();
    Object.assign(a, { host, headers, display, ring, got: [] });
    a.socket = createSocket('udp4');
    a.socket.on('message', (bytes, from) => a.take(bytes.toString('latin1'), from));
    await new Promise((resolve) => a.socket.bind(0, host, resolve));
    a.socket.unref();
    a.port = a.socket.address().port;
    return a;
  }

  /** The requests of that method. */
  of(method) {
    return this.got.filter((text) => text.startsWith(`${method} `));
  }

  take(text, from) {
    if (text.startsWith('SIP/2.0')) { this.got.push(text); return; }
    this.got.push(text);
    this.peer = from;
    if (text.startsWith('ACK ')) return;
    if (!text.startsWith('INVITE ')) { this.answer(text, 200, []); return; }
    if (this.ring.length) this.answer(text, 180, this.ring);
    this.answer(text, 200, [...this.headers, 'Content-Type: application/sdp'], sdp);
  }

  answer(text, status, headers, body = '') {
    const lines = (name) => text.match(new RegExp(`^${name}:[^\\r]*`, 'gm')) ?? [];
    const [to] = lines('To');
    const tagged = /;tag=/.test(to) ? to : `${to.replace(/^To: /, `To: ${this.display}`)};tag=agent`;
    this.socket.send([`SIP/2.0 ${status} Fine`, ...lines('Via'), ...lines('From'), tagged, ...lines('Call-ID'), ...lines('CSeq'),
      `Contact: <sip:agent@${this.host}:${this.port}>`, ...headers, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'),
    this.peer.port, this.peer.address);
  }

  /** A request within the dialog of the first INVITE. */
  request(method, { cseq = 1, headers = [], type, body = '' } = {}) {
    const [invite] = this.of('INVITE');
    const value = (name) => new RegExp(`^${name}: ([^\\r]*)`, 'm').exec(invite)[1];
    this.socket.send([`${method} ${/<([^>]+)>/.exec(value('Contact'))[1]} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.host}:${this.port};branch=z9hG4bK${method}${cseq}${this.port};rport`, `From: ${this.display}${value('To')};tag=agent`,
      `To: ${value('From')}`, `Call-ID: ${value('Call-ID')}`, `CSeq: ${cseq} ${method}`, 'Max-Forwards: 70', ...headers,
      ...(type ? [`Content-Type: ${type}`] : []), `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'),
    this.peer.port, this.peer.address);
  }

  target(more = {}) {
    return { type: 'sip', destination: `sip:agent@${this.host}:${this.port}`, ...more };
  }

  close() {
    this.socket.close();
  }
}
