// Certificates made when the tests run, by openssl: a CA of their own, and whatever is wrong with the rest.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const config = `
[ca]
default_ca = this
[this]
dir = .
database = index
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
copy_extensions = none
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[v3_ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[v3]
basicConstraints = CA:FALSE
`;

const stamp = (at) => new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14) + 'Z';

export class Authority {
  constructor(name = 'e2e CA') {
    this.dir = mkdtempSync(path.join(tmpdir(), 'hookswitch-ca-'));
    this.n = 0;
    writeFileSync(this.file('config'), config);
    writeFileSync(this.file('index'), '');
    writeFileSync(this.file('serial'), '01');
    this.openssl('req', '-x509', '-config', 'config', '-extensions', 'v3_ca', '-newkey', 'ec',
      '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-days', '30',
      '-keyout', 'ca.key', '-out', 'ca.pem');
    this.pem = readFileSync(this.file('ca.pem'), 'utf8');
    this.path = this.file('ca.pem');
  }

  file(name) { return path.join(this.dir, name); }

  openssl(...args) {
    return execFileSync('openssl', args, { cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** { key, cert } in PEM. `names`: of the certificate, e.g. 'DNS:localhost,IP:127.0.0.1'; null: its subject alone has one. */
  issue(subject, names = 'IP:127.0.0.1', { from = Date.now() - 3600e3, until = Date.now() + 86400e3, selfSigned = false } = {}) {
    const n = `${++this.n}`;
    writeFileSync(this.file(`${n}.ext`), `basicConstraints=CA:FALSE\n${names ? `subjectAltName=${names}\n` : ''}`);
    this.openssl('req', '-new', '-config', 'config', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-subj', `/CN=${subject}`, '-keyout', `${n}.key`, '-out', `${n}.csr`);
    this.openssl('ca', '-config', 'config', '-batch', '-notext', '-in', `${n}.csr`, '-out', `${n}.pem`,
      '-extfile', `${n}.ext`, '-startdate', stamp(from), '-enddate', stamp(until),
      ...(selfSigned ? ['-selfsign', '-keyfile', `${n}.key`] : ['-cert', 'ca.pem', '-keyfile', 'ca.key']));
    return { key: readFileSync(this.file(`${n}.key`), 'utf8'), cert: readFileSync(this.file(`${n}.pem`), 'utf8') };
  }

  /** The same key, under a password. */
  encrypt(key) {
    writeFileSync(this.file('plain.key'), key);
    this.openssl('pkey', '-in', 'plain.key', '-aes128', '-passout', 'pass:secret', '-out', 'locked.key');
    return readFileSync(this.file('locked.key'), 'utf8');
  }

  remove() { rmSync(this.dir, { recursive: true, force: true }); }
}
