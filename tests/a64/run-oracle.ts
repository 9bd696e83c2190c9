import { spawnSync } from 'node:child_process';
import { type CaseRecord, caseRecord, type Cases, recordSize, signals } from './case-record.ts';

export type ProcessorModel =
  /** Armv8.0 with CRC32, AES, SHA and PMULL: what is undefined for us is so for it. */
  | 'cortex-a57'
  /** Has LSE, too. */
  | 'neoverse-n1';

/** What qemu makes of the cases; `program` is from {@link buildOracle}. */
export function runOracle(
  program: string,
  what: { readonly model: ProcessorModel; readonly cases: Cases },
): Cases {
  const { bytes, count } = what.cases;
  const { status, signal, stdout, stderr } = spawnSync(
    'qemu-aarch64-static',
    ['-cpu', what.model, program],
    { input: bytes, maxBuffer: bytes.length + 1, timeout: 300_000 },
  );
  if (status !== 0 || stdout.length !== bytes.length) {
    const done = stdout.length / recordSize;
    const how = status ?? signal;
    throw new Error(`qemu ended with ${how} after ${done} of ${count} cases: ${String(stderr)}`);
  }
  // Views of 64-bit numbers need an offset that a pooled buffer may not have.
  const results = { bytes: new Uint8Array(stdout), count };
  for (let index = 0; index < count; index++) normalise(caseRecord(results, index));
  return results;
}

/** Addresses beyond are no program's; how they are reported depends on what qemu runs on. */
const addressLimit = 1n << 47n;

/** Leaves what is the processor's doing. */
function normalise({ flags, ending }: CaseRecord): void {
  flags[0] = (flags[0] ?? 0n) & 0xf0000000n;
  const [signal, address = 0n] = ending;
  if (signal === BigInt(signals.bus)) ending[0] = BigInt(signals.fault);
  const fault = ending[0] === BigInt(signals.fault) && address < addressLimit;
  if (!fault) ending[1] = 0n;
}
