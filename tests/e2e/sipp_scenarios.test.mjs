// Every scenario that the installed sipp has in itself makes its call through the daemon, as the carrier and as the agent, over UDP and
// TCP on each side. The calls run at once: the pauses in the scenarios as shipped are what the file takes.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, realpathSync } from 'node:fs';
import { Rig, carrier } from './lib/rig.mjs';
import { freePort } from './lib/daemon.mjs';
import { until } from './lib/until.mjs';

const recordings = '/usr/share/sip-tester';
const withoutRegister = (text) => text.replace(/<(send|recv request="REGISTER").*?(?=<send retrans="500">\s*<!\[CDATA\[\s*INVITE|<!-- Set variable 3)/s, '');

// As the carrier, as the agent, or (`no`) neither, and why.
const scenarios = {
  uac: { as: 'carrier' },
  regexp: { as: 'carrier' },
  // It sends RTP through raw sockets.
  uac_pcap: { as: 'carrier', root: true, change: (text) => text.replaceAll('"pcap/', `"${recordings}/`) },
  // It registers first, which a trunk does not, and calls a name.
  branchc: { as: 'carrier', change: (text) => withoutRegister(text).replace('INVITE sip:ua2@', 'INVITE sip:[service]@') },
  '3pcc-C-A': { as: 'carrier' },
  '3pcc-C-B': { as: 'carrier' },
  uas: { as: 'agent' },
  // It waits for a REGISTER under the Call-ID of the INVITE, and answers only callers by a name of branchc's second call.
  branchs: { as: 'agent', change: (text) => withoutRegister(text).replace('regexp="ua2"', 'regexp="sipp"') },
  '3pcc-A': { as: 'agent' },
  '3pcc-B': { as: 'agent' },
  ooc_default: { no: 'it answers requests outside of calls; the daemon sends none' },
  ooc_dummy: { no: 'it takes a request DUMMY, and makes no call' },
};

const dump = (name) => {
  const { stdout } = spawnSync('sipp', ['-sd', name], { encoding: 'latin1' });
  return stdout.slice(stdout.indexOf('<?xml'));
};
const scenario = (name) => (scenarios[name].change ?? ((text) => text))(dump(name));

let rig;
before(async () => { rig = await Rig.start(); });
after(async () => { await rig?.stop(); });

/** Waits until `ip:port` is bound, for TCP listening; nothing is sent there. */
const bound = (transport, ip, port) => until(() => {
  const hex = (n, digits) => n.toString(16).toUpperCase().padStart(digits, '0');
  const address = `${ip.split('.').reverse().map((n) => hex(Number(n), 2)).join('')}:${hex(port, 4)}`;
  const state = transport === 'tcp' ? '0A' : '07';
  return new RegExp(`: ${address} \\S+ ${state} `).test(readFileSync(`/proc/net/${transport}`, 'utf8'));
}, { what: `sipp at ${transport}:${ip}:${port}` });

const mode = { udp: 'u1', tcp: 't1' };

/** An agent with that scenario, and a number that leads to it. */
async function attend(name, transport) {
  const line = await rig.line({ transport: `;transport=${transport}` });
  const callee = rig.attend(line, scenario(name), { transport: mode[transport] });
  await bound(transport, '127.0.0.3', line.ports[0]);
  return { line, callee };
}

const carry = (name, line, transport, more = []) => rig.carry(line, scenario(name), { transport: mode[transport], more });

async function completed({ where }) {
  const events = await rig.receiver.wait(where, 3);
  assert.deepEqual(events.map((e) => e.event), ['incoming_call', 'call_answered', 'call_ended']);
  assert.equal(events[2].end_reason, 'completed');
  assert.equal(events[2].ended_by, 'caller');
}

async function call(caller, agent, from, to) {
  const { line, callee } = await attend(agent, to);
  const calling = await carry(caller, line, from);
  await Promise.all([calling.done, callee.done]);
  await completed(line);
}

/** Two calls, of which each gets its session from the other one's agent: the first is without an offer. */
async function thirdParty(from, to) {
  const [a, b] = await Promise.all([attend('3pcc-A', to), attend('3pcc-B', to)]);
  const twin = await freePort('0.0.0.0'), more = ['-3pcc', `${carrier}:${twin}`];
  const second = await carry('3pcc-C-B', b.line, from, more);
  await bound('tcp', '0.0.0.0', twin); // whatever its address says
  const first = await carry('3pcc-C-A', a.line, from, more);
  await Promise.all([first, second, a.callee, b.callee].map((s) => s.done));
  await Promise.all([a, b].map(({ line }) => completed(line)));
}

test('each scenario of the installed sipp is in the list', () => {
  const program = realpathSync(execFileSync('which', ['sipp'], { encoding: 'utf8' }).trim());
  const titles = (text) => [...text.matchAll(/<scenario name="([^"]+)">/g)].map((m) => m[1]).sort();
  assert.deepEqual(titles(Object.keys(scenarios).map(dump).join('')), titles(readFileSync(program, 'latin1')));
  const examples = [recordings, '/usr/share/doc/sip-tester'].flatMap((dir) => {
    try { return readdirSync(dir, { recursive: true }); } catch { return []; }
  }).filter((name) => /\.xml(\.gz)?$/.test(name));
  assert.deepEqual(examples, [], 'the package has no other scenario');
});

test('calls', { concurrency: true }, async (t) => {
  const runs = [];
  const run = (title, how, options) => runs.push(t.test(title, options, how));
  for (const from of ['udp', 'tcp']) for (const to of ['udp', 'tcp']) {
    for (const [name, { as, root }] of Object.entries(scenarios)) {
      const skip = root && process.getuid() !== 0 && 'raw sockets are for root only';
      if (as === 'agent') run(`uac over ${from}, ${name} over ${to}`, () => call('uac', name, from, to));
      else if (as === 'carrier' && !name.startsWith('3pcc') && name !== 'uac')
        run(`${name} over ${from}, uas over ${to}`, () => call(name, 'uas', from, to), { skip });
    }
    run(`3pcc-C-A and 3pcc-C-B over ${from}, 3pcc-A and 3pcc-B over ${to}`, () => thirdParty(from, to));
  }
  for (const [name, { no }] of Object.entries(scenarios)) if (no) t.diagnostic(`${name} makes no call: ${no}`);
  await Promise.all(runs);
});
