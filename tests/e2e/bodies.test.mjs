// The bytes of bodies: a receiver that parses them and prints them again gets the same bytes, in JavaScript and in Python.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { execFileSync } from 'node:child_process';
import { Daemon } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

const ascii = String.fromCharCode(...Array.from({ length: 127 }, (_, i) => i + 1));
const texts = [`${ascii}é€🦊\u2028`, '', ' ~*-._+&%=', 'é'.repeat(20000), '🦊'.repeat(9000)];
let daemon, server;
const got = { json: [], form: [] };
before(async () => {
  daemon = await Daemon.start();
  server = http.createServer((req, res) => {
    const parts = [];
    req.on('data', (p) => parts.push(p)).on('end', () => {
      got[req.url.slice(1)].push(Buffer.concat(parts));
      res.end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  await daemon.must('POST', '/v1/numbers', { number: '+447911123456', sms: true });
  for (const format of ['json', 'form'])
    await daemon.must('POST', '/v1/endpoints', { url: `http://127.0.0.1:${server.address().port}/${format}`, format, events: ['sms_received'] });
  for (const message of texts)
    await daemon.must('POST', '/v1/events', { event: 'sms_received', from: '+19175550100', to: '+447911123456', message });
  await until(() => got.json.length === texts.length && got.form.length === texts.length, { what: 'all bodies' });
});
after(async () => {
  server?.closeAllConnections();
  server?.close();
  await daemon?.stop();
});

const python = (program, bytes) => execFileSync('python3', ['-c', `import sys, json, urllib.parse as u\nraw = sys.stdin.buffer.read().decode()\n${program}`],
  { input: bytes });

test('JSON is what JSON.stringify and json.dumps print', () => {
  for (const raw of got.json) {
    assert.equal(JSON.stringify(JSON.parse(raw)), raw.toString());
    assert.deepEqual(python('sys.stdout.buffer.write(json.dumps(json.loads(raw), separators=(",", ":"), ensure_ascii=False).encode())', raw), raw);
  }
  assert.deepEqual(got.json.map((raw) => JSON.parse(raw).message).sort(), [...texts].sort());
});

test('a form is what URLSearchParams prints, each name once, of 100 KiB at the most', () => {
  for (const raw of got.form) {
    const form = new URLSearchParams(raw.toString());
    assert.equal(form.toString(), raw.toString());
    assert.equal(new Set(form.keys()).size, [...form.keys()].length);
    assert.ok(raw.length <= 100 * 1024);
    assert.deepEqual(python('sys.stdout.buffer.write(json.dumps(dict(u.parse_qsl(raw, keep_blank_values=True)), ensure_ascii=False, separators=(",", ":")).encode())', raw)
      .toString(), JSON.stringify(Object.fromEntries(form)));
  }
  for (const text of texts) {
    const forms = got.form.map((raw) => new URLSearchParams(raw.toString()));
    const whole = forms.find((f) => f.get('message') === text);
    const cut = forms.find((f) => f.get('truncated') === 'true' && f.get('message') && text.startsWith(f.get('message')));
    assert.ok(encodeURIComponent(text).length < 100000 ? whole && !whole.has('truncated') : cut, text.slice(0, 10));
  }
});
