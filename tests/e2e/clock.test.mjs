// The wall clock is set while the daemon runs, by an hour and by more: timestamps follow it, and nothing else does.
import test from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Rig } from './lib/rig.mjs';
import { recv, pause, uac, uas } from './lib/sipp.mjs';
import { until } from './lib/until.mjs';

const library = readdirSync('/usr/lib', { withFileTypes: true })
  .map((d) => path.join('/usr/lib', d.name, 'faketime/libfaketime.so.1'))
  .find((file) => { try { return readdirSync(path.dirname(file)).includes(path.basename(file)); } catch { return false; } });

/** A daemon whose wall clock `step(seconds)` sets; mono time is the machine's. */
async function rigWithClock(sets = {}) {
  assert.ok(library, 'Debian\'s faketime is there');
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'hookswitch-clock-')), 'offset');
  const step = (seconds) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  step(0);
  const rig = await Rig.start(sets, { env: {
    LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' } });
  return { rig, step };
}

const hour = 3600;
const nearly = (timestamp, seconds) => Math.abs(Date.parse(timestamp) / 1000 - Date.now() / 1000 - seconds) < 60;
// Raw answers: the receiver's libraries refuse signatures that are an hour off, as they must.
const raw = (rig, where, respond) => rig.receiver.respond.set(where, respond);

for (const seconds of [-hour, hour]) {
  const what = `${seconds < 0 ? 'back' : 'on'} by an hour`;

  test(`the clock is set ${what} in a call: its durations are those of the call`, { timeout: 60000 }, async () => {
    const { rig, step } = await rigWithClock({ 'sip.t1_ms': 100 });
    try {
      const line = await rig.line();
      rig.receiver.secrets.delete(line.where);
      raw(rig, line.where, (_, res) => res.sendStatus(200));
      const callee = rig.attend(line, [uas.invite(), uas.ringing(), uas.ok(), recv('ACK'), recv('BYE'), uas.reply(200, 'OK')]);
      const caller = await rig.carry(line, [uac.invite(), uac.ringing, recv(200, { rrs: true }), uac.ack(), pause(3000),
        uac.bye(), recv(200)]);
      const of = (event) => rig.receiver.of(line.where).find((e) => e.body.event === event);
      const answered = await until(() => of('call_answered'), { what: 'call_answered' });
      step(seconds);
      await Promise.all([caller.done, callee.done]);
      const ended = await until(() => of('call_ended'), { what: 'call_ended' });
      const took = (ended.at - answered.at) / 1000;
      assert.ok(Math.abs(ended.body.duration_sec - took) <= 1.5, `${ended.body.duration_sec} s of ${took} s`);
      assert.ok(ended.body.ring_sec <= 2, `it rang for ${ended.body.ring_sec} s`);
      assert.ok(nearly(ended.body.timestamp, seconds), ended.body.timestamp);
      assert.ok(nearly(new Date(ended.headers['webhook-timestamp'] * 1000).toISOString(), seconds));
    } finally {
      await rig.stop();
    }
  });

  test(`the clock is set ${what} while a retry waits: it comes when it was due`, { timeout: 90000 }, async () => {
    const { rig, step } = await rigWithClock();
    try {
      // One wait is a timer, one is so long that the delivery goes back to the store meanwhile.
      const lines = [];
      for (const wait of [6, 26]) {
        const line = await rig.line({ endpoint: { events: ['sms_received'], retry: { schedule_s: [wait], give_up_after_s: 600 } } });
        rig.receiver.secrets.delete(line.where);
        raw(rig, line.where, (seen, res) => res.sendStatus(seen.headers['webhook-attempt'] === '1' ? 500 : 200));
        lines.push({ ...line, wait });
        await rig.daemon.must('POST', '/v1/simulate', { kind: 'sms', number: line.number, from: '+15550001', message: 'x' });
      }
      const attempts = (line) => rig.receiver.of(line.where);
      const row = async (line) => (await rig.daemon.must('GET', `/v1/events?number=${encodeURIComponent(line.number)}`)).data[0];
      const deliveries = async (line) => (await rig.daemon.must('GET', `/v1/events/${(await row(line)).id}`)).deliveries;
      for (const line of lines)
        await until(async () => (await deliveries(line))[0].attempts.length === 1, { what: 'the first attempt' });
      step(seconds);
      for (const line of lines) {
        await until(() => attempts(line).length === 2, { what: `the retry after ${line.wait} s`, timeout: 50000 });
        const [first, second] = attempts(line);
        const waited = (second.at - first.at) / 1000;
        assert.ok(waited > line.wait * 0.8 - 0.5, `${waited} s instead of ${line.wait} s`); // jitter is 20 %; late is the machine's
        await until(async () => (await row(line)).state === 'delivered', { what: 'delivered' });
        for (const a of (await deliveries(line))[0].attempts)
          assert.ok(a.duration_ms >= 0 && a.duration_ms < 10000, `an attempt of ${a.duration_ms} ms`);
      }
    } finally {
      await rig.stop();
    }
  });
}

test('the clock is set on by a day: a log-in and a rotation last as long as they did', { timeout: 60000 }, async () => {
  const { rig, step } = await rigWithClock();
  const { daemon } = rig;
  const valid = async (token) => {
    const answer = await fetch(`${daemon.url}/api/did/list`, { method: 'POST',
      headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token }) });
    return answer.status === 200;
  };
  const login = async () => {
    const answer = await daemon.api('POST', '/api/login', { username: 'ann', password: 'a long password' });
    assert.equal(answer.status, 200, answer.text);
    return answer.json.account_token;
  };
  try {
    await daemon.must('POST', '/v1/users', { username: 'ann', password: 'a long password', role: 'owner' });
    const line = await rig.line({ endpoint: { events: ['sms_received'] } });
    rig.receiver.secrets.delete(line.where);
    raw(rig, line.where, (_, res) => res.sendStatus(200));
    await daemon.must('POST', `/v1/endpoints/${line.endpoint.id}/rotate-secret`);
    const token = await login();
    step(25 * hour);
    assert.ok(await valid(token), 'the log-in is good');
    await daemon.must('PATCH', `/v1/endpoints/${line.endpoint.id}`, { timeout_ms: 9000 });
    await daemon.must('POST', '/v1/simulate', { kind: 'sms', number: line.number, from: '+15550001', message: 'x' });
    const { headers } = await until(() => rig.receiver.of(line.where)[0], { what: 'the event' });
    assert.equal(headers['webhook-signature'].split(' ').length, 2, 'both secrets sign');
    const later = await login();
    step(-25 * hour);
    assert.ok(await valid(token) && await valid(later));
    await daemon.restart(); // a new process knows no time but the wall clock's
    assert.ok(await valid(token) && await valid(later));
    step(30 * hour);
    await daemon.restart();
    assert.ok(!await valid(token), 'its day is over');
  } finally {
    await rig.stop();
  }
});
