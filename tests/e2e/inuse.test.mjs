// Two daemons never share an address: the second one hears "in use", says where, and ends with 6.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Daemon, binary, freePort } from './lib/daemon.mjs';

let first, smpp;
before(async () => {
  smpp = await freePort();
  first = await Daemon.start({ 'smpp.listen': `127.0.0.1:${smpp}` });
});
after(() => first?.stop());

for (const [key, address] of [
  ['http.listen', () => `127.0.0.1:${first.http}`],
  ['sip.listen', () => `udp:127.0.0.1:${first.sip}`],
  ['sip.listen', () => `tcp:127.0.0.1:${first.sip}`],
  ['smpp.listen', () => `127.0.0.1:${smpp}`],
])
  test(`a second daemon on the address of ${key}`, async (t) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-e2e-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const sets = { data_dir: dir, 'http.listen': `127.0.0.1:${await freePort()}`, 'bootstrap.admin_key': 'hsk_second', [key]: address() };
    const { status, stderr } = spawnSync(binary, ['serve', ...Object.entries(sets).flatMap(([k, v]) => ['--set', `${k}=${v}`])],
      { encoding: 'utf8', timeout: 20000, env: { PATH: process.env.PATH } });
    assert.equal(status, 6, stderr);
    assert.match(stderr, new RegExp(`${key.replace('.', '\\.')}: .*${address().replace(/^(udp|tcp):/, '')}: in use`));
    assert.equal((await fetch(`${first.url}/readyz`)).status, 200);
  });
