/** How a stream ended, for the user. */
export type ExecOutcome =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/**
 * The Status that ends an exec on channel 3. Kubernetes: a non-zero exit is a Failure with reason
 * NonZeroExitCode and a cause of ExitCode; kubectl reads its exit code from there.
 */
export function encodeOutcome(outcome: ExecOutcome): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(toStatus(outcome)));
}

/** Reads what `encodeOutcome`, or Kubernetes, wrote. */
export function decodeOutcome(bytes: Uint8Array): ExecOutcome {
  const malformed: ExecOutcome = {
    kind: 'failed',
    code: 'stream_frame_invalid',
    message: 'the device ended the stream with something other than a Status',
  };
  let status: Partial<Status> | null;
  try {
    status = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Status> | null;
  } catch {
    return malformed;
  }
  if (status?.status === 'Success') return { kind: 'exited', exitCode: 0 };
  if (status?.status !== 'Failure') return malformed;
  const [cause] = status.details?.causes ?? [];
  const exitCode = Number(cause?.message);
  if (cause?.reason === 'ExitCode' && Number.isInteger(exitCode)) {
    return { kind: 'exited', exitCode };
  }
  return {
    kind: 'failed',
    code: cause?.reason ?? 'stream_failed',
    message: status.message ?? 'the stream failed',
  };
}

interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly causes: readonly { readonly reason: string; readonly message: string }[];
  };
}

const head = { kind: 'Status', apiVersion: 'v1', metadata: {} } as const;

function toStatus(outcome: ExecOutcome): Status {
  switch (outcome.kind) {
    case 'exited':
      if (outcome.exitCode === 0) return { ...head, status: 'Success' };
      return {
        ...head,
        status: 'Failure',
        reason: 'NonZeroExitCode',
        message: `command terminated with non-zero exit code ${outcome.exitCode}`,
        details: { causes: [{ reason: 'ExitCode', message: String(outcome.exitCode) }] },
      };
    case 'failed':
      return {
        ...head,
        status: 'Failure',
        reason: 'InternalError',
        code: 500,
        message: outcome.message,
        details: { causes: [{ reason: outcome.code, message: outcome.message }] },
      };
  }
}
