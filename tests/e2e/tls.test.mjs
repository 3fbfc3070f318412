// Certificates per endpoint: those that it trusts, those that it shows, and that no other endpoint's are used for it.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import https from 'node:https';
import { Daemon } from './lib/daemon.mjs';
import { Authority } from './lib/certificates.mjs';
import { endpoint, ping } from './lib/pings.mjs';

let daemon, ours, other, servers = [];
before(async () => {
  ours = new Authority('ours');
  other = new Authority('other');
  daemon = await Daemon.start({ 'http_client.ca_file': other.path });
});
after(async () => {
  for (const s of servers) { s.closeAllConnections(); s.close(); }
  await daemon?.stop();
  ours.remove();
  other.remove();
});

/** An HTTPS receiver that remembers its connections and requests. */
async function receiver(options = {}) {
  const seen = { connections: [], requests: [] };
  const server = https.createServer({ ...ours.issue('receiver', 'IP:127.0.0.1,DNS:localhost'), ...options }, (req, res) => {
    seen.requests.push({ url: req.url, subject: req.socket.seen.subject });
    req.resume().on('end', () => res.end('ok'));
  });
  server.on('secureConnection', (socket) => {
    socket.seen = { subject: socket.getPeerCertificate().subject?.CN, resumed: socket.isSessionReused(), sni: socket.servername };
    seen.connections.push(socket.seen);
  });
  servers.push(server);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(seen, { server, port: server.address().port, url: `https://127.0.0.1:${server.address().port}/` });
}

test('ca_pem is trusted instead of the system\'s', async () => {
  const r = await receiver();
  const without = await ping(daemon, await endpoint(daemon, r.url));
  assert.match(without.attempt.error, /unable to get local issuer certificate/);
  const e = await endpoint(daemon, r.url, { ca_pem: ours.pem });
  assert.equal((await ping(daemon, e)).attempt.status, 200);
  const wrong = await ping(daemon, await endpoint(daemon, r.url, { ca_pem: other.pem }));
  assert.match(wrong.attempt.error, /unable to get local issuer certificate/);
  const byFile = await receiver(other.issue('trusted by the file'));
  assert.equal((await ping(daemon, await endpoint(daemon, byFile.url))).attempt.status, 200);
  const instead = await ping(daemon, await endpoint(daemon, byFile.url, { ca_pem: ours.pem }));
  assert.match(instead.attempt.error, /unable to get local issuer certificate/);
});

test('a certificate that names the host in its subject alone is refused', async () => {
  for (const [names, says] of [[null, /hostname mismatch/], ['DNS:localhost', null]]) {
    const r = await receiver(ours.issue('localhost', names));
    const { attempt } = await ping(daemon, await endpoint(daemon, `https://localhost:${r.port}/`, { ca_pem: ours.pem }));
    if (says) assert.match(attempt.error, says);
    else assert.equal(attempt.status, 200);
  }
});

test('the receiver\'s own certificate may be named as trusted', async () => {
  const own = ours.issue('leaf');
  const r = await receiver(own);
  assert.equal((await ping(daemon, await endpoint(daemon, r.url, { ca_pem: own.cert }))).attempt.status, 200);
});

test('a client certificate is shown, each endpoint\'s its own, over its own connections', async () => {
  const r = await receiver({ ca: ours.pem, requestCert: true, rejectUnauthorized: true });
  const certificates = ['ann', 'bob'].map((name) => ours.issue(name));
  const made = [];
  for (const { cert, key } of certificates)
    made.push(await endpoint(daemon, r.url, { ca_pem: ours.pem, cert_pem: cert, key_pem: key }));
  for (const e of [...made, ...made]) assert.equal((await ping(daemon, e)).attempt.status, 200);
  assert.deepEqual(r.requests.map((q) => q.subject), ['ann', 'bob', 'ann', 'bob']);
  assert.equal(r.connections.length, 2);
  const none = await ping(daemon, await endpoint(daemon, r.url, { ca_pem: ours.pem }));
  assert.equal(none.attempt.status, null);
  assert.match(none.attempt.error, /certificate required|closed the connection|handshake failure/);
});

test('a changed certificate is used at once, what was connected under the old one is not', async () => {
  const r = await receiver({ ca: ours.pem, requestCert: true, rejectUnauthorized: true });
  const [before, later] = ['before', 'later'].map((name) => ours.issue(name));
  const e = await endpoint(daemon, r.url, { ca_pem: ours.pem, cert_pem: before.cert, key_pem: before.key });
  assert.equal((await ping(daemon, e)).attempt.status, 200);
  await daemon.must('PATCH', `/v1/endpoints/${e.id}`, { cert_pem: later.cert, key_pem: later.key });
  assert.equal((await ping(daemon, e)).attempt.status, 200);
  assert.deepEqual(r.connections.map((c) => c.subject), ['before', 'later']);
  assert.equal(r.connections[1].resumed, false);
  await daemon.must('PATCH', `/v1/endpoints/${e.id}`, { cert_pem: null, key_pem: null });
  assert.equal((await ping(daemon, e)).attempt.status, null);
});

