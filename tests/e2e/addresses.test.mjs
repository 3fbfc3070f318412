// A target's address that fails is left at once, and what was said of it stands in events, trace and log. Within a call nothing
// that is asked is lost with a connection.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Daemon } from './lib/daemon.mjs';
import { Agent } from './lib/agent.mjs';
import { Caller } from './lib/ua.mjs';
import { until } from './lib/until.mjs';
import { Authority } from './lib/certificates.mjs';

const number = '+447911000001';
let daemon, open = [], authority = new Authority();

before(async () => {
  daemon = await Daemon.make({ 'sip.t1_ms': 100 });
  await daemon.run();
  await daemon.must('POST', '/v1/trunks', { name: 'carrier', sources: ['127.0.0.0/8'] });
  await daemon.must('POST', '/v1/numbers', { number });
});
after(async () => {
  await daemon?.finish(open);
  authority.remove();
});

const held = async (what) => { open.push(await what); return open.at(-1); };
const forward = (...targets) => daemon.must('PUT', `/v1/numbers/${encodeURIComponent(number)}/forward`,
  { targets: targets.map((destination) => ({ type: 'sip', destination, ring_timeout_s: 20 })) });

async function call() {
  const c = await held(Caller.open('127.0.0.2', daemon.sip));
  await c.send('INVITE', number);
  return c;
}

async function newest() {
  const { data } = await daemon.must('GET', '/v1/calls?limit=1');
  return data[0].id;
}
const events = async () => (await daemon.must('GET', `/v1/events?call_id=${await newest()}`)).data.reverse();

async function talk(agent) {
  await forward(agent.uri());
  const c = await call();
  c.within = await c.wait(200, 'INVITE');
  await c.send('ACK', number, c.within);
  await agent.wait('ACK');
  await until(async () => (await events()).at(-1).event === 'call_answered', { what: 'call_answered' });
  return c;
}

/** A port of 127.0.0.3 where nobody listens. */
async function closedPort(transport) {
  const a = await Agent.open({ transport });
  a.close();
  return a.port;
}

test('events, trace and log say why each address failed, and nothing that never left was sent', async () => {
  const tls = await held(Agent.open({ transport: 'tls', certificate: authority.issue('agent', 'IP:127.0.0.3') }));
  const [tcp, udp] = [await closedPort('tcp'), await closedPort('udp')];
  const good = await held(Agent.open());
  await forward(`sip:x@127.0.0.3:${tcp};transport=tcp`, `sip:x@127.0.0.3:${udp}`, tls.uri(), good.uri());
  await (await call()).wait(200, 'INVITE');
  const failed = (await events()).filter((e) => e.event === 'call_forward_failed');
  assert.deepEqual(failed.map((e) => e.sip_status), [503, 503, 503]);
  const why = [new RegExp(`could not connect: 127.0.0.3:${tcp}: Connection refused$`), new RegExp(`127.0.0.3:${udp} but ICMP: Connection refused`),
    /could not connect: 127.0.0.3:\d+: no TLS: unable to get local issuer certificate$/];
  failed.forEach((e, i) => assert.match(e.detail, why[i]));
  assert.match(daemon.log, new RegExp(`${failed[0].call_id}: .*:${tcp}: Connection refused`)); // the log leaves out what comes often
  const invites = await until(async () => {
    const { data } = await daemon.must('GET', `/v1/calls/${await newest()}/trace`);
    const out = data.filter((m) => m.direction === 'out' && m.message.startsWith('INVITE '));
    return out.some((m) => m.message.includes(`:${good.port}`)) && out.map((m) => Number(/:(\d+)[; ]/.exec(m.message)[1]));
  }, { what: 'the trace' });
  assert.deepEqual([...new Set(invites)], [udp, good.port]);
  assert.equal(tls.of('INVITE').length, 0);
});

test('a leg whose connection is reset is asked at once, over a new one', async () => {
  const agent = await held(Agent.open({ transport: 'tcp' }));
  const c = await talk(agent);
  for (const s of agent.connections) s.resetAndDestroy();
  await agent.wait('OPTIONS');
  assert.equal(agent.opened, 2);
  await c.bye(number);
  await agent.wait('BYE');
});

test('a BYE waits for its peer to listen again', async () => {
  const first = await Agent.open({ transport: 'tcp' });
  const c = await talk(first);
  first.close();
  await c.bye(number);
  await until(async () => (await events()).at(-1).event === 'call_ended', { what: 'call_ended' });
  const again = await held(Agent.open({ transport: 'tcp', port: first.port }));
  await again.wait('BYE');
});
