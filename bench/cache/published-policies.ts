/** A policy for objects of one size: `ask` answers whether the object was there, and takes it in. */
export interface Policy {
  readonly ask: (object: number) => boolean;
}

/** Published policies as their papers describe them, in entries, to compare ours with. */
export const publishedPolicies: Readonly<Record<string, (capacity: number) => Policy>> = {
  'S3-FIFO': s3fifo,
  ARC: arc,
  'W-TinyLFU': tinyLfu,
};

/** Yang et al., SOSP 2023. */
function s3fifo(capacity: number): Policy {
  const smallSize = Math.max(1, Math.floor(capacity / 10));
  const [small, main, ghost] = [new Set<number>(), new Set<number>(), new Set<number>()];
  const uses = new Map<number, number>();
  function evictSmall(): void {
    for (const object of small) {
      small.delete(object);
      if ((uses.get(object) ?? 0) > 1) {
        uses.set(object, 0);
        main.add(object);
        while (main.size > capacity - smallSize) evictMain();
        continue;
      }
      uses.delete(object);
      ghost.add(object);
      if (ghost.size > capacity - smallSize) ghost.delete(oldest(ghost));
      return;
    }
  }
  function evictMain(): void {
    for (const object of main) {
      main.delete(object);
      const used = uses.get(object) ?? 0;
      if (used === 0) {
        uses.delete(object);
        return;
      }
      uses.set(object, used - 1);
      main.add(object);
    }
  }
  return {
    ask(object) {
      const used = uses.get(object);
      if (used !== undefined) {
        uses.set(object, Math.min(3, used + 1));
        return true;
      }
      while (small.size + main.size >= capacity) {
        if (small.size >= smallSize || main.size === 0) evictSmall();
        else evictMain();
      }
      (ghost.delete(object) ? main : small).add(object);
      uses.set(object, 0);
      return false;
    },
  };
}

/** Megiddo and Modha, FAST 2003. */
function arc(capacity: number): Policy {
  const [once, often, onceGone, oftenGone] = Array.from({ length: 4 }, () => new Set<number>()) as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  let target = 0;
  function replace(wasOften: boolean): void {
    if (once.size > 0 && (once.size > target || (wasOften && once.size === target))) {
      move(once, onceGone);
    } else move(often, oftenGone);
  }
  return {
    ask(object) {
      if (once.delete(object) || often.delete(object)) {
        often.add(object);
        return true;
      }
      if (onceGone.has(object)) {
        target = Math.min(capacity, target + Math.max(1, oftenGone.size / onceGone.size));
        replace(false);
        onceGone.delete(object);
        often.add(object);
        return false;
      }
      if (oftenGone.has(object)) {
        target = Math.max(0, target - Math.max(1, onceGone.size / oftenGone.size));
        replace(true);
        oftenGone.delete(object);
        often.add(object);
        return false;
      }
      if (once.size + onceGone.size === capacity) {
        if (once.size < capacity) {
          onceGone.delete(oldest(onceGone));
          replace(false);
        } else once.delete(oldest(once));
      } else {
        const all = once.size + often.size + onceGone.size + oftenGone.size;
        if (all >= 2 * capacity) oftenGone.delete(oldest(oftenGone));
        if (all >= capacity) replace(false);
      }
      once.add(object);
      return false;
    },
  };
}

/** Einziger, Friedman and Manes, TOS 2017; counted exactly where the paper has a sketch. */
function tinyLfu(capacity: number): Policy {
  const windowSize = Math.max(1, Math.floor(capacity / 100));
  const protectedSize = Math.floor(0.8 * (capacity - windowSize));
  const [fresh, probation, kept] = [new Set<number>(), new Set<number>(), new Set<number>()];
  let counts = new Map<number, number>();
  let asked = 0;
  function count(object: number): void {
    counts.set(object, Math.min(15, (counts.get(object) ?? 0) + 1));
    asked += 1;
    if (asked < 10 * capacity) return;
    asked /= 2;
    counts = new Map(
      [...counts].map(([key, uses]) => [key, uses >> 1] as const).filter(([, uses]) => uses > 0),
    );
  }
  return {
    ask(object) {
      count(object);
      if (fresh.delete(object)) {
        fresh.add(object);
        return true;
      }
      if (kept.delete(object) || probation.delete(object)) {
        kept.add(object);
        if (kept.size > protectedSize) move(kept, probation);
        return true;
      }
      fresh.add(object);
      if (fresh.size <= windowSize) return false;
      const candidate = oldest(fresh);
      fresh.delete(candidate);
      if (probation.size + kept.size < capacity - windowSize) {
        probation.add(candidate);
        return false;
      }
      const victim = oldest(probation);
      if ((counts.get(candidate) ?? 0) > (counts.get(victim) ?? 0)) {
        probation.delete(victim);
        probation.add(candidate);
      }
      return false;
    },
  };
}

function oldest(set: ReadonlySet<number>): number {
  for (const object of set) return object;
  return Number.NaN;
}

function move(from: Set<number>, to: Set<number>): void {
  const object = oldest(from);
  if (from.delete(object)) to.add(object);
}
