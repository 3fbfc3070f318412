// Clients that send or read as slowly as they can, by slowhttptest: they hold what they got, and others are served.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { House } from './lib/tenants.mjs';
import { key } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

let house;
before(async () => { house = await House.start({ 'http.connections_per_address': 1000 }); });
after(async () => { await house?.stop(); });

/** A request from an address of its own, on a connection of its own. */
const ask = (localAddress, method, path, body) => new Promise((resolve, reject) => {
  const r = request({ host: '127.0.0.1', port: house.daemon.http, localAddress, method, path, agent: false, timeout: 10000,
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) } }, (res) => {
    res.resume().on('end', () => resolve(res.statusCode));
  });
  r.on('timeout', () => r.destroy(new Error('no answer in 10 s'))).on('error', reject).end(body);
});

function attack(args) {
  const child = spawn('slowhttptest', ['-r', '1000', '-l', '6', '-p', '1', '-v', '0', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (b) => { out += b; });
  const attacker = { child, running: true };
  attacker.ended = new Promise((resolve, reject) => {
    child.on('error', reject).on('exit', (code) => { attacker.running = false; resolve({ code, out }); });
  });
  return attacker;
}

test('slow heads, slow bodies and slow readers, 3,000 of them, keep nobody else waiting', async () => {
  const { url } = house.daemon;
  const attackers = [
    attack(['-H', '-c', '1000', '-i', '2', '-u', `${url}/v1/events`]),
    attack(['-B', '-c', '1000', '-i', '2', '-s', '100000', '-t', 'POST', '-f', 'application/json', '-u', `${url}/v1/events`]),
    attack(['-X', '-c', '1000', '-w', '8', '-y', '16', '-n', '2', '-z', '8', '-k', '3', '-u', `${url}/v1/openapi.json`]),
  ];
  let served = 0;
  while (attackers.some((a) => a.running)) {
    const event = JSON.stringify({ event: 'incoming_call', did_number: '+447911123456', caller_id: 'unknown', id: `slow-${served}` });
    assert.equal(await ask('127.0.0.9', 'POST', '/v1/events', event), 202);
    assert.equal(await ask('127.0.0.9', 'GET', '/readyz'), 200);
    served++;
  }
  for (const a of attackers) assert.match((await a.ended).out + 'ended', /ended/);
  assert.ok(served >= 20, `${served} served meanwhile`);
  const { data } = await house.daemon.must('GET', '/v1/events?limit=1');
  assert.equal(data[0].id, `slow-${served - 1}`);
  // And their own address is served again when they have gone.
  await until(async () => await ask('127.0.0.1', 'GET', '/healthz') === 200, { what: 'their address to be served' });
});
