import type { AptRootOptions } from '../debian/apt-root.ts';

/** What a tab tells of the system a bottle was built on. */
export interface DebianRelease {
  readonly osVersion: string;
  readonly compiler: string;
  readonly perl: string;
}

export const debianReleases: Readonly<Record<AptRootOptions['suite'], DebianRelease>> = {
  bookworm: { osVersion: 'Debian GNU/Linux 12 (bookworm)', compiler: 'gcc-12', perl: '5.36' },
  trixie: { osVersion: 'Debian GNU/Linux 13 (trixie)', compiler: 'gcc-14', perl: '5.40' },
};
