// Waiting for a condition: asked again every few milliseconds, until it holds or the time is up.
import { setTimeout as pause } from 'node:timers/promises';

export async function until(condition, { what = 'the condition', timeout = 10000, every = 15 } = {}) {
  const end = Date.now() + timeout;
  let last;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      last = undefined;
    } catch (error) {
      if (/the daemon ended/.test(error.message)) throw error;
      last = error;
    }
    if (Date.now() > end)
      throw new Error(`waited ${timeout} ms in vain for ${what}${last ? `: ${last.message}` : ''}`);
    await pause(every);
  }
}
