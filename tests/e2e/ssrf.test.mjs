// Webhooks reach allowed addresses and no forbidden one. The test runs itself again in a network namespace of its own in which
// every address leads to this machine; a listener writes down the address of each connection. So "0 connections to a forbidden
// address" is seen from the other side, and so is that public ones are reached.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { createSocket } from 'node:dgram';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Daemon, freePort } from './lib/daemon.mjs';
import { endpoint, ping } from './lib/pings.mjs';
import { forbidden4, forbidden6, spellings4, spellings6 } from './lib/spellings.mjs';
import { recv, sipp, uac } from './lib/sipp.mjs';
import { until } from './lib/until.mjs';

if (!process.env.INSIDE_NAMESPACE) {
  const enter = process.getuid() === 0 ? ['unshare', '-n'] : ['unshare', '-rn'];
  const possible = spawnSync(enter[0], [...enter.slice(1), 'ip', 'link', 'set', 'lo', 'up']).status === 0;
  test('SSRF, in a network namespace where every address is here',
    { skip: possible ? false : 'this user may not make a network namespace (unshare -n), or ip(8) is missing' }, () => {
      const script = 'ip link set lo up && ip route add local 0.0.0.0/0 dev lo && ip -6 route add local ::/0 dev lo && exec "$0" "$@"';
      const { NODE_TEST_CONTEXT, ...env } = process.env;
      const run = spawnSync(enter[0], [...enter.slice(1), 'sh', '-c', script, process.execPath, fileURLToPath(import.meta.url)],
        { env: { ...env, INSIDE_NAMESPACE: '1' }, encoding: 'utf8', timeout: 300000 });
      for (const line of run.stdout.match(/^(table|reached|own): .*$/gm) ?? []) console.log(line);
      assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}`);
    });
} else {
  inside();
}

function inside() {
  const ports = [80, 443, 8080];
  const reached = new Map(); // address → connections
  const names = new Map();   // name → answers, one a question; the last one stays
  const questions = new Map();
  const servers = [];
  let daemon, dns;
  const controls = new Set(['8.8.8.8', '93.184.216.34', '2606:4700::1111', '64:ff9b::808:808', '2a00:1450::5efe:808:808']);

  function receive(socket) {
    const to = socket.localAddress.replace(/^::ffff:/, '');
    reached.set(to, (reached.get(to) ?? 0) + 1);
    let text = '';
    socket.on('error', () => {}).on('data', (bytes) => {
      text += bytes;
      if (!text.includes('\r\n\r\n')) return;
      const redirect = /^POST \/to\/(\S+)/.exec(text);
      const reject = '{"action":"reject","sip_status":486}';
      socket.end(redirect
        ? `HTTP/1.1 ${/status=(\d+)/.exec(text)?.[1] ?? 302} Found\r\nLocation: http://${redirect[1]}/\r\nContent-Length: 0\r\n\r\n`
        : `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${reject.length}\r\n\r\n${reject}`);
    });
  }

  const packed = (ip) => (ip.includes(':') ? new Uint8Array(parse6(ip)) : new Uint8Array(ip.split('.').map(Number)));
  function parse6(ip) {
    const [head, tail] = ip.split('::').map((part) => (part ? part.split(':').map((g) => parseInt(g, 16)) : []));
    const groups = tail ? [...head, ...Array(8 - head.length - tail.length).fill(0), ...tail] : head;
    return groups.flatMap((g) => [g >> 8, g & 255]);
  }

  function answer(question, rinfo) {
    const labels = [];
    let at = 12;
    while (question[at]) {
      labels.push(question.toString('latin1', at + 1, at + 1 + question[at]));
      at += question[at] + 1;
    }
    const name = labels.join('.').toLowerCase();
    const type = question.readUInt16BE(at + 1);
    const list = names.get(name);
    if (type === 1) questions.set(name, (questions.get(name) ?? 0) + 1);
    const turn = Math.min((questions.get(name) ?? 1) - 1, (list?.length ?? 1) - 1);
    const found = (list?.[turn] ?? []).filter((ip) => ip.includes(':') === (type === 28) && (type === 1 || type === 28));
    const head = Buffer.from(question.subarray(0, at + 5));
    head.writeUInt16BE(list ? 0x8180 : 0x8183, 2);
    head.writeUInt16BE(found.length, 6);
    head.writeUInt32BE(0, 8);
    const records = found.map((ip) => {
      const bytes = packed(ip);
      const r = Buffer.alloc(12);
      r.writeUInt16BE(0xc00c, 0);
      r.writeUInt16BE(type, 2);
      r.writeUInt16BE(1, 4);
      r.writeUInt32BE(0, 6); // TTL
      r.writeUInt16BE(bytes.length, 10);
      return Buffer.concat([r, bytes]);
    });
    dns.send(Buffer.concat([head, ...records]), rinfo.port, rinfo.address);
  }

  before(async () => {
    for (const port of ports) {
      const server = net.createServer({ allowHalfOpen: true }, receive);
      await new Promise((resolve, reject) => server.on('error', reject).listen(port, '::', resolve));
      servers.push(server);
    }
    dns = createSocket('udp4', answer);
    await new Promise((resolve) => dns.bind(0, '127.0.0.1', resolve));
    daemon = await Daemon.start({ 'http_client.allow': '', 'http_client.dns_servers': `127.0.0.1:${dns.address().port}`, 'deliver.timeout_ms': 3000 });
    await daemon.must('POST', '/v1/trunks', { name: 'carrier', sources: ['127.0.0.2/32'] });
  });
  after(async () => {
    await daemon?.stop();
    for (const s of servers) s.close();
    dns.close();
  });

  const strangers = () => [...reached.keys()].filter((ip) => !controls.has(ip));

  /** Blocked: refused when it was created, or said so in the delivery log. */
  async function blocked(url, more = {}) {
    const made = await daemon.api('POST', '/v1/endpoints', { url, numbers: [], retry: { schedule_s: [600], give_up_after_s: 1 }, ...more });
    if (made.status === 422) return made.json.field === (more.fallback_url ? 'fallback_url' : 'url') ? 'refused' : made.text;
    if (made.status !== 201) return made.text;
    const { attempt } = await ping(daemon, made.json);
    if (/^blocked /.test(attempt.error ?? '')) return 'blocked';
    return /resolved/.test(attempt.error ?? '') ? 'no name' : `status ${attempt.status} ${attempt.error}`;
  }

  async function each(urls, work) {
    const outcome = {};
    const wrong = [];
    const rest = [...urls];
    await Promise.all(Array.from({ length: 24 }, async () => {
      for (let url; (url = rest.pop()) !== undefined;) {
        const how = await work(url);
        outcome[how] = (outcome[how] ?? 0) + 1;
        if (!['refused', 'blocked', 'no name'].includes(how)) wrong.push(`${url}: ${how}`);
      }
    }));
    return { outcome, wrong };
  }

  test('public addresses are reached, however they are spelled', async () => {
    names.set('public.test', [['93.184.216.34']]);
    names.set('public6.test', [['2606:4700::1111']]);
    for (const [url, to] of [['http://8.8.8.8/', '8.8.8.8'], ['http://0x08080808/', '8.8.8.8'], ['http://134744072:8080/', '8.8.8.8'],
      ['http://\uff18.8.8.8/', '8.8.8.8'], ['http://[::ffff:8.8.8.8]/', '8.8.8.8'], ['http://[2606:4700::1111]/', '2606:4700::1111'],
      ['http://[64:ff9b::8.8.8.8]/', '64:ff9b::808:808'], ['http://[2a00:1450::5efe:8.8.8.8]/', '2a00:1450::5efe:808:808'],
      ['http://public.test/', '93.184.216.34'], ['http://PUBLIC.test./', '93.184.216.34'], ['http://public6.test/', '2606:4700::1111']]) {
      const before = reached.get(to) ?? 0;
      const { attempt } = await ping(daemon, await endpoint(daemon, url));
      assert.equal(attempt.status, 200, `${url}: ${attempt.error}`);
      assert.equal(reached.get(to), before + 1, url);
    }
    console.log(`reached: ${[...reached].map(([ip, n]) => `${ip} ${n}×`).join(', ')}`);
  });

  test('the table: no connection to a forbidden address', async () => {
    const hosts = new Set([...forbidden4.flatMap(spellings4), ...forbidden4.flatMap(spellings6),
      ...forbidden6.flatMap((ip) => [`[${ip}]`, `[${ip.toUpperCase()}]`, `[${ip}%25lo]`, ip])]);
    const urls = [...hosts].map((host, i) => `http${i % 8 ? '' : 's'}://${host}${i % 5 ? '' : ':8080'}/x`);
    for (const [i, ip] of [...forbidden4, ...forbidden6].entries()) {
      names.set(`n${i}.test`, [[ip]]);
      names.set(`many${i}.test`, [[ip, '10.1.1.1', '::1']]);
      urls.push(`http://n${i}.test/`, `https://N${i}.TEST./`, `http://many${i}.test/`);
    }
    const local = ['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'localhost.localdomain', 'ip6-localhost', 'ip6-loopback', '%6cocalhost', '\uff4cocalhost', 'locaLhost\u3002'];
    urls.push(...local.map((name) => `http://${name}/`));
    const odd = ['ftp', 'file', 'gopher', 'ws', 'data', 'dict', 'ldap', 'unix', 'http+unix', 'jar', 'javascript', 'tftp', 'sftp', 'blob', 'about', 'view-source', 'netdoc'];
    urls.push(...odd.flatMap((scheme) => [`${scheme}://127.0.0.1/`, `${scheme}:127.0.0.1`, `${scheme}://8.8.8.8/`]));
    urls.push('http:127.0.0.1/', 'http:/127.0.0.1/', 'http:///127.0.0.1/', 'http:\\\\127.0.0.1\\', '//127.0.0.1/', '\\\\127.0.0.1\\', ' http://127.0.0.1/', 'http://127.0.0.1/\n',
      'ht\ttp://127.0.0.1/', 'http://127.0.\n0.1/', 'http://8.8.8.8\r\nHost: 127.0.0.1/', 'http://8.8.8.8:80:80/', 'http://8.8.8.8:0/', 'http://8.8.8.8:65616/', '');
    for (const port of [1, 7, 21, 22, 23, 25, 53, 110, 119, 143, 389, 465, 587, 993, 2049, 5060, 5061, 6000, 6667, 10080]) urls.push(`http://8.8.8.8:${port}/`);
    const started = Date.now();
    const { outcome, wrong } = await each(new Set(urls), blocked);
    const n = new Set(urls).size;
    console.log(`table: ${n} spellings and addresses in ${Date.now() - started} ms: ${JSON.stringify(outcome)}; connections to forbidden addresses: ${strangers().length}`);
    assert.deepEqual(wrong, []);
    assert.deepEqual(strangers(), []);
    assert.ok(n >= 1500, `${n} are not enough`);
    assert.ok(outcome.blocked >= 1000, 'most are judged at connect');
  });

  test('a fallback URL goes through the same gate', async () => {
    const urls = [...forbidden4.map((ip) => `http://${ip}/`), ...forbidden6.map((ip) => `http://[${ip}]/`), ...spellings6('169.254.169.254').map((h) => `http://${h}/`)];
    const { wrong } = await each(urls, (fallback_url) => blocked('http://8.8.8.8:81/', { fallback_url })); // nobody listens at 81
    assert.deepEqual(wrong, []);
    assert.deepEqual(strangers(), []);
  });

  test('redirects are not followed', async () => {
    for (const status of [301, 302, 303, 307, 308])
      for (const to of ['127.0.0.1', '169.254.169.254', '1.1.1.1']) {
        const { attempt } = await ping(daemon, await endpoint(daemon, `http://8.8.8.8/to/${to}?status=${status}`));
        assert.equal(attempt.status, status);
      }
    assert.deepEqual(strangers(), []); // 1.1.1.1 is public, and not asked for
  });

  test('a name that moves to a forbidden address between two deliveries is judged again', async () => {
    for (const [i, ip] of ['127.0.0.1', '169.254.169.254', '::1', '64:ff9b::a00:1', '0.0.0.0'].entries()) {
      const name = `rebind${i}.test`;
      names.set(name, [['8.8.8.8'], [ip]]);
      const e = await endpoint(daemon, `http://${name}/`);
      assert.equal((await ping(daemon, e)).attempt.status, 200, name);
      const later = await until(async () => {
        const { attempt } = await ping(daemon, e);
        return attempt.error && attempt;
      }, { what: `${name} to be asked again`, every: 200 });
      assert.match(later.error, /^blocked /);
      assert.ok(questions.get(name) >= 2);
    }
    assert.deepEqual(strangers(), []);
  });

  test('of several addresses only the public ones are tried', async () => {
    names.set('mixed.test', [['127.0.0.1', '10.0.0.1', '93.184.216.34', '::1']]);
    const { attempt } = await ping(daemon, await endpoint(daemon, 'http://mixed.test/'));
    assert.equal(attempt.status, 200);
    assert.deepEqual(strangers(), []);
  });

  test('a target of type webhook: its URL is judged when it is set, and its address when it is asked', async () => {
    const number = '+447911120000';
    const forward = `/v1/numbers/${encodeURIComponent(number)}/forward`;
    await daemon.number(number, []);
    for (const destination of ['http://user@8.8.8.8/', 'http://8.8.8.8:25/', 'http://127.0.0.1#@8.8.8.8/', 'http://1.2.3.256/', 'http:///x']) {
      const answer = await daemon.api('PUT', forward, { targets: [{ type: 'webhook', destination }] });
      assert.equal(answer.status, 422, destination);
      assert.equal(answer.json.field, 'targets[0].destination');
    }
    names.set('asked.test', [['10.0.0.1']]);
    for (const [destination, status] of [['http://8.8.8.8/', 486], ['http://127.0.0.1/', 480], ['http://169.254.169.254/', 480],
      ['http://[::ffff:10.0.0.1]/', 480], ['http://0x7f.1/', 480], ['http://asked.test/', 480], ['http://8.8.8.8/to/127.0.0.1', 480], [`http://127.0.0.1:${daemon.http}/`, 480]]) {
      await daemon.must('PUT', forward, { targets: [{ type: 'webhook', destination }] });
      const caller = sipp([uac.invite(), uac.ringing, recv(status), uac.ackFailure()],
        { ip: '127.0.0.2', port: await freePort('127.0.0.2'), service: number, remote: `127.0.0.1:${daemon.sip}` });
      await caller.done;
    }
    assert.deepEqual(strangers(), []);
  });

  test('own listeners are refused whatever is allowed', async () => {
    const open = await Daemon.start({ 'http_client.allow': '0.0.0.0/0,::/0' }, { listen: '0.0.0.0' });
    try {
      const own = new URL(open.url).port;
      let n = 0;
      for (const host of ['127.0.0.1', '127.0.0.2', '0.0.0.0', '10.0.0.1', '8.8.8.8', '[::ffff:127.0.0.1]', '[::ffff:8.8.8.8]', 'localhost',
        '[64:ff9b::8.8.8.8]', '[2002:808:808::1]', '[::]']) {
        const { attempt } = await ping(open, await endpoint(open, `http://${host}:${own}/v1/endpoints`));
        assert.match(attempt.error, /^blocked .*our own listeners/, host);
        n++;
      }
      assert.equal((await ping(open, await endpoint(open, 'http://10.0.0.1/'))).attempt.status, 200);
      reached.delete('10.0.0.1');
      console.log(`own: ${n} ways to our own listener, all refused`);
    } finally { await open.stop(); }
  });

  test('nothing was reached but what may be', async () => {
    assert.deepEqual(strangers(), []);
  });
}
