// What one would write instead: an Express handler that checks the key, parses the body and puts the events into
// SQLite, in one transaction, before it answers. SQLite is that of `libsql`, which has better-sqlite3's interface and
// comes compiled; WAL and synchronous FULL, as ours.
//
//   node server.mjs PORT FILE      until its standard input ends
//
// It checks no field of an event, knows no accounts, makes no deliveries, and has no lists.
import express from 'express';
import Database from 'libsql';

const [port, file] = process.argv.slice(2);
const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`CREATE TABLE events (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, number TEXT,
  peer TEXT, call_id TEXT, occurred_at INTEGER NOT NULL, payload TEXT NOT NULL);
  CREATE INDEX by_call ON events (call_id); CREATE INDEX by_number ON events (number, n)`);
const put = db.prepare(`INSERT INTO events (id, kind, number, peer, call_id, occurred_at, payload)
  VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`);
const putAll = db.transaction((events) => events.map((e) => {
  const { changes } = put.run(e.id, e.event, e.did_number ?? e.to, e.caller_id ?? e.from, e.call_id ?? null, Date.now(),
    JSON.stringify(e));
  return { id: e.id, duplicate: changes === 0 };
}));

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use(express.json({ limit: '256kb' }));
app.post('/v1/events', (req, res) => {
  if (!req.get('authorization')?.startsWith('Bearer hsk_')) return res.status(401).end();
  return res.status(202).json({ data: putAll(Array.isArray(req.body) ? req.body : [req.body]) });
});
app.listen(Number(port), '127.0.0.1');
process.stdin.resume().on('end', () => process.exit(0));
