import { isTaplineError } from '@tapline/base';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { encodeOutcome, type ExecOutcome } from './exec-outcome.ts';
import type { BegunCall } from './rpc/begin-call.ts';
import type {
  ExecOutcome as DeviceOutcome,
  ExecRequestSchema,
  ExecResponse,
} from './rpc/generated/tapline/device/v1/device_pb.ts';
import { channels, decodeFrame, encodeFrame } from './stream-frame.ts';
import type { StreamSocket } from './stream-socket.ts';

/** What a device is to run, then what its user types, no faster than the device takes it. */
export async function* execInput(
  start: {
    readonly install: { readonly name: string; readonly uid: string };
    readonly command: readonly string[];
    readonly stdin: boolean;
  },
  user: Promise<StreamSocket>,
): AsyncGenerator<MessageInitShape<typeof ExecRequestSchema>, void> {
  yield { input: { case: 'start', value: { ...start, command: [...start.command] } } };
  const { messages } = await user;
  for await (const message of messages) {
    const frame = decodeFrame(message);
    if (frame.kind === 'close' && frame.channel === channels.stdin) return;
    if (frame.kind !== 'stdin' || frame.bytes.length === 0) continue;
    yield { input: { case: 'stdin', value: frame.bytes } };
  }
}

const lost: ExecOutcome = {
  kind: 'failed',
  code: 'device_offline',
  message: 'the device went away',
};

/** Copies what a program writes to its user, and how it ended; either end ends the other. */
export async function relayExec(user: StreamSocket, call: BegunCall<ExecResponse>): Promise<void> {
  user.closed.addEventListener('abort', () => call.cancel(), { once: true });
  let outcome = lost;
  try {
    // Kubernetes opens with an empty message, so that a client knows the stream stands.
    await user.send(encodeFrame({ kind: 'stdout', bytes: new Uint8Array() }));
    for await (const { output } of call.rest) {
      switch (output.case) {
        case 'stdout':
        case 'stderr':
          await user.send(encodeFrame({ kind: output.case, bytes: output.value }));
          break;
        case 'outcome':
          outcome = outcomeOf(output.value);
          break;
        case 'accepted':
        case undefined:
          break;
      }
    }
  } catch (error) {
    outcome = outcomeOfError(error);
  }
  try {
    await user.send(encodeFrame({ kind: 'error', bytes: encodeOutcome(outcome) }));
  } catch (error) {
    // That the user closed first is how many of them end.
    if (!isTaplineError(error, 'stream_closed')) throw error;
  } finally {
    call.cancel();
    user.close();
  }
}

function outcomeOf({ outcome }: DeviceOutcome): ExecOutcome {
  switch (outcome.case) {
    case 'exitCode':
      return { kind: 'exited', exitCode: outcome.value };
    case 'failure':
      return { kind: 'failed', code: outcome.value.code, message: outcome.value.message };
    case undefined:
      return lost;
  }
}

function outcomeOfError(error: unknown): ExecOutcome {
  if (!isTaplineError(error, 'stream_refused')) return lost;
  const code = error.details['code'];
  return {
    kind: 'failed',
    code: typeof code === 'string' ? code : error.code,
    message: error.message,
  };
}
