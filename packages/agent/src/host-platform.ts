import { arch, platform } from 'node:os';

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** What this machine runs, in Go's names: `linux/amd64`. */
export function hostPlatform(): string {
  return `${platform()}/${architectures[arch()] ?? arch()}`;
}
