import { type AssociationKey, checkAssociationKey, writeNonce } from './association-key.ts';
import type { FrameAead, FrameAeadFactory } from './frame-aead.ts';
import { isExtended } from './macsec-cipher.ts';
import { checkAssociationNumber } from './macsec-sender.ts';
import { PacketNumberWindow } from './packet-number-window.ts';
import { emptySecTag, icvBytes, readSecTag } from './sec-tag.ts';

export interface MacsecReceiverOptions {
  readonly aead: FrameAeadFactory;
  /** How far behind the newest a frame may come, 0 to 65,535. */
  readonly replayWindow: number;
  /** Whether frames that are authentic and not encrypted are taken. */
  readonly acceptReadable: boolean;
}

/** Frames that were taken, and those that were not, by reason. */
export interface MacsecCounters {
  taken: number;
  badTag: number;
  unknownChannel: number;
  unknownKey: number;
  readable: number;
  late: number;
  forged: number;
}

interface Association {
  readonly key: AssociationKey;
  readonly aead: FrameAead;
  readonly window: PacketNumberWindow;
}

type Channel = (Association | undefined)[];

/** Opens frames of the secure channels it was given keys of; everything else is refused. */
export class MacsecReceiver {
  readonly counters: MacsecCounters = {
    taken: 0,
    badTag: 0,
    unknownChannel: 0,
    unknownKey: 0,
    readable: 0,
    late: 0,
    forged: 0,
  };
  readonly #options: MacsecReceiverOptions;
  readonly #channels = new Map<number, Map<number, Channel>>();
  readonly #tag = emptySecTag();
  readonly #nonce = new Uint8Array(12);

  constructor(options: MacsecReceiverOptions) {
    this.#options = options;
  }

  /** A key of the channel `sci` (8 bytes); older ones of other numbers stay until removed. */
  install(
    sci: Uint8Array,
    associationNumber: number,
    key: AssociationKey,
    lowest: { readonly high: number; readonly low: number } = { high: 0, low: 1 },
  ): void {
    checkAssociationNumber(associationNumber);
    checkAssociationKey(key);
    const view = new DataView(sci.buffer, sci.byteOffset, 8);
    const high = view.getUint32(0);
    const low = view.getUint32(4);
    const channels = this.#channels.get(high) ?? new Map<number, Channel>();
    this.#channels.set(high, channels);
    const channel = channels.get(low) ?? [undefined, undefined, undefined, undefined];
    channels.set(low, channel);
    const window = new PacketNumberWindow(this.#options.replayWindow, lowest);
    channel[associationNumber] = { key, aead: this.#options.aead(key.key), window };
  }

  remove(sci: Uint8Array, associationNumber: number): void {
    checkAssociationNumber(associationNumber);
    const view = new DataView(sci.buffer, sci.byteOffset, 8);
    const channel = this.#channels.get(view.getUint32(0))?.get(view.getUint32(4));
    if (channel !== undefined) channel[associationNumber] = undefined;
  }

  /**
   * Opens the frame in `frame` from `start` to `end`, writes it to `into` from `at` on and answers its
   * length; 0 where it is refused, and `counters` says why.
   */
  open(frame: Uint8Array, range: { start: number; end: number }, into: Uint8Array, at = 0): number {
    const { start, end } = range;
    const { counters } = this;
    const tag = this.#tag;
    if (!readSecTag(frame, start, end, tag)) return refused(counters, 'badTag');
    const channel = this.#channels.get(tag.sciHigh)?.get(tag.sciLow);
    if (channel === undefined) return refused(counters, 'unknownChannel');
    const association = channel[tag.associationNumber];
    if (association === undefined) return refused(counters, 'unknownKey');
    if (!tag.encrypted && !this.#options.acceptReadable) return refused(counters, 'readable');
    const { key, window } = association;
    const extended = isExtended(key.cipher);
    const low = tag.packetNumber;
    const high = extended ? window.recoverHigh(low) : 0;
    // §9.8: packet number 0 is never used with 32-bit numbers.
    if (!extended && low === 0) return refused(counters, 'badTag');
    if (!window.accepts(high, low)) return refused(counters, 'late');
    writeNonce(this.#nonce, key, { sciHigh: tag.sciHigh, sciLow: tag.sciLow, high, low });
    if (!this.#isAuthentic(association, { frame, start, into, at })) {
      return refused(counters, 'forged');
    }
    window.note(high, low);
    into.set(frame.subarray(start, start + 12), at);
    counters.taken += 1;
    return 12 + tag.dataEnd - start - tag.headerBytes;
  }

  #isAuthentic(
    association: Association,
    place: { frame: Uint8Array; start: number; into: Uint8Array; at: number },
  ): boolean {
    const { frame, start, into, at } = place;
    const { headerBytes, dataEnd, encrypted } = this.#tag;
    const dataStart = start + headerBytes;
    if (encrypted) {
      const additional = frame.subarray(start, dataStart);
      const text = frame.subarray(dataStart, dataEnd + icvBytes);
      return association.aead.open({ nonce: this.#nonce, additional, text }, into, at + 12);
    }
    const additional = frame.subarray(start, dataEnd);
    const text = frame.subarray(dataEnd, dataEnd + icvBytes);
    if (!association.aead.open({ nonce: this.#nonce, additional, text }, into, at + 12))
      return false;
    into.set(frame.subarray(dataStart, dataEnd), at + 12);
    return true;
  }
}

function refused(counters: MacsecCounters, reason: keyof MacsecCounters): 0 {
  counters[reason] += 1;
  return 0;
}
