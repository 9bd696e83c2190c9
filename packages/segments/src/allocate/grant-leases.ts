import { isTaplineError, TaplineError } from '@tapline/base';
import {
  addressBits,
  formatSubnet,
  type Subnet,
  parseSubnet,
  subnetContains,
  subnetsOverlap,
} from '../address/subnet.ts';
import type {
  Foreign,
  Lease,
  LeaseLedger,
  LeaseOutcome,
  LeasePool,
  LeaseRequest,
} from './lease-ledger.ts';
import { NumberSpace } from './number-space.ts';
import { SubnetSpace } from './subnet-space.ts';

/** RFC 7348 has 24 bits; 1 to 4095 are kept free, since some peers have VLAN ids there. */
export const firstVni = 4096;
export const lastVni = 0xffffff;

/** The numbers of a fabric, of which nobody has any yet. */
export function fabricPool(name: string): LeasePool {
  return { name: `fabric ${name}`, first: 0, size: lastVni + 1 };
}

/**
 * Gives requests what is lowest and free, in their order; who has a lease keeps it. The ledger that
 * comes back is the same object where nothing changed. Outcomes are by the requests' uid. Codes:
 * `vnis_exhausted`, `addresses_exhausted`, `vni_taken`, `prefix_taken`, `prefix_overlaps`,
 * `prefix_outside_parent`, `prefix_missing`, `prefix_length_invalid`, `vni_block_invalid`,
 * `lease_differs`, and those of `parseSubnet`.
 */
export function grantLeases(
  ledger: LeaseLedger,
  requests: readonly LeaseRequest[],
  about: { readonly pool: LeasePool; readonly foreign: Foreign; readonly nowMs: number },
): { readonly ledger: LeaseLedger; readonly outcomes: ReadonlyMap<string, LeaseOutcome> } {
  const held = ledger.leases.filter(
    ({ until }) => until === undefined || Date.parse(until) > about.nowMs,
  );
  const desk = new LeaseDesk({ ...ledger, leases: held }, about);
  const outcomes = new Map<string, LeaseOutcome>();
  for (const request of requests) outcomes.set(request.uid, desk.serve(request));
  const unchanged = held.length === ledger.leases.length && desk.granted === 0;
  return { ledger: unchanged ? ledger : desk.ledger, outcomes };
}

/** Ends a lease: nobody gets its numbers before `until`. */
export function endLease(
  ledger: LeaseLedger,
  uid: string,
  { until }: { readonly until: string },
): LeaseLedger {
  if (!ledger.leases.some((lease) => lease.uid === uid && lease.until === undefined)) return ledger;
  const leases = ledger.leases.map((lease) =>
    lease.uid === uid && lease.until === undefined ? { ...lease, until } : lease,
  );
  return { ...ledger, leases };
}

class LeaseDesk {
  granted = 0;
  readonly #about: Parameters<typeof grantLeases>[2];
  readonly #leases: Lease[];
  #serial: number;
  /** Made when the first lease is granted: most passes only ask what they have. */
  #vnis: NumberSpace | undefined;
  #prefixes: SubnetSpace | undefined;

  constructor(ledger: LeaseLedger, about: Parameters<typeof grantLeases>[2]) {
    this.#about = about;
    this.#leases = [...ledger.leases];
    this.#serial = ledger.serial;
  }

