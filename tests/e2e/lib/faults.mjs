// Steers faults.c inside the release binary: which call fails, how often, with what errno. Compiled once a
// file of tests.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const kinds = ['write', 'sync', 'truncate', 'socket', 'connect', 'malloc'];
const SLOT = 32;

export class Faults {
  constructor() {
    this.dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-faults-'));
    const library = path.join(this.dir, 'faults.so');
    const source = fileURLToPath(new URL('faults.c', import.meta.url));
    execFileSync('gcc', ['-O2', '-Wall', '-shared', '-fPIC', '-o', library, source, '-ldl'], { stdio: 'inherit' });
    const file = path.join(this.dir, 'slots');
    writeFileSync(file, Buffer.alloc(4096));
    this.fd = openSync(file, 'r+');
    /** For the daemon's environment. */
    this.env = { LD_PRELOAD: library, FAULTS_FILE: file };
  }

  slot(kind) {
    const b = Buffer.alloc(SLOT);
    readSync(this.fd, b, 0, SLOT, kinds.indexOf(kind) * SLOT);
    return { seen: b.readUInt32LE(0), hits: b.readUInt32LE(16), hitAt: Number(b.readBigInt64LE(24)) };
  }

  /** The n-th call from now (1, 2 …) fails, and `times` − 1 after it. error: 'EIO'; '' (a write): half is written. */
  arm(kind, n, error, times = 1) {
    const b = Buffer.alloc(SLOT);
    b.writeUInt32LE(n, 4);
    b.writeUInt32LE(times, 8);
    b.writeUInt32LE(error ? constants.errno[error] : 0, 12);
    writeSync(this.fd, b, 0, SLOT, kinds.indexOf(kind) * SLOT);
  }

  off() {
    writeSync(this.fd, Buffer.alloc(SLOT * kinds.length), 0, SLOT * kinds.length, 0);
  }

  hits(kind) {
    return this.slot(kind).hits;
  }

  close() {
    closeSync(this.fd);
    rmSync(this.dir, { recursive: true, force: true });
  }
}
