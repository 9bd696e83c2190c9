import { closeError, CloseCode } from './close-code.ts';
import { FrameType, headerBytes, maxBodyBytes } from './frame.ts';
import { readUint16, readUint32 } from './read-number.ts';

/** What a decoder tells. Views are of the bytes given to `push`; bodies are valid during the call. */
export interface FrameSink {
  /** The header of a Data frame, before any of its body. */
  dataBegins(stream: number, length: number): void;
  /** A part of a Data frame's body, never empty. */
  dataPart(stream: number, part: Uint8Array): void;
  /** A Data frame has arrived whole. */
  dataEnds(stream: number, flags: number, length: number): void;
  /** Any other frame, whole. */
  frame(type: number, flags: number, stream: number, body: Uint8Array): void;
}

const noBytes = new Uint8Array();

/**
 * Takes a stream of frames apart however it is split. A Data frame's body is handed on as it comes,
 * as views; of other frames at most one body is held together. Throws `tunnel_frame_too_large`.
 */
export class FrameDecoder {
  readonly #sink: FrameSink;
  /** Only where a header came in parts. */
  #header: Uint8Array | undefined;
  #headerFilled = 0;
  #type = 0;
  #flags = 0;
  #length = 0;
  #stream = 0;
  /** Bytes of the body that are still to come. */
  #missing = 0;
  #body: Uint8Array = noBytes;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** From within a call of the sink: what follows is not decoded, and `push` returns. */
  stop(): void {
    this.#stopped = true;
  }

  /** Returns how many bytes were taken: all, unless the sink said `stop`. */
  push(bytes: Uint8Array): number {
    let offset = 0;
    while (offset < bytes.length && !this.#stopped) {
      if (this.#headerFilled < headerBytes) {
        offset = this.#readHeader(bytes, offset);
        if (this.#headerFilled === headerBytes) this.#begin();
      } else {
        const part = Math.min(this.#missing, bytes.length - offset);
        this.#take(bytes.subarray(offset, offset + part));
        offset += part;
      }
    }
    return offset;
  }

  #readHeader(bytes: Uint8Array, offset: number): number {
    if (this.#headerFilled === 0 && bytes.length - offset >= headerBytes) {
      this.#parse(bytes, offset);
      this.#headerFilled = headerBytes;
      return offset + headerBytes;
    }
    const header = (this.#header ??= new Uint8Array(headerBytes));
    let next = offset;
    while (this.#headerFilled < headerBytes && next < bytes.length) {
      header[this.#headerFilled] = bytes[next] ?? 0;
      this.#headerFilled += 1;
      next += 1;
    }
    if (this.#headerFilled === headerBytes) this.#parse(header, 0);
    return next;
  }

  #parse(header: Uint8Array, offset: number): void {
    this.#type = header[offset] ?? 0;
    this.#flags = header[offset + 1] ?? 0;
    this.#length = readUint16(header, offset + 2);
    this.#stream = readUint32(header, offset + 4);
    this.#missing = this.#length;
  }

  #begin(): void {
    if (this.#length > maxBodyBytes) {
      throw closeError(
        CloseCode.FrameTooLarge,
        `a frame of ${this.#length} bytes exceeds ${maxBodyBytes}`,
      );
    }
    if (this.#type === FrameType.Data) this.#sink.dataBegins(this.#stream, this.#length);
    if (this.#missing === 0) this.#end(noBytes);
  }

  #take(part: Uint8Array): void {
    this.#missing -= part.length;
    if (this.#type === FrameType.Data) {
      this.#sink.dataPart(this.#stream, part);
      if (this.#missing === 0) this.#end(noBytes);
      return;
    }
    if (part.length === this.#length) return this.#end(part);
    if (this.#body.length === 0) this.#body = new Uint8Array(this.#length);
    this.#body.set(part, this.#length - this.#missing - part.length);
    if (this.#missing === 0) this.#end(this.#body);
  }

  #end(body: Uint8Array): void {
    this.#headerFilled = 0;
    this.#body = noBytes;
    if (this.#type === FrameType.Data) {
      this.#sink.dataEnds(this.#stream, this.#flags, this.#length);
    } else this.#sink.frame(this.#type, this.#flags, this.#stream, body);
  }
}
