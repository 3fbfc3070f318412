// `hookswitch demo` as a newcomer runs it: it prints what happened, ends by itself, and leaves no files.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { binary } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

/** Starts it with a folder of its own for temporary files; `done` gives { code, output }. */
function demo(t) {
  const tmp = mkdtempSync(path.join(tmpdir(), 'hookswitch-e2e-'));
  const child = spawn(binary, ['demo'], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: tmp } });
  const d = { child, tmp, output: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { d.output += bytes; });
  d.done = new Promise((resolve) => child.on('close', (code) => resolve(code)));
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(tmp, { recursive: true, force: true });
  });
  return d;
}

test('calls and texts, each event printed and verified', { timeout: 60000 }, async (t) => {
  const d = demo(t);
  assert.equal(await d.done, 0, d.output);
  const events = d.output.split('\n').filter((l) => l.startsWith('    {')).map((l) => JSON.parse(l));
  assert.equal(events.length, 12, d.output);
  assert.equal(d.output.match(/signature good/g).length, 12);
  assert.doesNotMatch(d.output, /BAD/);
  assert.equal(new Set(events.map((e) => e.id)).size, 12);
  const seen = [...new Set(events.flatMap((e) => e.call_id ?? []))].map((call) => {
    const of = events.filter((e) => e.call_id === call);
    assert.deepEqual(of.map((e) => e.sequence), of.map((e, i) => i + 1));
    return `${of.map((e) => e.event).join(' ')} ${of.at(-1).end_reason}`;
  });
  assert.deepEqual(seen, ['incoming_call call_answered call_ended completed', 'incoming_call call_ended busy',
    'incoming_call call_ended canceled', 'incoming_call call_answered call_ended completed']);
  const texts = events.filter((e) => e.event === 'sms_received');
  assert.deepEqual(texts.map(({ from, to, message, encoding, parts, partial }) => ({ from, to, message, encoding, parts, partial })), [
    { from: '+19175550100', to: '+447911123456', message: 'Hello, is this line active?', encoding: 'gsm7', parts: 1, partial: false },
    { from: '+19175550100', to: '+447911123456', encoding: 'ucs2', parts: 2, partial: false,
      message: 'Καλημέρα! Αυτό το μήνυμα ταξιδεύει σε δύο μέρη, και στη μέση: μια 🦊 που ανήκει και στα δύο.' }]);
  assert.deepEqual([...d.output.matchAll(/hears (\w+) for part (\d of \d)/g)].map((m) => `${m[1]} ${m[2]}`),
    ['ESME_ROK 1 of 1', 'ESME_ROK 1 of 2', 'ESME_ROK 2 of 2']);
  assert.deepEqual(readdirSync(d.tmp), []);
});

test('ended in the middle of a call, it leaves nothing either', { timeout: 60000 }, async (t) => {
  const d = demo(t);
  await until(() => /call_answered/.test(d.output), { what: 'a call to be up', timeout: 20000 });
  d.child.kill('SIGINT');
  assert.equal(await d.done, 1);
  assert.deepEqual(readdirSync(d.tmp), []);
});
