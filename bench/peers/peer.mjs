// What a team that writes Node would do: a job a delivery in BullMQ on Redis, workers that sign and POST it with
// undici. Two processes of this file, as such a team would run them:
//
//   node peer.mjs produce JOBS REDIS_PORT              adds jobs; prints jobs/s until Redis held none, us of CPU
//   node peer.mjs serve   HTTP_PORT REDIS_PORT N HOOK  events by HTTP, a job for each of N endpoints; until stdin ends
//   node peer.mjs work    CONCURRENCY REDIS_PORT       until its standard input ends
//
// `produce` is given every advantage: no HTTP in front, jobs added a hundred at once, done jobs removed and no
// attempt kept, nothing but the queue in Redis. `serve` does our daemon's work: the same requests from the same
// generator, answered when all their jobs are in Redis. Neither keeps order within a call.
import { createHmac } from 'node:crypto';
import http from 'node:http';
import { Queue, Worker } from 'bullmq';
import { Agent } from 'undici';

const [role, count, port, fan, hook] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const options = { removeOnComplete: true, attempts: 10, backoff: { type: 'exponential', delay: 1000 } };
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
  const start = performance.now();
  const before = process.cpuUsage();
  const left = async () => {
    const c = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
    return Object.values(c).reduce((a, b) => a + b, 0);
  };
  for (let n = 0; n < jobs; n += BATCH) {
    if (n % (BATCH * 20) === 0) while ((await left()) > WAITING_MAX - BATCH * 20) await new Promise((r) => setImmediate(r));
    const batch = Array.from({ length: Math.min(BATCH, jobs - n) }, (_, i) => event(n + i));
    await queue.addBulk(batch.map((data) => ({ name: data.event, data: { url: `http://127.0.0.1:${fan}/h/0`, event: data }, opts: options })));
  }
  while (await left()) await new Promise((r) => setTimeout(r, 20));
  const cpu = process.cpuUsage(before);
  console.log(Math.round(jobs / ((performance.now() - start) / 1000)), cpu.user + cpu.system);
  await queue.close();
}

async function work(concurrency) {
  const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
  const agent = new Agent({ connections: concurrency, pipelining: 1 });
  const send = async (job) => {
    const { url, event: e } = job.data;
    const body = JSON.stringify(e);
    const target = new URL(url);
    const at = Math.floor(Date.now() / 1000);
    const mac = createHmac('sha256', key).update(`${e.id}.${at}.${body}`).digest('base64');
    const answer = await agent.request({
      origin: target.origin, path: target.pathname, method: 'POST', body,
      headers: { 'content-type': 'application/json', 'webhook-id': e.id, 'webhook-timestamp': String(at),
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

async function serve(httpPort) {
  const queue = new Queue('webhooks', { connection });
  await queue.waitUntilReady();
  const endpoints = Number(fan);
  const take = async (account, events) => {
    const jobs = [];
    for (const e of events)
      for (let i = account * endpoints; i < (account + 1) * endpoints; i++)
        jobs.push({ name: e.event, data: { url: `http://127.0.1.${i + 1}:${hook}/h/${i}`, event: e }, opts: options });
    await queue.addBulk(jobs);
    return JSON.stringify({ data: events.map((e) => ({ id: e.id, duplicate: false })) });
  };
  http.createServer((req, res) => {
    const parts = [];
    req.on('data', (d) => parts.push(d));
    req.on('end', async () => {
      const account = Number(req.headers.authorization.slice('Bearer '.length));
      const answer = await take(account, JSON.parse(Buffer.concat(parts).toString()));
      res.writeHead(202, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) }).end(answer);
    });
  }).listen(httpPort, '127.0.0.1');
  process.stdin.resume().on('end', () => process.exit(0));
}

if (role === 'serve') await serve(Number(count));
else if (role === 'produce') await produce(Number(count));
else await work(Number(count));
