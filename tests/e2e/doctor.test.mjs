// The doctor finds faults, says the remedy, and reports no fault on a sound machine.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Daemon, binary, freePort, key } from './lib/daemon.mjs';

/** Findings as the doctor's JSON lines say them. */
const doctor = (args, env = {}) => new Promise((resolve) => {
  execFile(binary, ['doctor', '--json', ...args], { env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) => {
    const findings = stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
    resolve({ code: error?.code ?? 0, findings, stderr, of: (what) => findings.filter((f) => f.what === what) });
  });
});
const set = (o) => Object.entries(o).flatMap(([k, v]) => ['--set', `${k}=${v}`]);

/** A UDP server that answers each SIP request 200, its head changed by `change`. */
async function sipServer(change = (text) => text) {
  const s = createSocket('udp4');
  s.on('message', (bytes, from) => {
    const head = bytes.toString().split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line)).join('\r\n');
    s.send(change(`SIP/2.0 200 OK\r\n${head}\r\nContent-Length: 0\r\n\r\n`), from.port, from.address);
  });
  await new Promise((resolve) => s.bind(0, '127.0.0.1', resolve));
  return s;
}

test('doctor', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-doctor-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const quiet = async (more = {}) => set({ data_dir: dir, 'http.listen': `127.0.0.1:${await freePort()}`, ...more });

  await t.test('a machine that is fit', async () => {
    const d = await doctor(await quiet({ 'sip.listen': `udp:127.0.0.1:${await freePort()}` }));
    assert.equal(d.code, 0, JSON.stringify(d.findings));
    for (const what of ['version', 'data_dir', 'disk', 'sync', 'port', 'tls'])
      assert.equal(d.of(what)[0]?.finding, 'ok', what);
    assert.equal(d.of('port').length, 2);
    assert.match(d.of('sync')[0].text, /^\d+\.\d+ ms \(median of 50, worst \d+\.\d+\)$/);
  });

  await t.test('a port that another program has', async () => {
    const other = createServer();
    await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const d = await doctor(await quiet({ 'smpp.listen': `127.0.0.1:${other.address().port}` }));
    assert.equal(d.code, 1);
    const bad = d.of('port').find((f) => f.finding === 'FAIL');
    assert.match(bad.text, /^smpp\.listen tcp 127\.0\.0\.1:\d+: Address already in use; see who has it/);
  });

  await t.test('a store in memory, an address that is none', async () => {
    const memory = await doctor(await quiet({ data_dir: '/dev/shm' }));
    assert.equal(memory.code, 1);
    assert.match(memory.of('filesystem')[0].text, /everything is gone with the power/);
    const address = await doctor(await quiet({ 'sip.listen': 'udp:192.0.2.77:5060' }));
    assert.match(address.of('port').find((f) => f.finding === 'FAIL').text, /no interface has this address/);
    const sip = await doctor(await quiet({ 'sip.listen': 'carrier pigeon' }));
    assert.match(sip.of('port').find((f) => f.finding === 'FAIL').text, /^sip\.listen: /);
  });

  await t.test('a router that rewrites SIP', async () => {
    const honest = await sipServer();
    const alg = await sipServer((text) => text.replace(/Via: SIP\/2\.0\/UDP [^;]+/, 'Via: SIP/2.0/UDP 203.0.113.9:1024'));
    const touched = await sipServer((text) => text.replace(/Call-ID: /, 'Call-ID: x'));
    t.after(() => [honest, alg, touched].forEach((s) => s.close()));
    const ask = async (s) => (await doctor([...await quiet(), '--sip-peer', `127.0.0.1:${s.address().port}`])).of('sip-alg')[0];
    assert.equal((await ask(honest)).finding, 'ok');
    assert.match((await ask(alg)).text, /^the Via of our message came back changed/);
    assert.equal((await ask(touched)).finding, 'FAIL');
  });

  await t.test('beside a running daemon, which answers as a SIP server, and its receivers', async () => {
    const d = await Daemon.start();
    t.after(() => d.stop());
    await d.must('POST', '/v1/trunks', { name: 'doctor', sources: ['127.0.0.1'] });
    const receiver = createServer();
    await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    t.after(() => receiver.close());
    const up = `http://127.0.0.1:${receiver.address().port}/hook`, down = `http://127.0.0.1:${await freePort()}/hook`;
    for (const url of [up, down]) await d.must('POST', '/v1/endpoints', { url });
    const found = await doctor([...set({ data_dir: d.dir, 'http.listen': `127.0.0.1:${d.http}`,
      'sip.listen': `udp:127.0.0.1:${d.sip},tcp:127.0.0.1:${d.sip}` }), '--sip-peer', `127.0.0.1:${d.sip}`],
    { HOOKSWITCH_URL: d.url, HOOKSWITCH_KEY: key });
    assert.equal(found.code, 0, JSON.stringify(found.findings));
    assert.deepEqual(found.of('port').map((f) => f.finding), ['ok', 'ok', 'ok']);
    assert.match(found.of('port')[0].text, /while a hookswitch runs here/);
    assert.match(found.of('sip-alg')[0].text, /answered 200/);
    assert.deepEqual(found.of('receiver').map((f) => f.finding).sort(), ['ok', 'warn']);
  });

  await t.test('wrong words', async () => {
    assert.equal((await doctor(['--what'])).code, 2);
    assert.equal((await doctor(['--set', 'sip.lisen=x'])).code, 2);
  });
});
