// docs/howto/nginx.md as it is printed: its site, run by the real nginx in front of a daemon.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { Daemon, freePort, key } from './lib/daemon.mjs';
import { Authority } from './lib/certificates.mjs';
import { Command, cli } from './lib/cli.mjs';
import { until } from './lib/until.mjs';

const skip = spawnSync('nginx', ['-v']).error ? 'nginx-light is not installed' : false;
const listen = '127.0.0.4', client = '127.0.0.9';
const page = readFileSync(fileURLToPath(new URL('../../docs/howto/nginx.md', import.meta.url)), 'utf8');
const block = (language) => page.match(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms'))[1];

let d, ca, dir, port, child, log = '', ended;

/** Exactly one place of the page's site is what this machine has instead. */
function replaced(text, pattern, by) {
  assert.equal([...text.matchAll(pattern)].length, 1, `${pattern} once on the page`);
  return text.replace(pattern, by);
}

before(async () => {
  if (skip) return;
  const trusted = block('ini').match(/^trusted_proxies = (.*)$/m)[1];
  d = await Daemon.start({ 'http.trusted_proxies': trusted });
  ca = new Authority();
  port = await freePort(listen);
  dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-nginx-'));
  const { key: secret, cert } = ca.issue('nginx', `IP:${listen}`);
  writeFileSync(path.join(dir, 'key.pem'), secret);
  writeFileSync(path.join(dir, 'cert.pem'), cert);
  let site = block('nginx');
  site = replaced(site, /server 127\.0\.0\.1:8080;/g, `server 127.0.0.1:${d.http};`);
  site = replaced(site, /listen 443 ssl http2;/g, `listen ${listen}:${port} ssl http2;`);
  site = replaced(site, /^ *listen \[::\]:443 ssl http2;\n/gm, '');
  site = replaced(site, /\/etc\/letsencrypt\/\S*fullchain\.pem/g, path.join(dir, 'cert.pem'));
  site = replaced(site, /\/etc\/letsencrypt\/\S*privkey\.pem/g, path.join(dir, 'key.pem'));
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((w) => `${w}_temp_path ${dir}/${w};`).join('\n');
  writeFileSync(path.join(dir, 'nginx.conf'), `${process.getuid() === 0 ? 'user root;' : ''}
daemon off; pid ${dir}/pid; error_log stderr notice; events {}
http { access_log off; ${temp}\n${site}}\n`);
  child = spawn('nginx', ['-p', dir, '-c', path.join(dir, 'nginx.conf'), '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.on('data', (b) => { log += b; });
  child.on('exit', (code) => { ended = code ?? -1; });
  await until(() => {
    if (ended !== undefined) throw new Error(`the daemon ended: nginx with ${ended}: ${log}`);
    return /start worker process/.test(log);
  }, { what: 'nginx to be up', timeout: 15000 });
});
after(async () => {
  if (child) {
    child.kill('SIGQUIT');
    await until(() => ended !== undefined, { what: 'nginx to end' });
  }
  await d?.stop();
  ca?.remove();
  if (dir) rmSync(dir, { recursive: true, force: true });
});

const ask = (method, where, body, headers = {}, from = client) => new Promise((resolve, reject) => {
  const r = request({ host: listen, port, localAddress: from, ca: ca.pem, method, path: where, agent: false,
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers } }, (res) => {
    let text = '';
    res.setEncoding('utf8').on('data', (s) => { text += s; }).on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
  });
  r.on('error', reject).end(body && JSON.stringify(body));
});
const json = (answer) => JSON.parse(answer.text);

test('the audit log shows the real client, whatever he writes himself', { skip }, async () => {
  for (const [name, headers] of Object.entries({ plain: {}, spoofed: { 'x-forwarded-for': '203.0.113.9' },
    trusted: { 'x-forwarded-for': '203.0.113.9, 127.0.0.1' }, other: { forwarded: 'for=203.0.113.9' } })) {
    const made = await ask('POST', '/v1/accounts', { name }, headers);
    assert.equal(made.status, 201, made.text);
    const { data } = json(await ask('GET', `/v1/audit?id=${json(made).id}`));
    assert.equal(data[0].address, client, name);
  }
});

test('log-ins are throttled by the real client', { skip }, async () => {
  const guess = async (from, i) => (await ask('POST', '/api/login', { username: `nobody${i}`, password: 'a wrong one' },
    { 'x-forwarded-for': `203.0.113.${i}` }, from)).status;
  let taken = 0; // the waits double, so that one is met soon
  while (taken < 40 && await guess('127.0.0.12', taken) === 401) taken++;
  assert.ok(taken >= 30 && taken < 40, `${taken}`);
  assert.equal(await guess('127.0.0.13', 33), 401);
});

test('an event stream comes through at once', { skip }, async () => {
  const env = { HOOKSWITCH_URL: `https://${listen}:${port}` };
  const listener = new Command(null, ['listen', '--ca-file', ca.path, '--count', '2'], { env });
  await listener.says(/listening|waiting|connected|events/i);
  const sent = ['one', 'two'];
  for (const id of sent) {
    await d.must('POST', '/v1/events', { event: 'incoming_call', did_number: '+447911123456', caller_id: 'unknown', id });
    await listener.says(new RegExp(`incoming_call.*${id}$`, 'm'));
  }
  assert.equal((await listener.done).code, 0, listener.err);
  const list = await cli(null, ['event', 'list', '--ca-file', ca.path], { env });
  assert.match(list.out, /two.*\n.*one/s);
});

test('errors are the daemon\'s own, and metrics stay inside', { skip }, async () => {
  const large = await ask('POST', '/v1/events', { event: 'x'.repeat(300 * 1024) });
  assert.deepEqual([large.status, json(large).code], [413, 'too_large']);
  const none = await ask('GET', '/v1/nothing');
  assert.deepEqual([none.status, none.headers['content-type']], [404, 'application/problem+json']);
  const made = await ask('POST', '/v1/numbers', { number: '+447911123499' });
  assert.match(made.headers.location, /^\/v1\/numbers\/\+447911123499$/, 'a path, right behind any proxy');
  assert.equal((await ask('GET', '/metrics')).status, 403);
  assert.equal((await ask('GET', '/metrics', undefined, {}, '127.0.0.1')).status, 200);
});
