// Holds the store's write lock from outside: commits of the daemon wait (2 s at the most, then they fail)
// until it is let go. What is seen meanwhile happened before the commit.
import { spawn } from 'node:child_process';
import path from 'node:path';

export async function lockStore(dir) {
  const shell = spawn('sqlite3', [path.join(dir, 'hookswitch.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => shell.on('exit', resolve));
  shell.stdin.write('.timeout 5000\nBEGIN IMMEDIATE;\nSELECT \'held\';\n');
  await new Promise((resolve, reject) => {
    shell.on('error', reject);
    shell.stdout.on('data', (bytes) => { if (`${bytes}`.includes('held')) resolve(); });
    ended.then(() => reject(new Error('the lock was not to be had')));
  });
  return async () => {
    shell.stdin.end('ROLLBACK;\n.quit\n');
    await ended;
  };
}