  get ledger(): LeaseLedger {
    return { serial: this.#serial, leases: this.#leases };
  }

  serve(request: LeaseRequest): LeaseOutcome {
    try {
      const held = this.#leases.find(
        ({ uid, until }) => uid === request.uid && until === undefined,
      );
      if (held !== undefined) {
        checkSame(held, request);
        return { kind: 'leased', lease: held };
      }
      return { kind: 'leased', lease: this.#grant(request) };
    } catch (error) {
      if (!isTaplineError(error)) throw error;
      const { code, message, hint, details } = error;
      const retryAt = details?.['retryAt'];
      return {
        kind: 'refused',
        code,
        message,
        ...(hint === undefined ? {} : { hint }),
        ...(typeof retryAt === 'string' ? { retryAt } : {}),
      };
    }
  }

  #grant(request: LeaseRequest): Lease {
    const order = Math.log2(request.size);
    if (!Number.isInteger(order)) {
      throw new TaplineError('vni_block_invalid', `${request.size} VNIs is no power of two`);
    }
    // Both are known to be there before either is taken.
    const prefix = this.#choosePrefix(request);
    const first = this.#takeVnis(request, order);
    this.#prefixSpace()?.cover(prefix);
    this.#serial += 1;
    this.granted += 1;
    const { owner, uid, size } = request;
    const lease = { owner, uid, serial: this.#serial, first, size, prefix: formatSubnet(prefix) };
    this.#leases.push(lease);
    return lease;
  }

  #takeVnis({ first, size }: LeaseRequest, order: number): number {
    const { pool } = this.#about;
    if (first === undefined) {
      const taken = this.#vniSpace().take(order);
      if (taken !== undefined) return pool.first + taken;
      throw this.#exhausted('vnis_exhausted', `no block of ${size} VNIs`);
    }
    const last = first + size - 1;
    if (first % size !== 0) {
      const near = Math.floor(first / size) * size;
      throw new TaplineError('vni_block_invalid', `${size} VNIs cannot begin at ${first}`, {
        hint: `begin at ${near} or ${near + size}`,
      });
    }
    if (first < Math.max(pool.first, firstVni) || last >= pool.first + pool.size) {
      throw new TaplineError(
        'vni_outside_parent',
        `VNIs ${first} to ${last} are not in those of ${pool.name}, ${Math.max(pool.first, firstVni)} to ${pool.first + pool.size - 1}`,
      );
    }
    const foreign = this.#about.foreign.vnis.find(({ vni }) => vni >= first && vni <= last);
    if (foreign !== undefined) {
      throw new TaplineError('vni_taken', `VNI ${foreign.vni} is taken by ${foreign.where}`);
    }
    if (this.#vniSpace().takeAt(first - pool.first, order)) return first;
    const other = this.#leases.find((one) => one.first <= last && first < one.first + one.size);
    throw new TaplineError(
      'vni_taken',
      `VNI ${other?.first ?? first} is taken by ${other === undefined ? 'another segment' : holder(other)}`,
    );
  }

  #choosePrefix(request: LeaseRequest): Subnet {
    const pool =
      this.#about.pool.prefix === undefined ? undefined : parseSubnet(this.#about.pool.prefix);
    if (request.prefix !== undefined)
      return this.#certainPrefix(parseSubnet(request.prefix), request, pool);
    const { prefixLength } = request;
    if (pool === undefined) {
      throw new TaplineError('prefix_missing', `segment ${request.owner} has no spec.prefix`, {
        hint: 'give it a prefix such as 10.64.0.0/12, or a parent',
      });
    }
    const longest = longestPrefix(pool.family, request.size);
    if (prefixLength === undefined || prefixLength < pool.length || prefixLength > longest) {
      throw new TaplineError(
        'prefix_length_invalid',
        `prefixLength ${prefixLength ?? 'absent'} of segment ${request.owner} is not from ${pool.length} to ${longest}, what ${formatSubnet(pool)} has`,
      );
    }
    // Found, and taken when the VNI is, too.
    const space = this.#prefixSpace();
    const found = space?.find(prefixLength);
    if (found !== undefined) return found;
    throw this.#exhausted('addresses_exhausted', `no prefix of length ${prefixLength}`);
  }

