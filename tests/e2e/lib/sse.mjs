// A client of the event stream: what an EventSource does, and a log of all it saw.
import http from 'node:http';
import { key as operator } from './daemon.mjs';
import { until } from './until.mjs';

export class EventStream {
  constructor(daemon, { query = '', last, key = operator, localAddress } = {}) {
    Object.assign(this, { daemon, query, last, key, localAddress });
    this.events = []; // { id, event, data } with data parsed
    this.comments = 0;
    this.blocks = 0;
    this.connects = 0;
    this.wrong = [];
  }

  /** Connects once; resolves with the status when the head is there. */
  open() {
    this.rest = '';
    this.ended = false;
    this.why = undefined;
    this.connects++;
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${this.key}`, accept: 'text/event-stream' };
      if (this.last !== undefined) headers['last-event-id'] = this.last;
      this.request = http.request(`${this.daemon.url}/v1/events/stream${this.query}`,
        { agent: false, headers, localAddress: this.localAddress }, (res) => {
          this.response = res;
          this.status = res.statusCode;
          this.headers = res.headers;
          res.setEncoding('utf8');
          res.on('data', (text) => this.take(text));
          res.on('end', () => this.end('end'));
          res.on('error', (error) => this.end(error.code));
          resolve(res.statusCode);
        });
      this.request.on('error', (error) => { this.end(error.code); reject(error); });
      this.request.end();
    });
  }

  end(why) {
    if (!this.ended) this.why = why;
    this.ended = true;
    this.onEnd?.();
  }

  take(text) {
    this.rest += text;
    for (let at; (at = this.rest.indexOf('\n\n')) >= 0;) {
      this.block(this.rest.slice(0, at));
      this.rest = this.rest.slice(at + 2);
    }
  }

  block(text) {
    const fields = {};
    this.blocks++;
    for (const line of text.split('\n')) {
      if (line.startsWith(':')) { this.comments++; continue; }
      const [, name, value] = /^([a-z]+): (.*)$/.exec(line) ?? [];
      if (!['id', 'event', 'data', 'retry'].includes(name)) this.wrong.push(line);
      fields[name] = value;
    }
    if (fields.retry !== undefined) this.retry = Number(fields.retry);
    if (fields.id !== undefined) this.last = fields.id;
    if (fields.data === undefined) return;
    const data = JSON.parse(fields.data);
    if (data.event !== fields.event) this.wrong.push(text);
    this.events.push({ id: fields.id, event: fields.event, data });
    this.onEvent?.();
  }

  ids() {
    return this.events.map((e) => e.data.id);
  }

  wait(n, timeout = 10000) {
    return until(() => this.events.length >= n, { timeout,
      what: `${n} events on a stream (there: ${this.events.length}, ended: ${this.ended})` });
  }

  close() {
    this.request?.destroy();
  }

  /** Stays connected, resuming, until `stop` is called. */
  follow() {
    this.following = true;
    this.done = (async () => {
      while (this.following) {
        try {
          const status = await this.open();
          if (status === 200) await new Promise((resolve) => { this.onEnd = resolve; if (this.ended) resolve(); });
        } catch { /* not there just now */ }
        if (this.following) await new Promise((resolve) => { setTimeout(resolve, 10); });
      }
    })();
    return this;
  }

  async stop() {
    this.following = false;
    this.close();
    this.end('stopped');
    await this.done;
  }
}
