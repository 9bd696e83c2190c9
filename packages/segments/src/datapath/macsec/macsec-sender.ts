import { TaplineError } from '@tapline/base';
import { type AssociationKey, checkAssociationKey, writeNonce } from './association-key.ts';
import type { FrameAead, FrameAeadFactory } from './frame-aead.ts';
import { isExtended } from './macsec-cipher.ts';
import { icvBytes, longHeaderBytes, writeSecTag } from './sec-tag.ts';

export interface MacsecSenderOptions {
  readonly aead: FrameAeadFactory;
  /** Secure channel identifier: MAC address and port, 8 bytes. */
  readonly sci: Uint8Array;
  /** Whether frames tell the SCI; else it follows from the source address, and its port is 1. */
  readonly sendSci: boolean;
  /** False: user data is authenticated and readable. */
  readonly encrypt: boolean;
  /** Packet numbers that are left when `rotationDue` begins to say so; 2³⁰ when left out. */
  readonly rotateBefore?: number;
}

interface Association {
  readonly key: AssociationKey;
  readonly aead: FrameAead;
  high: number;
  low: number;
  /** No number is left: the next would repeat a nonce. */
  exhausted: boolean;
}

/** What a protected frame has more than a plain one, at most. */
export const macsecOverhead: number = longHeaderBytes - 12 + icvBytes;

/** Protects the frames of one secure channel; up to four keys (AN 0 to 3), of which one is used. */
export class MacsecSender {
  readonly #options: MacsecSenderOptions;
  readonly #sciHigh: number;
  readonly #sciLow: number;
  readonly #associations: (Association | undefined)[] = [
    undefined,
    undefined,
    undefined,
    undefined,
  ];
  readonly #nonce = new Uint8Array(12);
  #active = 0;

  constructor(options: MacsecSenderOptions) {
    this.#options = options;
    const view = new DataView(options.sci.buffer, options.sci.byteOffset, 8);
    this.#sciHigh = view.getUint32(0);
    this.#sciLow = view.getUint32(4);
  }

  /** Frames go on with the key that is active until `activate`. */
  install(
    associationNumber: number,
    key: AssociationKey,
    next: { readonly high: number; readonly low: number } = { high: 0, low: 1 },
  ): void {
    checkAssociationNumber(associationNumber);
    checkAssociationKey(key);
    const aead = this.#options.aead(key.key);
    this.#associations[associationNumber] = { key, aead, ...next, exhausted: false };
  }

  activate(associationNumber: number): void {
    checkAssociationNumber(associationNumber);
    if (this.#associations[associationNumber] === undefined) {
      throw new TaplineError(
        'macsec_association_missing',
        `association ${associationNumber} has no key`,
        { hint: 'install its key before it is used' },
      );
    }
    this.#active = associationNumber;
  }

  remove(associationNumber: number): void {
    checkAssociationNumber(associationNumber);
    this.#associations[associationNumber] = undefined;
  }

  get active(): number {
    return this.#active;
  }

  /** Whether the active key's packet numbers run out soon: the next key is to be installed. */
  get rotationDue(): boolean {
    const association = this.#associations[this.#active];
    if (association === undefined || association.exhausted) return true;
    const limit = isExtended(association.key.cipher) ? association.high : 0xffffffff;
    if (limit !== 0xffffffff) return false;
    return 0xffffffff - association.low < (this.#options.rotateBefore ?? 2 ** 30);
  }

  /**
   * Protects the frame in `frame` from `start` to `end`, writes it to `into` from `at` on and answers
   * its length; 0 where there is no key to use: nothing leaves in plaintext instead.
   */
  protect(
    frame: Uint8Array,
    range: { start: number; end: number },
    into: Uint8Array,
    at = 0,
  ): number {
    const { start, end } = range;
    const association = this.#associations[this.#active];
    if (association === undefined || association.exhausted || end - start < 14) return 0;
    const { key, aead } = association;
    const { encrypt, sci, sendSci } = this.#options;
    const dataBytes = end - start - 12;
    into.set(frame.subarray(start, start + 12), at);
    const header = writeSecTag(into, at, {
      associationNumber: this.#active,
      encrypted: encrypt,
      packetNumber: association.low,
      dataBytes,
      ...(sendSci && { sci }),
    });
    const { high, low } = association;
    writeNonce(this.#nonce, key, { sciHigh: this.#sciHigh, sciLow: this.#sciLow, high, low });
    advance(association);
    const data = frame.subarray(start + 12, end);
    if (encrypt) {
      const additional = into.subarray(at, at + header);
      aead.seal({ nonce: this.#nonce, additional, text: data }, into, at + header);
    } else {
      into.set(data, at + header);
      const additional = into.subarray(at, at + header + dataBytes);
      aead.seal({ nonce: this.#nonce, additional, text: nothing }, into, at + header + dataBytes);
    }
    return header + dataBytes + icvBytes;
  }
}

const nothing = new Uint8Array(0);

function advance(association: Association): void {
  if (association.low !== 0xffffffff) {
    association.low += 1;
  } else if (isExtended(association.key.cipher) && association.high !== 0xffffffff) {
    association.high += 1;
    association.low = 0;
  } else {
    association.exhausted = true;
  }
}

export function checkAssociationNumber(associationNumber: number): void {
  if (!Number.isInteger(associationNumber) || associationNumber < 0 || associationNumber > 3) {
    throw new TaplineError(
      'macsec_association_missing',
      `association number ${associationNumber} is not one of 0 to 3`,
    );
  }
}
