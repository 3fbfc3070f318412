// The shells themselves complete what this binary knows.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { binary } from './lib/daemon.mjs';

const script = (shell) => execFileSync(binary, ['completion', shell], { encoding: 'utf8' });
const words = (text) => text.split(/\s+/).filter(Boolean);

test('completion', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-completion-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = (shell) => { const name = path.join(dir, shell); writeFileSync(name, script(shell)); return name; };

  await t.test('bash', () => {
    const ask = (line) => words(execFileSync('bash', ['-c', `source "$0"; COMP_WORDS=(${line}) COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); ` +
      '_hookswitch; printf "%s\\n" "${COMPREPLY[@]}"', file('bash')], { encoding: 'utf8' }));
    assert.deepEqual(ask('hookswitch nu'), ['number']);
    assert.deepEqual(ask('hookswitch endpoint re'), ['recover', 'recoveries']);
    assert.deepEqual(ask('hookswitch completion f'), ['fish']);
    assert.ok(ask('hookswitch ""').includes('serve'));
  });

  await t.test('zsh', () => {
    const ask = (line, at) => words(execFileSync('zsh', ['-f', '-c', 'compdef() { :; }; source "$1"; compadd() { shift; print -l -- "$@"; }; ' +
      `words=(${line}) CURRENT=${at}; _hookswitch`, 'zsh', file('zsh')], { encoding: 'utf8' }));
    assert.ok(ask('hookswitch x', 2).includes('endpoint'));
    assert.ok(ask('hookswitch endpoint x', 3).includes('rotate-secret'));
  });

  await t.test('fish', () => {
    const ask = (line) => execFileSync('fish', ['--no-config', '-c', `source ${file('fish')}; complete -C '${line}'`],
      { encoding: 'utf8', env: { ...process.env, HOME: dir } }).trim().split('\n').map((l) => l.split('\t')[0]);
    assert.deepEqual(ask('hookswitch nu'), ['number']);
    assert.deepEqual(ask('hookswitch endpoint reco').sort(), ['recover', 'recoveries']);
    assert.deepEqual(ask('hookswitch completion z'), ['zsh']);
  });

  await t.test('another shell', () => {
    assert.throws(() => execFileSync(binary, ['completion', 'tcsh'], { stdio: 'pipe' }), (e) => e.status === 2);
  });
});