test('accounts share neither connections nor sessions; a session is resumed for whom it was made', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const r = await receiver({ minVersion: version, maxVersion: version });
    r.server.on('request', (req, res) => res.setHeader('connection', 'close')); // a new one each time
    const name = `lodger-${version}`;
    await daemon.must('POST', '/v1/accounts', { name });
    const mine = await endpoint(daemon, r.url, { ca_pem: ours.pem });
    const his = await endpoint(daemon, r.url, { ca_pem: ours.pem, account: name });
    for (const e of [mine, mine, his, his]) assert.equal((await ping(daemon, e)).attempt.status, 200);
    assert.deepEqual(r.connections.map((c) => c.resumed), [false, true, false, true], version);
  }
});

test('the name is offered by SNI and must stand in the certificate', async () => {
  const r = await receiver();
  const named = await ping(daemon, await endpoint(daemon, `https://localhost:${r.port}/`, { ca_pem: ours.pem }));
  assert.equal(named.attempt.status, 200);
  assert.equal(r.connections.at(-1).sni, 'localhost');
  const wrong = await receiver(ours.issue('elsewhere', 'DNS:elsewhere.example'));
  for (const host of ['127.0.0.1', 'localhost']) {
    const { attempt } = await ping(daemon, await endpoint(daemon, `https://${host}:${wrong.port}/`, { ca_pem: ours.pem }));
    assert.match(attempt.error, /mismatch/, host);
  }
  assert.equal(wrong.requests.length, 0);
});

test('more endpoints with certificates than are kept ready: each still shows its own', async () => {
  const r = await receiver({ ca: ours.pem, requestCert: true, rejectUnauthorized: true });
  const clients = ['even', 'odd'].map((name) => ours.issue(name));
  const made = [];
  const each = async (work) => {
    const rest = [...Array(280).keys()]; // 256 are kept
    await Promise.all(Array.from({ length: 8 }, async () => { for (let i; (i = rest.shift()) !== undefined;) await work(i); }));
  };
  await each(async (i) => {
    const { cert, key } = clients[i % 2];
    made[i] = await endpoint(daemon, `${r.url}${i}`, { ca_pem: ours.pem, cert_pem: cert, key_pem: key });
  });
  for (let round = 0; round < 2; round++)
    await each(async (i) => assert.equal((await ping(daemon, made[i])).attempt.status, 200));
  assert.equal(r.requests.length, 560);
  for (const { url, subject } of r.requests) assert.equal(subject, Number(url.slice(1)) % 2 ? 'odd' : 'even', url);
});

test('what cannot be used is refused when it is set, and the field is named', async () => {
  const { cert, key } = ours.issue('good');
  const stranger = ours.issue('stranger');
  const refused = async (more, field, why) => {
    const answer = await daemon.api('POST', '/v1/endpoints', { url: 'https://example.com/', ...more });
    assert.equal(answer.status, 422, `${field}: ${answer.text}`);
    assert.equal(answer.json.field, field);
    assert.match(answer.json.allowed, why);
  };
  await refused({ ca_pem: 'no certificate' }, 'ca_pem', /PEM certificates/);
  await refused({ ca_pem: key }, 'ca_pem', /PEM certificates/);
  await refused({ ca_pem: ours.pem + cert.replace(/^MI.*$/m, 'MIIB') }, 'ca_pem', /PEM certificates/);
  await refused({ cert_pem: 'x', key_pem: key }, 'cert_pem', /PEM certificate/);
  await refused({ cert_pem: cert }, 'key_pem', /needed/);
  await refused({ key_pem: key }, 'cert_pem', /needed/);
  await refused({ cert_pem: cert, key_pem: 'x' }, 'key_pem', /private key/);
  await refused({ cert_pem: cert, key_pem: stranger.key }, 'key_pem', /private key of cert_pem/);
  await refused({ cert_pem: cert, key_pem: ours.encrypt(key) }, 'key_pem', /without a password/);
  const made = await endpoint(daemon, 'https://example.com/', { cert_pem: cert + ours.pem, key_pem: key });
  const shown = await daemon.must('GET', `/v1/endpoints/${made.id}`);
  assert.equal(shown.key_pem, undefined);
  assert.equal(shown.cert_pem, cert + ours.pem);
  const patched = await daemon.api('PATCH', `/v1/endpoints/${made.id}`, { key_pem: stranger.key });
  assert.equal(patched.status, 422);
  assert.equal(patched.json.field, 'key_pem');
});
