// `hookswitch listen`, the real program: events of a daemon to an Express handler that verifies them with
// standardwebhooks; both go away in the middle and come again.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import https from 'node:https';
import http from 'node:http';
import { Daemon, freePort } from './lib/daemon.mjs';
import { Receiver } from './lib/receiver.mjs';
import { Command, cli } from './lib/cli.mjs';
import { Authority } from './lib/certificates.mjs';
import { until } from './lib/until.mjs';

let daemon, receiver, next = 0;
before(async () => {
  daemon = await Daemon.start({ 'sip.listen': '', 'http.stream_heartbeat_ms': 300 });
  receiver = await Receiver.start();
});
after(async () => {
  await daemon?.stop();
  await receiver?.stop();
});

const line = () => ({ number: `+4479114${String(10000 + next)}`, where: `/listen/${next++}` });

async function ingest(events, on = daemon) {
  return (await on.must('POST', '/v1/events', events)).data.map((e) => e.id);
}

const incoming = (number, more = {}) => ({ event: 'incoming_call', did_number: number, caller_id: '+19175550100', ...more });

/** Listening, connected, and the receiver knows its secret. */
async function listening(where, args = [], more = {}) {
  const c = new Command(more.on ?? daemon, ['listen', '--forward-to', receiver.url + where, ...args], more);
  const [, secret] = await c.says(/export HOOKSWITCH_WEBHOOK_SECRET=(whsec_\S+)/);
  receiver.expect(where, { secret });
  await c.says(/connected to/);
  return c;
}

