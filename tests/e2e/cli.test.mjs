// The API from the shell: tables on a terminal, tabs in a pipe, JSON for programs, and errors that say what to do.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Daemon, freePort } from './lib/daemon.mjs';
import { cli } from './lib/cli.mjs';

let daemon;
before(async () => { daemon = await Daemon.start({ 'sip.listen': '' }); });
after(async () => { await daemon?.stop(); });

const run = (words, more) => cli(daemon, words, more);
const number = '+447911140000';

test('a number: created, listed, changed, deleted', async () => {
  const made = await run(['number', 'create', JSON.stringify({ number, label: 'Büro 漢字' })]);
  assert.equal(made.code, 0);
  assert.match(made.out, /^number +\+447911140000$/m);
  const pipe = await run(['number', 'list']);
  assert.equal(pipe.out, `${number}\tBüro 漢字\t-\tyes\tyes\n`);
  const table = await run(['number', 'list'], { terminal: 100 });
  assert.deepEqual(table.out.trimEnd().split('\r\n'), ['NUMBER         LABEL      COUNTRY  VOICE  SMS', `${number}  Büro 漢字  -        yes    yes`]);
  const json = JSON.parse((await run(['number', 'list', '--json'])).out);
  assert.equal(json.data[0].label, 'Büro 漢字');
  const file = path.join(daemon.dir, 'label.json');
  writeFileSync(file, '{"label":"from a file"}');
  assert.match((await run(['number', 'set', number, `@${file}`])).out, /from a file/);
  assert.match((await run(['number', 'set', number, '-'], { input: '{"label":"from a pipe"}' })).out, /from a pipe/);
  assert.equal((await run(['number', 'delete', number])).code, 0);
  assert.equal((await run(['number', 'list'])).out, '');
  assert.equal((await run(['number', 'list'], { terminal: 80 })).out.trim(), 'none');
});

test('a list is cut to the terminal, and says how it goes on', async () => {
  for (let i = 0; i < 3; i++)
    await daemon.must('POST', '/v1/events', { event: 'incoming_call', did_number: number, caller_id: '+19175550100' });
  const narrow = await run(['event', 'list', 'limit=2', `number=${number}`], { terminal: 50 });
  const lines = narrow.out.trimEnd().split('\r\n');
  assert.match(lines[0], /^OCCURRED/);
  assert.ok(lines[1].includes('…'));
  assert.ok(lines.slice(0, 3).every((l) => [...l].length <= 50), narrow.out);
  const first = await run(['event', 'list', 'limit=2', `number=${number}`]);
  assert.equal(first.out.trim().split('\n').length, 2);
  const [, cursor] = /cursor=(\S+)/.exec(first.err);
  const rest = await run(['event', 'list', `number=${number}`, `cursor=${cursor}`]);
  assert.equal(rest.out.trim().split('\n').length, 1);
  assert.equal(rest.err, '');
});

test('one event shows its deliveries and attempts', async () => {
  const { id } = await daemon.must('POST', '/v1/endpoints', { url: `http://127.0.0.1:${await freePort()}/`, format: 'json', numbers: '*',
    retry: { schedule_s: [1], give_up_after_s: 3600 } });
  const { data: [event] } = await daemon.must('POST', '/v1/events', { event: 'incoming_call', did_number: number, caller_id: '+19175550100' });
  let shown;
  do shown = await run(['event', 'get', event.id]); while (!/cannot be reached/.test(shown.out));
  assert.match(shown.out, new RegExp(`deliveries:\n  endpoint +${id}`));
  assert.match(shown.out, /^  attempts:$/m);
});

