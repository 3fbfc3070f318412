// RFC 4475's messages over the wire, from a trunk: the edge's answer to each, and that it goes on.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Rig, carrier } from './lib/rig.mjs';
import { until } from './lib/until.mjs';

const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../data/rfc4475');
let rig;
before(async () => { rig = await Rig.start(); });
after(async () => { await rig?.stop(); });

// First line's status of the final answer; null: silence. INVITEs and MESSAGEs go to numbers nobody has here.
const due = {
  wsinv: 481, intmeth: 501, esc01: 404, escnull: 405, esc02: 501, lwsdisp: 200, longreq: 404, dblreq: 405,
  semiuri: 200, transports: 200, mpart01: 404, unreason: null, noreason: null,
  badinv01: 400, clerr: 400, ncl: 400, scalar02: 400, scalarlg: null, quotbal: 400, ltgtruri: 400,
  lwsruri: 400, lwsstart: 400, trws: 400, escruri: 404, baddate: 404, regbadct: 400, badaspec: 400,
  baddn: 400, badvers: 505, mismatch01: 400, mismatch02: 400, bigcode: null,
  badbranch: 200, insuf: null, unkscm: 416, novelsc: 416, unksm2: 405, bext01: 420, invut: 415, regaut01: 405,
  multi01: 400, mcl01: 400, bcast: null, zeromf: 483, cparam01: 405, cparam02: 405, regescrt: 405, sdp01: 404,
  inv2543: 404,
};

const options = (id) => ['OPTIONS sip:x@127.0.0.1 SIP/2.0', `Via: SIP/2.0/UDP h;rport;branch=z9hG4bK${id}`,
  'From: <sip:a@b>;tag=1', 'To: <sip:c@d>', `Call-ID: ${id}`, 'CSeq: 1 OPTIONS', 'Content-Length: 0', '', ''].join('\r\n');

test('each of the 49 gets its answer', async () => {
  assert.equal(readdirSync(folder).length, 49);
  const got = {};
  // Without rport an answer goes to the port of the Via (§18.2.2): 5060 where that is a name alone.
  const named = createSocket({ type: 'udp4', reuseAddr: true });
  await new Promise((resolve) => named.bind(5060, carrier, resolve));
  named.unref();
  for (const file of readdirSync(folder)) {
    const name = path.basename(file, '.dat');
    const socket = createSocket('udp4');
    const answers = [];
    const take = (bytes) => answers.push(bytes.toString('latin1'));
    socket.on('message', take);
    named.removeAllListeners('message').on('message', take);
    await new Promise((resolve) => socket.bind(0, carrier, resolve));
    socket.unref();
    socket.send(readFileSync(path.join(folder, file)), rig.daemon.sip, '127.0.0.1');
    // The OPTIONS behind it is answered after it: then all that was to come has come.
    socket.send(options(`probe${name}`), rig.daemon.sip, '127.0.0.1');
    const probe = () => answers.find((a) => a.includes(`Call-ID: probe${name}\r\n`));
    await until(probe, { what: `life after ${name}` });
    const own = answers.filter((a) => a !== probe()).map((a) => Number(a.slice(8, 11)));
    got[name] = own.length ? own.join() : null;
    socket.close();
  }
  named.close();
  for (const name of Object.keys(got)) if (got[name]) got[name] = Number(got[name]);
  assert.deepEqual(got, Object.fromEntries(Object.keys(got).map((name) => [name, due[name]])));
});

test('over TCP, one byte at a time', async () => {
  const s = connect({ host: '127.0.0.1', port: rig.daemon.sip, localAddress: carrier, noDelay: true });
  let got = '';
  s.on('data', (bytes) => { got += bytes.toString('latin1'); });
  await new Promise((resolve) => s.on('connect', resolve));
  const text = readFileSync(path.join(folder, 'wsinv.dat')); // folded, odd blanks, compact forms
  for (const byte of text) await new Promise((resolve) => s.write(Buffer.of(byte), resolve));
  await until(() => /SIP\/2\.0 481 /.test(got), { what: 'an answer' });
  s.write(`\r\n\r\n${options('tcp1')}${options('tcp2')}`); // a ping, then two in one piece
  await until(() => /tcp1/.test(got) && /tcp2/.test(got), { what: 'both answers' });
  s.destroy();
});
