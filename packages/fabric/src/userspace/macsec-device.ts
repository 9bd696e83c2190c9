import { isRecord, TaplineError } from '@tapline/base';
import { MacsecReceiver, MacsecSender } from '@tapline/segments';
import { getRawPointer } from 'node:ffi';
import { nodeFrameAead } from '../crypto/node-frame-aead.ts';
import { type Libc, linux, systemCallError } from './libc.ts';
import { openTap } from './open-tap.ts';

/** IEEE Std 802.1AE §9.8. */
const etherType = 0x88e5;
const replayWindow = 64;
/** Frames of one side before the other has its turn. */
const turn = 64;
const largestFrame = 65_535;

export interface MacsecDeviceOptions {
  readonly dev: string;
  readonly parent: string;
  /** Of the parent. */
  readonly index: number;
  readonly mac: string;
}

interface Known {
  readonly keyId: string;
}

/**
 * A MACsec device as the kernel's, where it has none: what its TAP interface sends leaves the parent
 * protected, and only what can be opened comes in. The operations are those of `ip macsec`, a JSON
 * object each. It has no timers: whoever runs it polls, and calls.
 */
export class MacsecDevice {
  readonly #libc: Libc;
  readonly #dev: string;
  readonly #parent: string;
  readonly tapFd: number;
  readonly linkFd: number;
  readonly #sender: MacsecSender;
  readonly #receiver = new MacsecReceiver({
    aead: nodeFrameAead,
    replayWindow,
    acceptReadable: false,
  });
  readonly #sends = new Map<number, Known>();
  readonly #channels = new Map<string, Map<number, Known>>();
  readonly #in = new Uint8Array(new ArrayBuffer(largestFrame));
  readonly #out = new Uint8Array(new ArrayBuffer(largestFrame + 64));
  readonly #outPointer: bigint;
  #encoding = -1;
  #sent = 0;
  #unsent = 0;

  constructor(libc: Libc, options: MacsecDeviceOptions) {
    const { dev, parent, index, mac } = options;
    this.#libc = libc;
    this.#dev = dev;
    this.#parent = parent;
    const sci = sciOf(mac);
    this.#sender = new MacsecSender({ aead: nodeFrameAead, sci, sendSci: true, encrypt: true });
    this.#outPointer = getRawPointer(this.#out);
    this.linkFd = openLink(libc, index);
    this.tapFd = openTap(libc, dev);
  }

  /** Carries an operation out; never says what a key is. Throws `macsec_operation_invalid`. */
  execute(operation: unknown): void {
    const { kind, mac, associationNumber, keyId, key } = isRecord(operation) ? operation : {};
    const number = Number(associationNumber);
    switch (kind) {
      case 'channel-add':
        this.#channels.set(String(mac), new Map());
        return;
      case 'channel-delete':
        for (const known of this.#channels.get(String(mac))?.keys() ?? []) {
          this.#receiver.remove(sciOf(String(mac)), known);
        }
        this.#channels.delete(String(mac));
        return;
      case 'receive-add':
        this.#receiver.install(sciOf(String(mac)), number, keyOf(key));
        this.#channels.get(String(mac))?.set(number, { keyId: String(keyId) });
        return;
      case 'receive-delete':
        this.#receiver.remove(sciOf(String(mac)), number);
        this.#channels.get(String(mac))?.delete(number);
        return;
      case 'send-add':
        this.#sender.install(number, keyOf(key));
        this.#sends.set(number, { keyId: String(keyId) });
        return;
      case 'send-use':
        this.#sender.activate(number);
        this.#encoding = number;
        return;
      case 'send-delete':
        this.#sender.remove(number);
        this.#sends.delete(number);
        return;
      default:
        throw new TaplineError('macsec_operation_invalid', `no operation ${String(kind)}`);
    }
  }

  /** As `ip -j -s macsec show` prints it. */
  show(): object {
    const { taken, badTag, unknownChannel, unknownKey, readable, late, forged } =
      this.#receiver.counters;
    return {
      ifname: this.#dev,
      parent: this.#parent,
      protect: true,
      validate: 'strict',
      encrypt: true,
      cipher_suite: 'GCM-AES-256',
      encoding_sa: this.#encoding,
      sa_list: associations(this.#sends),
      rx_sc: [...this.#channels].map(([mac, known]) => ({
        sci: `0x${mac.replaceAll(':', '')}0001`,
        active: true,
        sa_list: associations(known),
      })),
      OutPktsEncrypted: this.#sent,
      OutPktsUnsent: this.#unsent,
      InPktsOK: taken,
      InPktsBadTag: badTag,
      InPktsUnknownSCI: unknownChannel,
      InPktsNotUsingSA: unknownKey,
      InPktsUnchecked: readable,
      InPktsLate: late,
      InPktsNotValid: forged,
    };
  }

  /** Frames that the node sends: protected, or dropped. */
  fromTap(): void {
    for (let count = 0; count < turn; count += 1) {
      const length = this.#libc.read(this.tapFd, this.#in, largestFrame);
      if (length <= 0) return;
      const made = this.#sender.protect(this.#in, { start: 0, end: length }, this.#out);
      const written = made > 0 ? this.#libc.write(this.linkFd, this.#outPointer, made) : 0;
      if (written > 0) this.#sent += 1;
      else this.#unsent += 1;
    }
  }

  /** Frames of the link: opened, or dropped and counted. */
  fromLink(): void {
    for (let count = 0; count < turn; count += 1) {
      const length = this.#libc.read(this.linkFd, this.#in, largestFrame);
      if (length <= 0) return;
      const made = this.#receiver.open(this.#in, { start: 0, end: length }, this.#out);
      if (made > 0) this.#libc.write(this.tapFd, this.#outPointer, made);
    }
  }
}

function associations(known: ReadonlyMap<number, Known>): readonly object[] {
  return [...known].map(([an, { keyId }]) => ({ an, active: true, key: keyId }));
}

function keyOf(key: unknown) {
  return { cipher: 'gcm-aes-256', key: Buffer.from(String(key), 'hex') } as const;
}

/** §9.9: the address, and port 1. */
function sciOf(mac: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) {
    throw new TaplineError('macsec_operation_invalid', `${mac.slice(0, 32)} is no MAC`);
  }
  return Uint8Array.from([...mac.split(':').map((byte) => Number.parseInt(byte, 16)), 0, 1]);
}

/** packet(7): frames of MACsec only, of one interface. */
function openLink(libc: Libc, index: number): number {
  const type = linux.raw | linux.nonBlocking | linux.closeOnExec;
  const fd = libc.socket(linux.packet, type, swapped(etherType));
  if (fd < 0) throw systemCallError(libc, 'socket');
  // struct sockaddr_ll.
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, linux.packet, true);
  view.setUint16(2, etherType);
  view.setInt32(4, index, true);
  if (libc.bind(fd, address, address.length) < 0) {
    libc.close(fd);
    throw systemCallError(libc, 'bind');
  }
  return fd;
}

/** In network order, as a number of this machine. */
function swapped(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}
