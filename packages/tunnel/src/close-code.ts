import { TaplineError } from '@tapline/base';

/** Why a session or a stream ended, on the wire. From 4096 on codes are the application's. */
export const CloseCode = {
  Normal: 0,
  GoingAway: 1,
  Protocol: 2,
  FlowControl: 3,
  FrameTooLarge: 4,
  HeaderTooLarge: 5,
  TooManyStreams: 6,
  TooManySessions: 7,
  VersionUnsupported: 8,
  SessionUnknown: 9,
  PositionLost: 10,
  Unauthorized: 11,
  Superseded: 12,
  Timeout: 13,
  Flood: 14,
  SlowReader: 15,
  Refused: 16,
  Internal: 17,
} as const;

export const firstApplicationCode = 0x1000;

const names = new Map<number, string>([
  [CloseCode.Normal, 'tunnel_closed'],
  [CloseCode.GoingAway, 'tunnel_going_away'],
  [CloseCode.Protocol, 'tunnel_frame_invalid'],
  [CloseCode.FlowControl, 'tunnel_credit_exceeded'],
  [CloseCode.FrameTooLarge, 'tunnel_frame_too_large'],
  [CloseCode.HeaderTooLarge, 'tunnel_header_too_large'],
  [CloseCode.TooManyStreams, 'too_many_streams'],
  [CloseCode.TooManySessions, 'too_many_sessions'],
  [CloseCode.VersionUnsupported, 'tunnel_version_unsupported'],
  [CloseCode.SessionUnknown, 'tunnel_session_unknown'],
  [CloseCode.PositionLost, 'tunnel_position_lost'],
  [CloseCode.Unauthorized, 'unauthorized'],
  [CloseCode.Superseded, 'tunnel_superseded'],
  [CloseCode.Timeout, 'tunnel_timeout'],
  [CloseCode.Flood, 'tunnel_flood'],
  [CloseCode.SlowReader, 'tunnel_slow_reader'],
  [CloseCode.Refused, 'tunnel_refused'],
  [CloseCode.Internal, 'tunnel_failed'],
]);

/** The error that stands for a close code; its `details.closeCode` is the code itself. */
export function closeError(
  closeCode: number,
  message: string,
  options: { readonly cause?: unknown } = {},
): TaplineError {
  const code = names.get(closeCode) ?? 'tunnel_application';
  return new TaplineError(code, message, { ...options, details: { closeCode } });
}

/** The code to send for an error: its own where it has one. */
export function closeCodeOf(error: unknown): number {
  const closeCode = error instanceof TaplineError ? error.details['closeCode'] : undefined;
  return typeof closeCode === 'number' ? closeCode : CloseCode.Internal;
}
