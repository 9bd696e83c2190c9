import { TaplineError } from '@tapline/base';
import type { Finding, FindingCode } from '../playlist/finding.ts';
import type { PlaylistLimits } from '../playlist/playlist-limits.ts';

/** One reading of a playlist: where it stands, what it found, how much it may still take. */
export class Reading {
  /** The line that is being read, from 1. */
  line = 0;
  readonly #limits: PlaylistLimits;
  readonly #findings: Finding[] = [];
  #entries = 0;

  constructor(limits: PlaylistLimits) {
    this.#limits = limits;
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  /** Notes an error at the current line. Beyond the limit only that there are more. */
  fail(code: FindingCode, message: string): void {
    const { maxFindings } = this.#limits;
    if (this.#findings.length > maxFindings) return;
    this.#findings.push(
      this.#findings.length === maxFindings
        ? {
            severity: 'error',
            code: 'findings-truncated',
            message: `more than ${maxFindings} findings`,
            line: this.line,
          }
        : { severity: 'error', code, message, line: this.line },
    );
  }

  /** Counts a segment, a part, a variant, …; throws `playlist_too_large`. */
  countEntry(): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.maxEntries) {
      throw new TaplineError(
        'playlist_too_large',
        `line ${this.line}: playlist has more than ${this.#limits.maxEntries} entries`,
        { hint: 'shorten the window of the live playlist at its origin' },
      );
    }
  }
}
