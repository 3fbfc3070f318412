// Receivers that mean no good: raw TCP, each with a way of its own to behave once the request is there (or before).
import net from 'node:net';
import tls from 'node:tls';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/** Writes `piece` as fast as it is taken, until the other side is gone. */
function flood(socket, piece, count = Infinity) {
  const bytes = Buffer.from(piece.length < 4096 ? piece.repeat(Math.ceil(4096 / piece.length)) : piece);
  const more = () => {
    while (!socket.destroyed && count-- > 0)
      if (!socket.write(bytes)) { socket.once('drain', more); return; }
  };
  more();
}

function trickle(socket, text, every = 1000) {
  let at = 0;
  const timer = setInterval(() => socket.write(text[at++ % text.length]), every);
  socket.on('close', () => clearInterval(timer));
}

// name: { on: 'accept' or 'request' (default), does: (socket), err: what the log must say, or status: the status it must have,
// most: bytes that may be read of it }
const late = { err: /no complete answer in time/ };
const junk = { err: /not an HTTP answer/ };
const large = { err: /head is larger than 16 KiB/ };
const gone = { err: /closed the connection/ };
const cut = { status: 200 }; // a whole status line, and 64 KiB of body, are enough to know how it went
const body = { ...cut, most: 64 * 1024 + 200 }; // with its head
export const ways = {
  // slow
  'says nothing': { does: () => {}, ...late },
  'never reads the request': { on: 'accept', does: (s) => s.pause(), ...late },
  'a byte of the head each second': { does: (s) => trickle(s, `${OK}X-Slow: yes\r\n\r\n`), ...late },
  'a byte of the body each second': { does: (s) => { s.write(`${OK}Content-Length: 1000\r\n\r\n`); trickle(s, 'x'); }, ...late },
  'a head and no body': { does: (s) => s.write(`${OK}Content-Length: 10\r\n\r\n`), ...late },
  'a last chunk that never comes': { does: (s) => s.write(`${CHUNKED}1\r\nx\r\n`), ...late },
  'an interim answer and no more': { does: (s) => s.write('HTTP/1.1 100 Continue\r\n\r\n'), ...late },
  // endless
  'a body without end': { does: (s) => { s.write(`${OK}\r\n`); flood(s, 'endless '); }, ...body },
  'a body of 100 MB': { does: (s) => { s.write(`${OK}Content-Length: 104857600\r\n\r\n`); flood(s, 'x'.repeat(1 << 20), 100); }, ...body },
  'chunks without end': { does: (s) => { s.write(CHUNKED); flood(s, '1\r\nx\r\n'); }, ...body },
  'one chunk without end': { does: (s) => { s.write(`${CHUNKED}fffffffffffffff\r\n`); flood(s, 'x'); }, ...body },
  'chunk extensions without end': { does: (s) => { s.write(`${CHUNKED}1;`); flood(s, 'extension'); }, ...cut },
  'a chunk size of zeros without end': { does: (s) => { s.write(CHUNKED); flood(s, '0'); }, ...cut },
  'trailers without end': { does: (s) => { s.write(`${CHUNKED}0\r\n`); flood(s, 'X: y\r\n'); }, ...cut },
  'empty lines without end': { on: 'accept', does: (s) => flood(s, '\r\n'), ...large },
  'headers without end': { does: (s) => { s.write(OK); flood(s, 'X-Endless: yes\r\n'); }, ...large },
  'a header without end': { does: (s) => { s.write(`${OK}X-Huge: `); flood(s, 'huge'); }, ...large },
  'a header of 1 MB': { does: (s) => s.write(`${OK}X-Huge: ${'x'.repeat(1 << 20)}\r\n\r\n`), ...large },
  'blanks before a value without end': { does: (s) => { s.write(`${OK}X:`); flood(s, ' '); }, ...large },
  'a reason without end': { does: (s) => { s.write('HTTP/1.1 200 '); flood(s, 'reason '); }, ...large },
  'interim answers without end': { does: (s) => flood(s, 'HTTP/1.1 102 Processing\r\n\r\n'), ...large },
  'hints without end': { does: (s) => flood(s, 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'), ...large },
  // not what was asked for
  'a gzip bomb': { does: (s) => { s.write(`${OK}Content-Encoding: gzip\r\n\r\n`); flood(s, '\x1f\x8b\x08\0'); }, ...body },
  'garbage': { does: (s) => flood(s, '\x00\xff\x01garbage'), ...junk },
  'another protocol': { on: 'accept', does: (s) => s.write('SSH-2.0-OpenSSH_9.2\r\n'), ...junk },
  'HTTP/0.9': { does: (s) => s.end('<html>hello</html>'), ...junk },
  'HTTP/0.9 with a status': { does: (s) => s.end('HTTP/0.9 200 OK\r\n\r\n'), ...junk },
  'HTTP/2': { does: (s) => s.end('HTTP/2.0 200 OK\r\n\r\n'), ...junk },
  'an upgrade': { does: (s) => s.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'), ...junk },
  'both lengths': { does: (s) => s.write(`${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`), ...cut },
  'two lengths': { does: (s) => s.write(`${OK}Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello`), ...cut },
  'a negative length': { does: (s) => s.write(`${OK}Content-Length: -1\r\n\r\n`), ...cut },
  'a length too large': { does: (s) => s.write(`${OK}Content-Length: 99999999999999999999\r\n\r\n`), ...cut },
  'a chunk that is no number': { does: (s) => s.write(`${CHUNKED}zz\r\n`), ...cut },
  'less than it said': { does: (s) => s.end(`${OK}Content-Length: 50\r\n\r\nhello`), ...gone },
  'more than it said': { does: (s) => s.end(`${OK}Content-Length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\n\r\n`), status: 200 },
  'chunks that break off': { does: (s) => s.end(`${CHUNKED}5\r\nhel`), ...gone },
  'a redirect': { does: (s) => s.end('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'), status: 302 },
  // ends
  'a close after accept': { on: 'accept', does: (s) => s.destroy(), ...gone },
  'a half close, and silence': { on: 'accept', does: (s) => s.end(), ...gone },
  'a close after the request': { does: (s) => s.end(), ...gone },
  'a reset after accept': { on: 'accept', does: (s) => s.resetAndDestroy(), ...gone },
  'a reset after the request': { does: (s) => s.resetAndDestroy(), ...gone },
  'a reset within the head': { does: (s) => s.write(`${OK}X-Bro`, () => s.resetAndDestroy()), ...gone },
  'a reset within the body': { does: (s) => s.write(`${OK}Content-Length: 50\r\n\r\nhello`, () => s.resetAndDestroy()), ...gone },
};

export class Hostile {
  static async start(way, options = {}) {
    const h = Object.assign(new Hostile(), { sockets: new Set(), requests: 0, written: 0 });
    const behave = (socket) => {
      h.sockets.add(socket);
      socket.on('error', () => {}).on('close', () => { h.sockets.delete(socket); h.written += socket.bytesWritten; });
      if (way.on === 'accept') { way.does(socket); return; }
      socket.once('data', () => { h.requests++; way.does(socket); });
    };
    h.server = options.tls ? tls.createServer(options.tls, behave) : net.createServer({ allowHalfOpen: true }, behave);
    h.server.on('tlsClientError', () => {});
    await new Promise((resolve) => h.server.listen(0, '127.0.0.1', resolve));
    h.url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${h.server.address().port}/`;
    return h;
  }

  async stop() {
    for (const s of this.sockets) s.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
