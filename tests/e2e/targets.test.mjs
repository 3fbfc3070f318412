// The SIP targets of accounts may lead only to allowed addresses: by the target, by a Contact and by a Route, never to ourselves.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Daemon } from './lib/daemon.mjs';
import { Agent, answerTo } from './lib/agent.mjs';
import { Caller } from './lib/ua.mjs';
import { until } from './lib/until.mjs';

const operators = '+447911000001', tenants = '+447911000002';
let daemon, tenant, open = [];

before(async () => {
  daemon = await Daemon.make({ 'sip.t1_ms': 100, 'http_client.allow': '' });
  daemon.sets['sip.listen'] = `udp:0.0.0.0:${daemon.sip},tcp:0.0.0.0:${daemon.sip}`;
  daemon.sets['sip.allow'] = '127.0.0.3/32';
  await daemon.run();
  await daemon.must('POST', '/v1/trunks', { name: 'carrier', sources: ['127.0.0.0/8'] });
  tenant = (await daemon.must('POST', '/v1/accounts', { name: 'tenant' })).id;
  await daemon.must('POST', '/v1/numbers', { number: operators });
  await daemon.must('POST', '/v1/numbers', { number: tenants, account: tenant });
});
after(() => daemon?.finish(open));

const held = async (what) => { open.push(await what); return open.at(-1); };
const forward = (number, ...targets) => daemon.must('PUT', `/v1/numbers/${encodeURIComponent(number)}/forward`,
  { targets: targets.map((t) => (typeof t === 'string' ? { type: 'sip', destination: t, ring_timeout_s: 5 } : t)) });

async function call(number) {
  const c = await held(Caller.open('127.0.0.2', daemon.sip));
  await c.send('INVITE', number);
  return c;
}

/** The newest call's events, the first first. */
async function events() {
  const { data } = await daemon.must('GET', '/v1/calls?limit=1');
  return (await daemon.must('GET', `/v1/events?call_id=${data[0].id}`)).data.reverse();
}

test('an account\'s target passes the guard, the operator\'s own need not', async () => {
  const allowed = await held(Agent.open({ transport: 'tcp' }));
  const other = await held(Agent.open({ transport: 'tcp', host: '127.0.0.4' }));
  await forward(tenants, other.uri(), { type: 'direct_ip', destination: `127.0.0.1:${daemon.http}` },
    'sip:x@169.254.169.254:80;transport=tcp', 'sip:x@127.0.0.4:1;transport=tcp', allowed.uri());
  await (await call(tenants)).wait(200, 'INVITE');
  assert.equal(other.opened, 0);
  const failed = (await events()).filter((e) => e.event === 'call_forward_failed');
  assert.equal(failed.length, 4);
  for (const e of failed) { // an open port, a closed one and one of ours look alike
    assert.equal(e.sip_status, 503);
    assert.match(e.detail, /blocked/);
  }
  await forward(operators, other.uri());
  await (await call(operators)).wait(200, 'INVITE');
  assert.equal(other.of('INVITE').length, 1);
});

test('a Contact and a Record-Route of a target lead nowhere that it may not', async () => {
  const secret = await held(Agent.open({ host: '127.0.0.4' }));
  const routed = (text) => answerTo(text, 200, { contact: secret.uri(),
    more: [`Record-Route: <sip:127.0.0.4:${secret.port};lr>`] });
  for (const more of [{ contact: secret.uri() }, { answer: routed }, { contact: `sip:x@127.0.0.1:${daemon.sip}` }]) {
    const agent = await held(Agent.open(more));
    await forward(tenants, agent.uri());
    const c = await call(tenants);
    c.within = await c.wait(200, 'INVITE');
    await c.send('ACK', tenants, c.within);
    await agent.wait('ACK');
    const stray = answerTo(agent.of('INVITE')[0].text, 200, { tag: 'stray', contact: secret.uri() });
    agent.socket.send(stray, daemon.sip, '127.0.0.1'); // of a fork that nobody knows
    await until(() => agent.of('BYE').some((r) => r.text.includes('tag=stray')), { what: 'the stray to be hung up' });
    await c.bye(tenants);
    await until(() => agent.of('BYE').some((r) => !r.text.includes('tag=stray')), { what: 'the BYE' });
  }
  assert.equal(secret.requests.length, 0);
  const agent = await held(Agent.open({ contact: secret.uri() })); // what the operator's own may
  await forward(operators, agent.uri());
  await (await call(operators)).talk(operators);
  await secret.wait('ACK');
});

