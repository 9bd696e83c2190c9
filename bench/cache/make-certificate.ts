import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** `key.pem` and `cert.pem` for loopback. */
export function makeCertificate(folder: string): void {
  const words =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=edge -addext subjectAltName=IP:127.0.0.1';
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  execFileSync('openssl', [...words.split(' '), ...files], { stdio: 'ignore' });
}
