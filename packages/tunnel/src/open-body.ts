import { concatBytes } from '@tapline/base';
import { closeError, CloseCode } from './close-code.ts';
import { readUint32 } from './read-number.ts';
import { writeUint32 } from './write-header.ts';

/** Control goes first, interactive by deadline, bulk with what is left and only as the path takes it. */
export type StreamClass = 'control' | 'interactive' | 'bulk';

/** What opens a stream. */
export interface StreamOpening {
  readonly class: StreamClass;
  /** Of interactive streams: how long after it was written a byte should have gone. */
  readonly deadlineMs: number;
  /** What the stream is for; up to 255 bytes of UTF-8. */
  readonly name: string;
  /** For whoever accepts it; up to 8 KiB. */
  readonly header: Uint8Array;
}

const classes: readonly StreamClass[] = ['control', 'interactive', 'bulk'];
const fixedBytes = 10;
export const maxNameBytes = 255;
export const maxHeaderBytes = 8192;

/** Class u8, deadline u32 in ms, credit u32, name u8 + bytes, and the header up to the frame's end. */
export function encodeOpen(opening: StreamOpening, streamCredit: number): Uint8Array {
  const name = new TextEncoder().encode(opening.name);
  if (name.length > maxNameBytes) {
    throw closeError(
      CloseCode.HeaderTooLarge,
      `a stream's name of ${name.length} bytes exceeds ${maxNameBytes}`,
    );
  }
  checkHeader(opening.header);
  const fixed = new Uint8Array(fixedBytes);
  fixed[0] = classes.indexOf(opening.class);
  writeUint32(fixed, 1, opening.deadlineMs);
  writeUint32(fixed, 5, streamCredit);
  fixed[9] = name.length;
  return concatBytes([fixed, name, opening.header]);
}

/** Throws `tunnel_frame_invalid`, `tunnel_header_too_large`. */
export function decodeOpen(body: Uint8Array): {
  readonly opening: StreamOpening;
  /** What may be sent to whoever opened it. */
  readonly streamCredit: number;
} {
  const nameEnd = fixedBytes + (body[9] ?? 0);
  const streamClass = classes[body[0] ?? 0];
  if (body.length < fixedBytes || body.length < nameEnd || streamClass === undefined) {
    throw closeError(CloseCode.Protocol, `an Open of ${body.length} bytes is malformed`);
  }
  const header = body.slice(nameEnd);
  checkHeader(header);
  const name = new TextDecoder().decode(body.subarray(fixedBytes, nameEnd));
  const opening = { class: streamClass, deadlineMs: readUint32(body, 1), name, header };
  return { opening, streamCredit: readUint32(body, 5) };
}

function checkHeader(header: Uint8Array): void {
  if (header.length <= maxHeaderBytes) return;
  throw closeError(
    CloseCode.HeaderTooLarge,
    `a stream's header of ${header.length} bytes exceeds ${maxHeaderBytes}`,
  );
}