test('each event is POSTed in order, signed with the session\'s secret, and printed with what came of it', async () => {
  const { number, where } = line();
  receiver.answer = (seen) => (seen.body.event === 'call_answered' ? 418 : 200);
  const c = await listening(where, ['--number', number]);
  const call_id = `c${where}`;
  await ingest([incoming('+15550001234'), incoming(number, { call_id }),
    { ...incoming(number, { call_id }), event: 'call_answered', destination: 'sip:1@pbx' },
    { ...incoming(number, { call_id }), event: 'call_ended', duration_sec: 2 },
    { event: 'sms_received', from: 'ACME', to: number, message: 'hi' }]);
  const events = await receiver.wait(where, 3);
  assert.deepEqual(events.map((e) => [e.event, e.sequence]), [['incoming_call', 1], ['call_ended', 3], ['sms_received', undefined]]);
  assert.deepEqual(Object.keys(events[0]).slice(0, 5), ['event', 'did_number', 'caller_id', 'timestamp', 'id']);
  const [{ headers }] = receiver.of(where);
  assert.equal(headers['webhook-id'], events[0].id);
  assert.equal(headers['webhook-attempt'], '1');
  assert.match(headers['user-agent'], /^hookswitch\//);
  await c.says(/sms_received .* 200 .* evt_/);
  await c.interrupt();
  assert.equal(c.code, 0);
  assert.match(c.out, /incoming_call +\+19175550100 +> \+4479\d+ +200 +\d+ ms +evt_/);
  assert.match(c.out, /call_answered .* 418 +\d+ ms/);
  assert.match(c.out, /4 events: 3 answered with 2xx, 1 not; 0 were still to be sent/);
  assert.match(c.out, /--last-event-id [0-7][0-9a-z]{25}/);
  assert.ok(!c.out.includes('+15550001234'));
  assert.deepEqual(receiver.refused, []);
  receiver.answer = () => 200;
});

test('form bodies, and the developer\'s own secret', async () => {
  const { number, where } = line();
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  receiver.expect(where, { secret });
  const c = new Command(daemon, ['listen', `--forward-to=${receiver.url}${where}`, '--format', 'form', '--number', number],
    { env: { HOOKSWITCH_WEBHOOK_SECRET: secret } });
  await c.says(/connected to/);
  await ingest(incoming(number));
  await receiver.wait(where, 1);
  assert.match(receiver.of(where)[0].headers['content-type'], /x-www-form-urlencoded/);
  await c.says(/incoming_call/);
  await c.interrupt();
  assert.ok(!c.out.includes('whsec_')); // he has it
});

test('the receiver and the daemon go away and come again: every event arrives, in order', { timeout: 120000 }, async () => {
  const { number, where } = line();
  const c = await listening(where, ['--number', number]);
  const port = receiver.server.address().port;
  const due = [];
  const post = async (n) => {
    for (let i = 0; i < n; i++) due.push(...await ingest(incoming(number, { call_id: `r-${where}-${due.length % 3}` })));
  };
  const arrived = () => [...new Set(receiver.of(where).map((e) => e.body.id))];
  for (let round = 0; round < 3; round++) {
    await post(5);
    await receiver.stop();
    await post(5); // they wait
    await c.says(new RegExp(`(waiting for it[^]*){${round + 1}}`));
    await new Promise((resolve) => { receiver.server.listen(port, '127.0.0.1', resolve); });
    await until(() => arrived().length === due.length, { what: 'what had waited', timeout: 20000 });
    await daemon.restart();
    await post(3);
    await until(() => arrived().length === due.length, { what: 'what came after the restart', timeout: 20000 });
  }
  assert.deepEqual(arrived(), due);
  assert.equal(c.out.match(/connected again/g).length, 3);
  await c.interrupt();
  assert.deepEqual(receiver.refused, []);
});

test('more than the queue holds waits at the daemon while nobody answers', { timeout: 60000 }, async () => {
  const { number, where } = line();
  const port = await freePort();
  const late = http.createServer((req, res) => { req.resume(); req.on('end', () => { late.ids.push(req.headers['webhook-id']); res.end(); }); });
  late.ids = [];
  const c = new Command(daemon, ['listen', '--forward-to', `127.0.0.1:${port}${where}`, '--number', number]);
  await c.says(/connected to/);
  const due = [];
  for (let i = 0; i < 15; i++) due.push(...await ingest(Array.from({ length: 200 }, () => incoming(number, { caller_name: 'x'.repeat(500) }))));
  await c.says(/waiting for it/);
  await new Promise((resolve) => { late.listen(port, '127.0.0.1', resolve); });
  await until(() => late.ids.length >= due.length, { what: 'all of them', timeout: 50000 });
  assert.deepEqual(late.ids, due);
  await c.interrupt();
  late.closeAllConnections();
  late.close();
});

test('--json: a line for each event, and where to go on', async () => {
  const { number } = line();
  const ids = await ingest([incoming(number), incoming(number)]);
  const since = ['--number', number, '--since', '2000-01-01T00:00:00Z', '--json'];
  const all = await cli(daemon, ['listen', ...since, '--count', '2']);
  assert.equal(all.code, 0);
  const lines = all.out.trim().split('\n').map((s) => JSON.parse(s));
  assert.deepEqual(lines.map((l) => [l.event, l.payload.id]), ids.map((id) => ['incoming_call', id]));
  const rest = await cli(daemon, ['listen', '--json', '--number', number, '--last-event-id', lines[0].last_event_id, '--count', '1']);
  assert.equal(JSON.parse(rest.out).payload.id, ids[1]);
  const { where } = line();
  const secret = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
  receiver.expect(where, { secret });
  const sent = await cli(daemon, ['listen', ...since, '--count', '1', '--forward-to', receiver.url + where, '--secret', secret]);
  const { status, attempt, error, duration_ms } = JSON.parse(sent.out);
  assert.deepEqual({ status, attempt, error }, { status: 200, attempt: 1, error: null });
  assert.ok(duration_ms >= 0);
});

test('text of the network cannot drive the terminal', async () => {
  const { number } = line();
  await ingest({ event: 'sms_received', from: 'ACME', to: number, message: '\u001b[2J\u202eevil\u009b\u001b]0;title\u0007\r\nX' });
  const c = await cli(daemon, ['listen', '--number', number, '--since', '2000-01-01T00:00:00Z', '--count', '1'], { terminal: 120 });
  assert.equal(c.code, 0);
  assert.match(c.out, /sms_received +ACME[^]*\[2J\?evil\?/);
  assert.ok(!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202e]/.test(c.out.replaceAll('\r\n', '\n')), JSON.stringify(c.out));
});

test('over TLS, through a proxy in front of the daemon', async () => {
  const ca = new Authority();
  const server = https.createServer(ca.issue('localhost', 'DNS:localhost'), (req, res) => {
    const up = http.request(daemon.url + req.url, { headers: req.headers, agent: false }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
    up.on('error', () => res.destroy());
    res.on('close', () => up.destroy());
    req.pipe(up);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { number } = line();
  const [id] = await ingest(incoming(number));
  const args = ['listen', '--json', '--number', number, '--since', '2000-01-01T00:00:00Z', '--count', '1', '--url', `https://localhost:${server.address().port}`];
  const c = await cli(daemon, [...args, '--ca-file', ca.path]);
  assert.equal(c.code, 0, c.err);
  assert.equal(JSON.parse(c.out).payload.id, id);
  const there = ['--url', `https://localhost:${server.address().port}`];
  const list = await cli(daemon, ['event', 'list', `number=${number}`, ...there], { env: { HOOKSWITCH_CA_FILE: ca.path } });
  assert.equal(list.code, 0, list.err);
  assert.ok(list.out.includes(id));
  assert.equal((await cli(daemon, ['event', 'list', ...there])).code, 5);
  const untrusted = await cli(daemon, args);
  assert.equal(untrusted.code, 5);
  assert.match(untrusted.err, /certificate/);
  server.closeAllConnections();
  server.close();
  ca.remove();
});

test('what goes wrong is said, with an exit code', async () => {
  const badKey = await cli(daemon, ['listen'], { key: 'nobody' });
  assert.equal(badKey.code, 4);
  assert.match(badKey.err, /--key or HOOKSWITCH_KEY/);
  const nobody = await cli(daemon, ['listen', '--url', `http://127.0.0.1:${await freePort()}`]);
  assert.equal(nobody.code, 5);
  assert.match(nobody.err, /is the daemon running there/);
  for (const [args, why] of [[['--type', 'nothing'], /type/], [['--last-event-id', 'x'], /last_event_id/], [['--count', '0'], /--count/],
    [['--forward-to', 'ftp://x'], /--forward-to/], [['--forward-to', 'http://x', '--secret', 'x'], /--secret/],
    [['--forward-to', 'http://x', '--format', 'xml'], /--format/], [['--what'], /unknown option/], [['--url'], /needs a value/], [['now'], /one word too many/]]) {
    const c = await cli(daemon, ['listen', ...args]);
    assert.equal(c.code, 2, args.join(' '));
    assert.match(c.err, why);
  }
  const help = await cli(daemon, ['listen', '--help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /--forward-to URL/);
});

test('a key that is revoked meanwhile ends it', async () => {
  await daemon.must('POST', '/v1/accounts', { name: 'brief' });
  const made = await daemon.must('POST', '/v1/keys', { name: 'brief', account: 'brief', scopes: ['read'] });
  const c = new Command(daemon, ['listen'], { key: made.key });
  await c.says(/connected to/);
  await daemon.must('DELETE', `/v1/keys/${made.id}`);
  await c.done;
  assert.equal(c.code, 4);
});
