// Endpoints that get a test event, and what the delivery log says of its attempts.
import { readdirSync } from 'node:fs';
import { until } from './until.mjs';

const one = { schedule_s: [600], give_up_after_s: 1 }; // one attempt, then given up

export const endpoint = (daemon, url, more = {}) =>
  daemon.must('POST', '/v1/endpoints', { url, numbers: [], retry: one, ...more });

/** Sends a test event; gives its delivery when its first attempt is in the log. */
export async function ping(daemon, { id }, timeout = 40000) {
  const { event } = await daemon.must('POST', `/v1/endpoints/${id}/test`);
  return until(async () => {
    const { deliveries } = await daemon.must('GET', `/v1/events/${event}`);
    return deliveries[0]?.attempts.length && { ...deliveries[0], attempt: deliveries[0].attempts[0] };
  }, { what: `an attempt at ${event}`, timeout, every: 30 });
}

export const metric = async (daemon, name) =>
  Number((await daemon.api('GET', '/metrics')).text.match(new RegExp(`^${name} (\\d+)`, 'm'))[1]);

export const descriptors = (daemon) => readdirSync(`/proc/${daemon.process.pid}/fd`).length;
