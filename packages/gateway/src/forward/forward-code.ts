import { TaplineError } from '@tapline/base';
import { CloseCode, type TunnelStream } from '@tapline/tunnel';

/** Why a forwarded connection ended, as codes of Reset. */
export const ForwardCode = {
  Denied: 0x1100,
  PortClosed: 0x1101,
  DeviceOffline: 0x1102,
  ConnectionReset: 0x1103,
  ListenFailed: 0x1104,
} as const;

/** The error that a forwarded stream ended with; one that is no Reset of a forward stays as it is. */
export function forwardError(error: unknown): unknown {
  const closeCode = closeCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  switch (closeCode) {
    case ForwardCode.Denied:
      return new TaplineError('forward_denied', message, {
        ...options,
        hint: 'the agent lets in only what --allow-forward and --allow-reverse name',
      });
    case ForwardCode.PortClosed:
      return new TaplineError('forward_port_closed', message, options);
    case ForwardCode.DeviceOffline:
      return new TaplineError('device_offline', message, options);
    case ForwardCode.ConnectionReset:
      return new TaplineError('forward_reset', message, options);
    case ForwardCode.ListenFailed:
      return new TaplineError('forward_listen_failed', message, options);
    default:
      return error;
  }
}

/** Ends `stream` as its counterpart ended: with the reason of a forward, or as one whose end is gone. */
export function passOn(
  error: unknown,
  stream: TunnelStream,
  gone: { readonly code: number; readonly reason: string },
): void {
  const code = closeCodeOf(error);
  const isOwn =
    code !== undefined && code >= ForwardCode.Denied && code <= ForwardCode.ListenFailed;
  if (error instanceof Error && (isOwn || code === CloseCode.TooManyStreams)) {
    stream.reset(code, error.message);
  } else stream.reset(gone.code, gone.reason);
}

function closeCodeOf(error: unknown): number | undefined {
  const code = error instanceof TaplineError ? error.details['closeCode'] : undefined;
  return typeof code === 'number' ? code : undefined;
}
