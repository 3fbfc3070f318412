// Answers of receivers as they really come: with lengths that no body has, with dates, with faults behind a good status line.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { Daemon } from './lib/daemon.mjs';
import { endpoint, ping } from './lib/pings.mjs';

let daemon, servers = [];
before(async () => { daemon = await Daemon.start(); });
after(async () => {
  for (const s of servers) s.close();
  await daemon?.stop();
});

/** Answers each request with these bytes, and keeps the connection. */
async function receiver(answer) {
  const seen = { connections: 0 };
  const server = net.createServer((socket) => {
    seen.connections++;
    let text = '';
    socket.on('error', () => {}).on('data', (bytes) => {
      text += bytes;
      const head = text.indexOf('\r\n\r\n');
      if (head < 0 || text.length < head + 4 + +/content-length: (\d+)/i.exec(text)[1]) return;
      text = '';
      socket.write(typeof answer === 'function' ? answer() : answer);
    });
  });
  servers.push(server);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  seen.url = `http://127.0.0.1:${server.address().port}/`;
  return seen;
}

const quick = { timeout_ms: 5000 };

for (const [what, answer, kept] of [
  ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', false],
  ['204 that says chunked', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', false],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', true],
  ['200 with two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello', false],
  ['200 with chunks that are none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n', false],
]) {
  test(`${what} is taken${kept ? '' : ', and ends the connection'}`, async () => {
    const r = await receiver(answer), e = await endpoint(daemon, r.url, quick);
    for (let i = 0; i < 2; i++) assert.equal((await ping(daemon, e)).state, 'delivered');
    assert.equal(r.connections, kept ? 1 : 2);
  });
}

test('Retry-After: seconds and dates are waited for, and never less than the schedule says', async () => {
  const retry = { schedule_s: [60] };
  for (const [value, wait] of [['600', 600], [() => new Date(Date.now() + 600e3).toUTCString(), 600], ['1', 60],
    [() => new Date(Date.now() - 5000).toUTCString(), 60], ['soon', 60]]) {
    const r = await receiver(() => `HTTP/1.1 503 x\r\nRetry-After: ${value.call ? value() : value}\r\nContent-Length: 0\r\n\r\n`);
    const { next_attempt_at: next, attempt } = await ping(daemon, await endpoint(daemon, r.url, { ...quick, retry }));
    const waits = (Date.parse(next) - Date.parse(attempt.at)) / 1000;
    assert.ok(waits > wait * 0.79 && waits < wait * 1.2 + 20, `${value}: ${waits} s`);
  }
});