test('what goes wrong is said: what, why, what to do; and an exit code', async () => {
  for (const [words, code, said, more] of [
    [['number', 'get', '+15550001111'], 3, /not_found[^]*list/],
    [['number', 'create', '{"number":"0791"}'], 2, /number[^]*invalid_field/],
    [['number', 'create', '{nonsense'], 2, /bad_json/],
    [['number', 'create', '@/does/not/exist'], 2, /\/does\/not\/exist/],
    [['number', 'create'], 2, /usage: hookswitch number create JSON/],
    [['number', 'get'], 2, /usage: hookswitch number get E164/],
    [['number', 'get', 'a', 'b'], 2, /one word too many/],
    [['number', 'frob'], 2, /there is no "frob"[^]*forward E164 \[JSON\]/],
    [['frob'], 2, /there is no command "frob"[^]*usage/],
    [['number', 'list', '--jsn'], 2, /unknown option "--jsn"/],
    [['number', 'list', '--url'], 2, /--url needs a value/],
    [['number', 'list'], 4, /--key or HOOKSWITCH_KEY/, { key: 'nobody' }],
    [['number', 'list', `--url=http://127.0.0.1:${await freePort()}`], 5, /is the daemon running there/],
    [['number', 'list', '--url=http://127.0.0.1:1'], 5, /port belongs to a service other than the web/],
    [['number', 'list', '--url=banana'], 2, /--url banana: it must begin with https:\/\/ or http:\/\//],
    [['export', '--url=banana'], 2, /--url banana/],
    [['demo', 'banana'], 2, /one word too many: "banana"/],
  ]) {
    const c = await run(words, more);
    assert.equal(c.code, code, `${words.join(' ')}: ${c.err}`);
    assert.match(c.err, said);
    assert.equal(c.out, '');
  }
  await run(['number', 'create', JSON.stringify({ number })]);
  assert.equal((await run(['number', 'create', JSON.stringify({ number })])).code, 6);
});

test('each noun says what it takes', async () => {
  const all = await run(['--help']);
  assert.equal(all.code, 0);
  const nouns = [...all.out.matchAll(/^ {2}([a-z-]+) +(?:[a-z-]+ \| )*[a-z-]+$/gm)].map((m) => m[1]);
  assert.ok(nouns.length >= 9, nouns.join());
  for (const noun of nouns) {
    const help = await run([noun, '--help']);
    assert.equal(help.code, 0);
    assert.match(help.out, new RegExp(`^usage: hookswitch ${noun} VERB`));
  }
});

test('help is help wherever it is asked for, and a version is one', async () => {
  const all = (await run(['--help'])).out;
  for (const words of [['-h'], ['help']]) assert.deepEqual([(await run(words)).out, (await run(words)).code], [all, 0]);
  assert.equal((await run(['help', 'number'])).out, (await run(['number', '--help'])).out);
  for (const tool of ['serve', 'demo', 'listen', 'apply', 'export', 'doctor', 'backup', 'restore', 'completion', 'config', 'version']) {
    const help = await run([tool, '--help']);
    assert.deepEqual([help.code, help.err], [0, ''], tool);
    assert.match(help.out, new RegExp(`^usage: hookswitch ${tool}`));
    assert.match(all, new RegExp(`^  ${tool} `, 'm'));
  }
  const { out } = await run(['version']);
  assert.match(out, /^hookswitch \d+\.\d+\.\d+\n$/);
  for (const word of ['--version', '-V']) assert.equal((await run([word])).out, out);
});

test('an event is posted, a message simulated', async () => {
  const event = { event: 'incoming_call', did_number: number, caller_id: '+19175550100', id: 'from-the-shell' };
  assert.match((await run(['event', 'create', JSON.stringify(event)])).out, /^from-the-shell\tno$/m);
  const many = JSON.parse((await run(['event', 'create', JSON.stringify([event, event]), '--json'])).out);
  assert.deepEqual(many.data.map((e) => e.duplicate), [true, true]);
  const sms = JSON.stringify({ kind: 'sms', number, message: 'x' });
  for (const words of [['simulate', sms], ['simulate', 'run', sms]]) assert.match((await run(words)).out, /^message_id +msg_/);
  assert.match((await run(['simulate', '-'], { input: sms })).out, /^message_id +msg_/);
  assert.equal((await run(['simulate', 'banana'])).code, 2);
});

test('text of the network cannot drive the terminal', async () => {
  const sms = { event: 'sms_received', from: 'ACME', to: number, message: '\u001b[31mA\u202e\u009b2J\r\nX' };
  const { data: [{ id }] } = await daemon.must('POST', '/v1/events', sms);
  for (const terminal of [undefined, 100]) {
    const c = await run(['event', 'get', id], { terminal });
    assert.match(c.out, /^message +\?\[31mA\?\?2J\?\?X\r?$/m);
    assert.ok(!/[\u001b\u0080-\u009f\u202e]/.test(c.out));
  }
});
