// What a team that writes Node would do: a job a delivery in BullMQ on Redis, workers that sign and POST it with
// undici. Two processes of this file, as such a team would run them:
//
//   node peer.mjs produce JOBS REDIS_PORT              adds jobs; prints jobs/s until Redis held none, us of CPU
//   node peer.mjs work    CONCURRENCY REDIS_PORT URL   until its standard input ends
//
// It is given every advantage: no HTTP in front of the producer, jobs added a hundred at once, done jobs removed
// and no attempt kept, no order within a call, nothing but the queue in Redis.
import { createHmac } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { Agent } from 'undici';

const [role, count, port, url] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const BATCH = 100;
const WAITING_MAX = 10000;

function event(n) {
  const call = Math.floor(n / 3);
  const id = (m) => String(m).padStart(26, '0');
  return {
    event: ['incoming_call', 'call_answered', 'call_ended'][n % 3], did_number: '+447910000000',
    caller_id: '+19175550100', destination: 'sip:agent@pbx.example.com', timestamp: '2026-11-24T04:03:02Z',
    id: `evt_${id(n)}`, occurred_at: '2026-11-24T04:03:02.123Z', api_version: '2026-11',
    call_id: `call_${id(call)}`, caller_name: 'Ann Lee', caller_verified: 'A', trunk: 'carrier', ring_sec: 4,
    sequence: (n % 3) + 1,
  };
}

async function produce(jobs) {
  const queue = new Queue('webhooks', { connection });
  await queue.waitUntilReady();
  const options = { removeOnComplete: true, attempts: 10, backoff: { type: 'exponential', delay: 1000 } };
  const start = performance.now();
  const before = process.cpuUsage();
  const left = async () => {
    const c = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
    return Object.values(c).reduce((a, b) => a + b, 0);
  };
  for (let n = 0; n < jobs; n += BATCH) {
    if (n % (BATCH * 20) === 0) while ((await left()) > WAITING_MAX - BATCH * 20) await new Promise((r) => setImmediate(r));
    const batch = Array.from({ length: Math.min(BATCH, jobs - n) }, (_, i) => event(n + i));
    await queue.addBulk(batch.map((data) => ({ name: data.event, data, opts: options })));
  }
  while (await left()) await new Promise((r) => setTimeout(r, 20));
  const cpu = process.cpuUsage(before);
  console.log(Math.round(jobs / ((performance.now() - start) / 1000)), cpu.user + cpu.system);
  await queue.close();
}

async function work(concurrency) {
  const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
  const agent = new Agent({ connections: concurrency, pipelining: 1 });
  const target = new URL(url);
  const send = async (job) => {
    const body = JSON.stringify(job.data);
    const at = Math.floor(Date.now() / 1000);
    const mac = createHmac('sha256', key).update(`${job.data.id}.${at}.${body}`).digest('base64');
    const answer = await agent.request({
      origin: target.origin, path: target.pathname, method: 'POST', body,
      headers: { 'content-type': 'application/json', 'webhook-id': job.data.id, 'webhook-timestamp': String(at),
        'webhook-attempt': String(job.attemptsMade + 1), 'webhook-signature': `v1,${mac}` },
    });
    await answer.body.dump();
    if (answer.statusCode >= 300) throw new Error(`status ${answer.statusCode}`);
  };
  const worker = new Worker('webhooks', send, { connection, concurrency });
  worker.on('error', (e) => console.error(e.message));
  await worker.waitUntilReady();
  process.stdin.resume().on('end', () => process.exit(0));
}

if (role === 'produce') await produce(Number(count));
else await work(Number(count));
