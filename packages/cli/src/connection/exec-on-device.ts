import { TaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';
import type { ExecOutcome } from '@tapline/gateway';
import type { IncomingMessage } from 'node:http';
import type { Console } from '../framework/console.ts';
import { refusalOf, requestOptions } from './request-path.ts';

const stdinChannel = 0;

/** Runs a command of an install, joined to the console; answers the command's exit code. */
export async function execOnDevice(
  context: KubeconfigContext,
  request: { readonly install: string; readonly command: readonly string[] },
  console: Pick<Console, 'stdin' | 'signal' | 'write' | 'note'>,
): Promise<number> {
  const { chunkBytes, createStreamSocket, decodeFrame, decodeOutcome, encodeFrame } =
    await import('@tapline/gateway');
  const withStdin = console.stdin.isTTY !== true;
  const query = new URLSearchParams(request.command.map((word) => ['command', word]));
  query.set('stdin', String(withStdin));
  const url = new URL(
    `/apis/tapline.dev/v1alpha1/installs/${request.install}/exec?${query.toString()}`,
    context.baseUrl,
  );
  const stream = createStreamSocket(await openSocket(url, context, console.signal));
  const stop = (): void => stream.close(1001, 'interrupted');
  console.signal.addEventListener('abort', stop, { once: true });

  async function sendStdin(): Promise<void> {
    for await (const chunk of console.stdin) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer);
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        await stream.send(
          encodeFrame({ kind: 'stdin', bytes: bytes.subarray(at, at + chunkBytes) }),
        );
      }
    }
    await stream.send(encodeFrame({ kind: 'close', channel: stdinChannel }));
  }

  async function receive(): Promise<ExecOutcome> {
    for await (const message of stream.messages) {
      const frame = decodeFrame(message);
      if (frame.kind === 'stdout') console.write(frame.bytes);
      else if (frame.kind === 'stderr') console.note(frame.bytes);
      else if (frame.kind === 'error') return decodeOutcome(frame.bytes);
    }
    if (console.signal.aborted) return { kind: 'failed', code: 'interrupted', message: 'stopped' };
    return { kind: 'failed', code: 'unreachable', message: 'the control plane closed the stream' };
  }

  try {
    // A program that ends before it has read its input closes the stream under the sender.
    if (withStdin) void sendStdin().catch(() => undefined);
    const outcome = await receive();
    if (outcome.kind === 'exited') return outcome.exitCode;
    throw new TaplineError(outcome.code, outcome.message);
  } finally {
    console.signal.removeEventListener('abort', stop);
    stop();
    console.stdin.destroy();
  }
}

type Socket = Parameters<(typeof import('@tapline/gateway'))['createStreamSocket']>[0];

async function openSocket(
  url: URL,
  context: KubeconfigContext,
  signal: AbortSignal,
): Promise<Socket> {
  const { WebSocket } = await import('ws');
  const { streamProtocol } = await import('@tapline/gateway');
  const { headers = {}, ca, cert, key } = requestOptions(context);
  const socket = new WebSocket(url.href.replace(/^http/, 'ws'), streamProtocol, {
    headers: headers as Record<string, string>,
    perMessageDeflate: false,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, key }),
  });
  return await new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => socket.terminate(), { once: true });
    socket.once('open', () => resolve(socket));
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      refusalOf(response).then(reject, reject);
    });
    socket.once('error', (cause) => {
      reject(new TaplineError('unreachable', `${url.origin} did not answer`, { cause }));
    });
  });
}
