import { readFile } from 'node:fs/promises';
import { type Clock, isRecord, isSystemError, TaplineError } from '@tapline/base';
import { type KeyReference, sendingKeyId } from '@tapline/segments';
import { type NodeKey, openNodeKey } from './node-key.ts';
import { espKeyBytes, pairKey } from './pair-key.ts';
import { writeDurably } from './write-durably.ts';
import { unwrapKey, type WrappedKey, wrapKey } from './wrapped-key.ts';

/** What may be told of a node's keys. */
export interface SendingKeys {
  readonly publicKey: string;
  readonly generation: number;
  /** Keys of this generation that were given out to send with, and when, ms since the Unix epoch. */
  readonly used: Readonly<Record<string, number>>;
}

export interface SealRequest {
  /** Public key of the receiver. */
  readonly to: string;
  readonly epoch: number;
}

/**
 * The node's key, and which keys it has sent with. A counter that begins anew with the same key would
 * use a nonce twice (NIST SP 800-38D §8), so a key to send with is given out once, and noted on disk
 * before; who has lost it (a restart of the machine, a flush) goes on to the next generation.
 */
export interface SendingKeyStore {
  readonly current: SendingKeys;
  /** Throws `key_used`, `key_unknown`, `wrapped_key_invalid`. */
  keyFor(reference: KeyReference): Promise<Buffer>;
  renew(): Promise<SendingKeys>;
  seal(wanted: readonly unknown[]): readonly WrappedKey[];
}

/** Of older epochs nobody asks any more. */
const keptEpochs = 8;

export async function openSendingKeys(
  file: string,
  { clock }: { readonly clock: Clock },
): Promise<SendingKeyStore> {
  const key = await openNodeKey(file);
  const path = `${file}.sent`;
  let { generation, used } = await readNotes(path);

  async function note(): Promise<void> {
    await writeDurably(path, JSON.stringify({ generation, used }));
  }

  async function take(reference: KeyReference): Promise<void> {
    const id = sendingKeyId(reference);
    if (reference.generation !== generation || used[id] !== undefined) {
      throw new TaplineError(
        'key_used',
        `key ${reference.epoch} of generation ${reference.generation} was sent with already; generation ${generation} is the newest`,
      );
    }
    const oldest = reference.epoch - keptEpochs;
    used = Object.fromEntries(
      Object.entries(used).filter(([other]) => Number(other.split(' ')[3]) >= oldest),
    );
    used[id] = clock.now();
    await note();
  }

  return {
    get current() {
      return { publicKey: key.publicKey, generation, used };
    },
    async keyFor(reference) {
      if (reference.fromKey === key.publicKey) await take(reference);
      return bytesOf(key, reference);
    },
    async renew() {
      generation += 1;
      used = {};
      await note();
      return { publicKey: key.publicKey, generation, used };
    },
    seal: (wanted) =>
      wanted.map((entry) => {
        const { to, epoch } = isRecord(entry) ? entry : {};
        if (typeof to !== 'string' || typeof epoch !== 'number' || !Number.isSafeInteger(epoch)) {
          throw new TaplineError(
            'request_invalid',
            'keys are wrapped for a public key and an epoch',
          );
        }
        const content = macsecKey(key, { epoch, generation });
        return wrapKey(key, { to, epoch, generation, key: content });
      }),
  };
}

function bytesOf(key: NodeKey, reference: KeyReference): Buffer {
  const { use, fromKey: from, toKey, epoch, generation, over, sealed } = reference;
  if (use === 'esp') {
    const ends = { from, to: toKey ?? '', ...(over !== undefined && { over }) };
    return pairKey(key, { use, epoch, generation, ...ends, bytes: espKeyBytes });
  }
  if (from === key.publicKey) return macsecKey(key, { epoch, generation });
  if (sealed === undefined) {
    throw new TaplineError('key_unknown', `node ${reference.from} has not wrapped key ${epoch}`);
  }
  return unwrapKey(key, { from, to: toKey ?? '', epoch, generation, sealed });
}

/** The same for every receiver, and derived anew instead of kept. */
function macsecKey(key: NodeKey, about: { readonly epoch: number; readonly generation: number }) {
  return key.derive(['macsec', about.epoch, about.generation].join('\0'));
}

async function readNotes(
  path: string,
): Promise<{ generation: number; used: Record<string, number> }> {
  try {
    const notes: unknown = JSON.parse(await readFile(path, 'utf8'));
    const { generation, used } = isRecord(notes) ? notes : {};
    if (typeof generation === 'number' && isRecord(used)) {
      return { generation, used: used as Record<string, number> };
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return { generation: 1, used: {} };
    throw error;
  }
  throw new TaplineError('key_notes_invalid', `${path} does not say which keys were sent with`, {
    hint: 'remove it together with the key beside it: the node then has another key',
  });
}
