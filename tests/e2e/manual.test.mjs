// The manual can be made, and speaks of every command that there is.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { binary } from './lib/daemon.mjs';

const source = readFileSync(new URL('../../docs/man/hookswitch.1.scd', import.meta.url), 'utf8');

test('the manual is made by scdoc', () => {
  const page = execFileSync('scdoc', { input: source, encoding: 'utf8' });
  assert.match(page, /^\.TH "hookswitch" "1"/m);
  assert.match(page, /^\.SH EXIT STATUS$/m);
});

test('the manual names every command', () => {
  const script = execFileSync(binary, ['completion', 'bash'], { encoding: 'utf8' });
  for (const word of script.match(/words="(serve [^"]*)"/)[1].trim().split(' '))
    assert.ok(source.includes(`*${word}*`), word);
});