  #certainPrefix(
    prefix: Subnet,
    { owner, size, prefixLength }: LeaseRequest,
    pool: Subnet | undefined,
  ): Subnet {
    const text = formatSubnet(prefix);
    if (prefixLength !== undefined && prefixLength !== prefix.length) {
      throw new TaplineError(
        'prefix_length_invalid',
        `prefixLength ${prefixLength} of segment ${owner} is not that of its prefix ${text}`,
      );
    }
    const longest = longestPrefix(prefix.family, size);
    if (prefix.length > longest) {
      throw new TaplineError(
        'prefix_length_invalid',
        `prefix ${text} of segment ${owner} is longer than ${longest}: no port would have an address`,
      );
    }
    if (pool !== undefined && !subnetContains(pool, prefix)) {
      throw new TaplineError(
        'prefix_outside_parent',
        `prefix ${text} of segment ${owner} is not in ${formatSubnet(pool)} of ${this.#about.pool.name}`,
      );
    }
    const other = this.#leases.find((one) => subnetsOverlap(parseSubnet(one.prefix), prefix));
    if (other !== undefined) {
      throw new TaplineError(
        'prefix_overlaps',
        `prefix ${text} of segment ${owner} overlaps ${other.prefix} of ${holder(other)}`,
        other.until === undefined ? {} : { details: { retryAt: other.until } },
      );
    }
    // A parent's prefix may hold networks of others: its children are not put there.
    const foreign =
      size > 1
        ? undefined
        : this.#about.foreign.prefixes.find((one) =>
            subnetsOverlap(parseSubnet(one.prefix), prefix),
          );
    if (foreign === undefined) return prefix;
    throw new TaplineError(
      'prefix_taken',
      `prefix ${text} of segment ${owner} overlaps ${foreign.prefix}, which ${foreign.where} has`,
    );
  }

  #vniSpace(): NumberSpace {
    if (this.#vnis !== undefined) return this.#vnis;
    const { pool, foreign } = this.#about;
    const space = new NumberSpace(Math.log2(pool.size));
    if (pool.first === 0) space.takeAt(0, Math.log2(firstVni));
    for (const { first, size } of this.#leases) {
      space.takeAt(first - pool.first, Math.log2(size));
    }
    for (const { vni } of foreign.vnis) {
      if (vni >= pool.first && vni < pool.first + pool.size) space.takeAt(vni - pool.first, 0);
    }
    this.#vnis = space;
    return space;
  }

  #prefixSpace(): SubnetSpace | undefined {
    const { pool, foreign } = this.#about;
    if (this.#prefixes !== undefined || pool.prefix === undefined) return this.#prefixes;
    const space = new SubnetSpace(parseSubnet(pool.prefix));
    for (const { prefix } of this.#leases) space.cover(parseSubnet(prefix));
    for (const { prefix } of foreign.prefixes) {
      // A node's route to all of the parent's addresses is how they are reached, not a network there.
      const parsed = parseSubnet(prefix);
      if (!subnetContains(parsed, space.prefix)) space.cover(parsed);
    }
    this.#prefixes = space;
    return space;
  }

  #exhausted(code: 'vnis_exhausted' | 'addresses_exhausted', what: string): TaplineError {
    const { pool } = this.#about;
    const waiting = this.#leases.filter(({ until }) => until !== undefined);
    const leased = this.#leases.length - waiting.length;
    const soonest = waiting
      .map(({ until = '' }) => until)
      .toSorted((a, b) => Date.parse(a) - Date.parse(b))[0];
    const has = code === 'vnis_exhausted' ? `${pool.size} VNIs from ${pool.first}` : pool.prefix;
    return new TaplineError(
      code,
      `${pool.name} has ${what} left of ${has}: ${leased} leases, ${waiting.length} in quarantine${soonest === undefined ? '' : `, the first until ${soonest}`}`,
      soonest === undefined ? {} : { details: { retryAt: soonest } },
    );
  }
}

/** What was leased stays as it is: a change would move addresses under those who use them. */
function checkSame(lease: Lease, { owner, size, first, prefix, prefixLength }: LeaseRequest): void {
  const has = parseSubnet(lease.prefix);
  const differs =
    lease.size !== size ||
    (first !== undefined && first !== lease.first) ||
    (prefix !== undefined && formatSubnet(parseSubnet(prefix)) !== lease.prefix) ||
    (prefixLength !== undefined && prefixLength !== has.length);
  if (!differs) return;
  throw new TaplineError(
    'lease_differs',
    `segment ${owner} has VNI ${lease.first}${lease.size > 1 ? ` and ${lease.size - 1} more` : ''} and ${lease.prefix}, which do not change in its life`,
    { hint: 'delete it and create it anew, or give back the spec that it had' },
  );
}

/** Room for a gateway and a port; of a parent, for a child. */
function longestPrefix(family: 4 | 6, size: number): number {
  return addressBits(family) - 2 - (size > 1 ? 1 : 0);
}

function holder({ owner, until }: Lease): string {
  return `segment ${owner}${until === undefined ? '' : `, in quarantine until ${until}`}`;
}
