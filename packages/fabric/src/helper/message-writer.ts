const startBytes = 131_072;
const headerBytes = 16;
/** linux/netlink.h. */
const acknowledge = 0x4;

/** Messages for a netlink socket, one after the other (linux/netlink.h): little-endian machines only. */
export class MessageWriter {
  #bytes = Buffer.alloc(startBytes);
  #at = 0;
  #message = 0;
  /** Number of messages since `take`; the sequence number of the next. */
  count = 0;

  get length(): number {
    return this.#at;
  }

  begin(type: number, flags: number): void {
    this.#message = this.#at;
    // An attribute is far below this, and a message has few.
    if (this.#bytes.length - this.#at < 4096) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    this.#bytes.fill(0, this.#at, this.#at + headerBytes);
    this.#bytes.writeUInt16LE(type, this.#at + 4);
    this.#bytes.writeUInt16LE(flags, this.#at + 6);
    this.#bytes.writeUInt32LE(this.count, this.#at + 8);
    this.#at += headerBytes;
  }

  end(): void {
    this.#bytes.writeUInt32LE(this.#at - this.#message, this.#message);
    this.count += 1;
  }

  /** Room for a fixed part, of zeros. */
  fixed(size: number): { readonly bytes: Buffer; readonly at: number } {
    const at = this.#at;
    this.#at += size;
    this.#bytes.fill(0, at, this.#at);
    return { bytes: this.#bytes, at };
  }

  attribute(type: number, value: Uint8Array): void {
    this.#bytes.set(value, this.#content(type, value.length));
  }

  text(type: number, value: string): void {
    this.#bytes.write(value, this.#content(type, Buffer.byteLength(value) + 1));
  }

  mac(type: number, value: string): void {
    this.#bytes.write(value.replaceAll(':', ''), this.#content(type, 6), 'hex');
  }

  u8(type: number, value: number): void {
    this.#bytes.writeUInt8(value, this.#content(type, 1));
  }

  u16(type: number, value: number): void {
    this.#bytes.writeUInt16LE(value, this.#content(type, 2));
  }

  u32(type: number, value: number): void {
    this.#bytes.writeUInt32LE(value, this.#content(type, 4));
  }

  /** Begins an attribute of attributes; ended by `closeNest` with what this returns. */
  nest(type: number): number {
    const start = this.#at;
    this.#content(type, 0);
    return start;
  }

  closeNest(start: number): void {
    this.#bytes.writeUInt16LE(this.#at - start, start);
  }

  /** All messages, of which the kernel answers the last one and whichever fails. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#at);
    if (this.count > 0) {
      bytes.writeUInt16LE(bytes.readUInt16LE(this.#message + 6) | acknowledge, this.#message + 6);
    }
    this.#at = 0;
    this.count = 0;
    return bytes;
  }

  #content(type: number, size: number): number {
    this.#bytes.writeUInt16LE(4 + size, this.#at);
    this.#bytes.writeUInt16LE(type, this.#at + 2);
    const content = this.#at + 4;
    this.#at = content + ((size + 3) & ~3);
    this.#bytes.fill(0, content, this.#at);
    return content;
  }
}
