import { badRequest } from '../api-error.ts';

export interface WireField {
  readonly number: number;
  /** A varint's value, or the bytes of anything with a length. */
  readonly value: bigint | Uint8Array;
}

/** Reads the fields of a protobuf message; fixed-width fields, which Kubernetes has none of, are skipped. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next field; undefined at the end. Fails with `bad_request` on what is cut or malformed. */
  next(): WireField | undefined {
    while (this.#at < this.#bytes.length) {
      const tag = Number(this.#varint());
      const number = Math.floor(tag / 8);
      switch (tag % 8) {
        case 0:
          return { number, value: this.#varint() };
        case 1:
          this.#take(8);
          break;
        case 2:
          return { number, value: this.#take(Number(this.#varint())) };
        case 5:
          this.#take(4);
          break;
        default:
          throw badRequest(`the protobuf body has wire type ${tag % 8}`);
      }
    }
    return undefined;
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw cut();
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw badRequest('the protobuf body has a number of more than ten bytes');
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw cut();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function cut(): Error {
  return badRequest('the protobuf body is cut');
}
