import type { InstallRecord, InstallState, OutboxEntry } from '@tapline/agent';
import type { PageDatabase, Shelf } from './page-database.ts';

/**
 * Reads all of it, and writes after each change. A change is on the disk from the next `barrier` on; one
 * that is lost with the page is an order that the control plane gives again.
 */
export async function openPageState(
  database: PageDatabase,
  { onChange }: { readonly onChange?: (() => void) | undefined } = {},
): Promise<InstallState> {
  const installs = (await database.all('installs')) as readonly InstallRecord[];
  const waiting = (await database.all('outbox')) as readonly OutboxEntry[];
  const records = new Map(installs.map((record) => [record.uid, record]));
  const outbox = new Map(
    waiting.toSorted((a, b) => a.sequence - b.sequence).map((entry) => [entry.uid, entry]),
  );
  let sequence = Math.max(0, ...waiting.map((entry) => entry.sequence));
  let writing: Promise<void> = Promise.resolve();

  function write(shelf: Shelf, key: string, value: unknown): void {
    const wanted = (): Promise<void> =>
      value === undefined ? database.delete(shelf, key) : database.put(shelf, key, value);
    // In their order, and after one that failed all the same.
    writing = writing.then(wanted, wanted);
    // Whoever needs it waits for the barrier, which rejects.
    writing.catch(() => undefined);
  }

  return {
    records: () => [...records.values()],
    record: (uid) => records.get(uid),
    put(record) {
      records.set(record.uid, record);
      write('installs', record.uid, record);
      onChange?.();
    },
    forget(uid) {
      records.delete(uid);
      outbox.delete(uid);
      write('installs', uid, undefined);
      write('outbox', uid, undefined);
      onChange?.();
    },
    outbox: () => [...outbox.values()],
    outboxEntry: (uid) => outbox.get(uid),
    putOutbox(entry) {
      sequence += 1;
      const kept = { ...entry, sequence };
      outbox.delete(entry.uid);
      outbox.set(entry.uid, kept);
      write('outbox', entry.uid, kept);
      return kept;
    },
    delivered({ uid, sequence: taken }) {
      if (outbox.get(uid)?.sequence !== taken) return;
      outbox.delete(uid);
      write('outbox', uid, undefined);
    },
    barrier: () => writing,
  };
}