const started = async () => Number(/^hookswitch_calls_started_total (\d+)$/m.exec((await daemon.api('GET', '/metrics')).text)[1]);

test('our own listeners are no target, however they are spelled: 482 at the first turn', async () => {
  const own = ['127.0.0.1', '127.9.8.7', '0.0.0.0', 'localhost', '[::ffff:127.0.0.1]', '[::ffff:127.9.8.7]', '[::]', '[::1]'];
  for (const number of [operators, tenants])
    for (const transport of ['udp', 'tcp']) {
      await forward(number, ...own.map((host) => `sip:${number}@${host}:${daemon.sip};transport=${transport}`));
      const before = await started();
      const c = await call(number);
      await c.wait(482, 'INVITE');
      await until(async () => (await events()).at(-1).event === 'call_ended', { what: 'call_ended' });
      const all = await events();
      assert.equal(all.filter((e) => e.event === 'call_forward_failed').length, own.length - 1);
      for (const e of all.slice(1)) assert.equal(e.sip_status, 482, `${number} ${JSON.stringify(e)}`);
      assert.match(all.at(-1).detail, /leads back to this system/);
      assert.equal(await started(), before + 1);
    }
});

test('what others bring back to us is refused with 482', async () => {
  const proxy = createSocket('udp4'); // stateless: its Via on top of a request, off again of the answer
  let turns = 0;
  proxy.on('message', (bytes, from) => {
    const text = bytes.toString();
    if (text.startsWith('SIP/2.0 ')) {
      const own = /^Via: SIP\/2\.0\/UDP 127\.0\.0\.3[^\r]*\r\n/m;
      if (own.test(text)) proxy.send(text.replace(own, ''), daemon.sip, '127.0.0.1');
    } else if (!text.startsWith('ACK ')) {
      turns++;
      proxy.send(text.replace('\r\n', `\r\nVia: SIP/2.0/UDP 127.0.0.3:${proxy.address().port};branch=z9hG4bKproxy${turns}\r\n`)
        .replace(/^INVITE \S+/, `INVITE sip:${tenants}@127.0.0.1:${daemon.sip}`), daemon.sip, '127.0.0.1');
    }
  });
  await new Promise((resolve) => proxy.bind(0, '127.0.0.3', resolve));
  open.push({ close: () => proxy.close() });
  await forward(tenants, `sip:x@127.0.0.3:${proxy.address().port}`);
  const before = await started();
  const c = await call(tenants);
  await c.wait(482, 'INVITE');
  assert.equal(await started(), before + 1);
  assert.match((await daemon.api('GET', '/metrics')).text, /^hookswitch_sip_loops_total [1-9]/m);
});

test('a password in a SIP URI is refused, and the field named', async () => {
  const refused = await daemon.api('PUT', `/v1/numbers/${encodeURIComponent(operators)}/forward`,
    { targets: [{ type: 'sip', destination: 'sip:a@example.com' }, { type: 'sip', destination: 'sip:a:secret@example.com' }] });
  assert.equal(refused.status, 422);
  assert.equal(refused.json.field, 'targets[1].destination');
  const created = await daemon.api('POST', '/v1/numbers', { number: '+447911000009',
    forward: { targets: [{ type: 'sip', destination: 'sips:a:secret@example.com' }] } });
  assert.equal(created.status, 422);
  assert.equal(created.json.field, 'forward.targets[0].destination');
});

test('the list is read again at SIGHUP; without one of its own SIP follows http_client.allow', async () => {
  const agent = await held(Agent.open({ host: '127.0.0.4' }));
  await forward(tenants, agent.uri());
  await (await call(tenants)).wait(500, 'INVITE');
  await daemon.kill('SIGTERM');
  daemon.sets['sip.allow'] = '';
  daemon.sets['http_client.allow'] = '127.0.0.0/8';
  await daemon.run();
  await (await call(tenants)).wait(200, 'INVITE');
  await daemon.kill('SIGTERM');
  const file = path.join(daemon.dir, 'allow');
  writeFileSync(file, 'none');
  delete daemon.sets['sip.allow'];
  daemon.env = { HOOKSWITCH_SIP_ALLOW_FILE: file };
  await daemon.run();
  await (await call(tenants)).wait(500, 'INVITE');
  assert.equal(agent.of('INVITE').length, 1);
  writeFileSync(file, '127.0.0.4/32');
  daemon.process.kill('SIGHUP');
  await until(() => daemon.log.includes('read again'), { what: 'the list to be read again' });
  await (await call(tenants)).wait(200, 'INVITE');
});
