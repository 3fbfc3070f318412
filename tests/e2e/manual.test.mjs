// The manual can be built, and names every command.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { binary } from './lib/daemon.mjs';

const source = readFileSync(new URL('../../docs/man/hookswitch.1.scd', import.meta.url), 'utf8');

const root = (file) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

test('the manual is made by scdoc', () => {
  const page = execFileSync('scdoc', { input: source, encoding: 'utf8' });
  assert.match(page, /^\.TH "hookswitch" "1"/m);
  assert.match(page, /^\.SH EXIT STATUS$/m);
});

test('the pages render without a warning, and the configuration\'s has every key, as the program has it', () => {
  const config = execFileSync(binary, ['config'], { encoding: 'utf8' });
  const build = mkdtempSync(path.join(tmpdir(), 'hookswitch-manual-'));
  try {
    const file = path.join(build, 'hookswitch.conf.5');
    execFileSync(root('tools/config_manual.sh'), [binary, 'scdoc', root('docs/man/hookswitch.conf.5.scd'), file]);
    const render = (page, more) => execFileSync('groff', ['-k', '-man', '-ww', '-rLL=200n', ...more, page], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    const other = path.join(build, 'hookswitch.1');
    writeFileSync(other, execFileSync('scdoc', { input: source }));
    for (const page of [file, other]) {
      const { stderr, status } = spawnSync('groff', ['-k', '-man', '-ww', '-z', page], { encoding: 'utf8' });
      assert.deepEqual([status, stderr], [0, ''], page);
    }
    const text = render(file, ['-Tascii', '-P-cbou']);
    let section = '', n = 0;
    for (const [, head, variable, key, value] of config.matchAll(/^\[(.+)\]$|^# (HOOKSWITCH_\S+).*\n;(\S+) = (.*)$/gm)) {
      if (head) { section = `${head}.`; continue; }
      const name = `${section}${key}${value && ` = ${value}`}`;
      const at = text.indexOf(`\n       ${name}\n`);
      assert.ok(at > 0, name);
      assert.ok(text.indexOf(variable, at) > at, variable);
      n++;
    }
    assert.ok(n > 30, `${n}`);
    assert.ok(!text.includes('@KEYS@'));
  } finally { rmSync(build, { recursive: true }); }
});

test('the manual names every command', () => {
  const script = execFileSync(binary, ['completion', 'bash'], { encoding: 'utf8' });
  for (const word of script.match(/words="(serve [^"]*)"/)[1].trim().split(' '))
    assert.ok(source.includes(`*${word}*`), word);
});
