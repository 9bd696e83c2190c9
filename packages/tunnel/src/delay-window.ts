const floorBytes = 8192;
const firstBytes = 65_536;
const leastCycleMs = 2;
const probeMs = 8000;
const competingProbeMs = 2000;
/** A delay that has not changed over so many probes is the path's: routes change, queues vary. */
const steadyProbes = 5;
/** Standing delay beyond this many targets is looked into: it may not be ours. */
const suspicious = 4;

/**
 * How many bytes bulk may have under way: as many as the path takes without a queue of more than a
 * target delay. Queues in kernels and routers are out of a sender's sight but in every round trip.
 *
 * A cycle begins when the window changes and ends when a byte sent after that has come back, so that
 * each decision is judged by its own effect. The least round trip of a cycle is its standing one:
 * stalls of a busy machine and retransmissions are longer, and pass it by.
 *
 * The least round trip is believed for 8 s. Then, and when delay stands although the window has become
 * smaller, the window is drained for a cycle. Delay that stays is another flow's queue: as much again
 * is then allowed to us, which is half of the bottleneck; looked at again every 2 s.
 */
export class DelayWindow {
  readonly #mostBytes: number;
  #minRttMs = Infinity;
  #bytes = firstBytes;
  /** Where and when it began to become as large as it is. */
  #openedFrom = firstBytes;
  #openedMs = -Infinity;
  #starting = true;
  /** The largest share that the window may grow by in a cycle, as doubled by quiet cycles. */
  #quietCycles = 0;
  #draining = false;
  #beforeDrain = 0;
  #probedMs = 0;
  #foreignMs = 0;
  #leastForeignMs = Infinity;
  #mostForeignMs = 0;
  #foreignProbes = 0;
  #suspiciousCycles = 0;

  #cycleMs = 0;
  #cycleRtt = Infinity;
  #cycleBytes = 0;
  #cycleLimited = false;
  #cycleSamples = 0;
  #rate = 0;
  #rttMs = 0;

  constructor(init: { readonly mostBytes: number }) {
    this.#mostBytes = init.mostBytes;
  }

  /** A larger window is opened over a round trip: what is sent at once is a queue at once. */
  bytesAt(nowMs: number): number {
    const share = (nowMs - this.#openedMs) / this.#openingMs;
    if (!(share < 1)) return this.#bytes;
    return this.#openedFrom + (this.#bytes - this.#openedFrom) * Math.max(0, share);
  }

  /** Whether time alone makes it larger. */
  isOpening(nowMs: number): boolean {
    return nowMs - this.#openedMs < this.#openingMs;
  }

  get #openingMs(): number {
    return this.minRttMs / 2;
  }

  get minRttMs(): number {
    return this.#minRttMs === Infinity ? 0 : this.#minRttMs;
  }

  get rttMs(): number {
    return this.#rttMs;
  }

  get bytesPerMs(): number {
    return this.#rate;
  }

  get competing(): boolean {
    return this.#foreignMs > 0;
  }

  /** The sender had more to send than the window let it. */
  limited(): void {
    this.#cycleLimited = true;
  }

  /** `bytes` were acknowledged; `sentMs` is when the last of them were sent. */
  acknowledged(bytes: number, sentMs: number, nowMs: number): void {
    const rtt = Math.max(nowMs - sentMs, 0.01);
    this.#cycleBytes += bytes;
    this.#rttMs = this.#rttMs === 0 ? rtt : this.#rttMs + (rtt - this.#rttMs) / 8;
    this.#minRttMs = Math.min(this.#minRttMs, rtt);
    // What was sent before the window was open tells of the one before.
    if (sentMs < this.#cycleMs || this.isOpening(sentMs)) return;
    this.#cycleSamples += 1;
    this.#cycleRtt = Math.min(this.#cycleRtt, rtt);
    if (nowMs - this.#cycleMs < Math.max(leastCycleMs, rtt / 2)) return;
    if (this.#cycleSamples < 4 && this.#cycleBytes < this.#bytes) return;
    this.#endCycle(nowMs);
  }

  /** Another path: what was known of the old one does not count. */
  restart(nowMs: number): void {
    this.#minRttMs = Infinity;
    this.#starting = true;
    this.#draining = false;
    this.#forgetForeign(0);
    this.#quietCycles = this.#suspiciousCycles = 0;
    this.#bytes = Math.min(this.#bytes, firstBytes);
    this.#openedMs = -Infinity;
    this.#probedMs = nowMs;
    this.#begin(nowMs);
  }

  #begin(nowMs: number): void {
    this.#cycleMs = nowMs;
    this.#cycleRtt = Infinity;
    this.#cycleBytes = this.#cycleSamples = 0;
    this.#cycleLimited = false;
  }

  #endCycle(nowMs: number): void {
    const spanMs = nowMs - this.#cycleMs;
    const rate = this.#cycleBytes / spanMs;
    this.#rate = this.#rate === 0 ? rate : this.#rate + (rate - this.#rate) / 4;
    if (this.#probedMs === 0) this.#probedMs = nowMs;
    if (this.#draining) this.#endDrain(nowMs);
    else if (this.#wantsDrain(nowMs)) this.#drain(nowMs);
    else this.#adapt(nowMs);
    this.#begin(nowMs);
  }

  /** Delay of ours to allow: a share of the path's, so that jitter does not cost throughput. */
  get #ownMs(): number {
    return Math.min(4, Math.max(1, this.minRttMs / 32));
  }

  #adapt(nowMs: number): void {
    // Small traffic finds no queue of ours, and what delays it is no reason to have less.
    if (!this.#cycleLimited && this.#cycleBytes < this.#bytes / 4) return;
    const base = this.minRttMs + this.#foreignMs;
    const target = this.#ownMs + this.#foreignMs;
    const queued = this.#cycleRtt - base;
    if (queued >= target) {
      this.#starting = false;
      this.#quietCycles = 0;
      this.#suspiciousCycles = queued > suspicious * target ? this.#suspiciousCycles + 1 : 0;
      const fit = (this.#bytes * (base + target)) / this.#cycleRtt;
      this.#set(Math.max(fit, this.#bytes / 2), nowMs);
      return;
    }
    this.#suspiciousCycles = 0;
    if (!this.#cycleLimited) return;
    if (this.#starting) {
      this.#set(this.#bytes * (queued < target / 2 ? 1.5 : 1.125), nowMs);
      return;
    }
    // Growth shows a round trip later. So it is small against that, and doubles while nothing shows.
    this.#quietCycles = queued < target / 2 ? this.#quietCycles + 1 : 0;
    const step = ((target - queued) / Math.max(base, target)) * 2 ** this.#quietCycles;
    this.#set(this.#bytes * (1 + Math.min(0.25, step)), nowMs);
    if (this.#quietCycles >= 3) this.#starting = true;
  }

  #wantsDrain(nowMs: number): boolean {
    if (this.competing) return nowMs - this.#probedMs > competingProbeMs;
    if (this.#suspiciousCycles >= 3) return true;
    return nowMs - this.#probedMs > probeMs;
  }

  #drain(nowMs: number): void {
    this.#draining = true;
    this.#probedMs = nowMs;
    this.#beforeDrain = this.#bytes;
    // Where nothing is suspected, only our own share of the queue has to go.
    const deep = this.competing || this.#suspiciousCycles > 0;
    const rtt = deep ? this.minRttMs / 2 : Math.max(this.minRttMs - this.#ownMs, this.minRttMs / 2);
    this.#set(Math.min(this.#bytes * (deep ? 0.5 : 1), this.#rate * rtt), nowMs);
  }

  #endDrain(nowMs: number): void {
    this.#draining = false;
    this.#suspiciousCycles = 0;
    this.#probedMs = nowMs;
    this.#set(this.#beforeDrain, nowMs);
    const stays = this.#cycleRtt - this.minRttMs;
    if (stays <= 2 * this.#ownMs) return this.#newPath();
    this.#foreignMs = stays;
    this.#leastForeignMs = Math.min(this.#leastForeignMs, stays);
    this.#mostForeignMs = Math.max(this.#mostForeignMs, stays);
    this.#foreignProbes += 1;
    if (this.#foreignProbes < steadyProbes) return;
    if (this.#mostForeignMs - this.#leastForeignMs < Math.max(1, stays / 10)) this.#newPath();
    else this.#forgetForeign(stays);
  }

  /** What a round trip took with the window drained is what the path takes now. */
  #newPath(): void {
    this.#minRttMs = this.#cycleRtt;
    this.#forgetForeign(0);
  }

  #forgetForeign(foreignMs: number): void {
    this.#foreignMs = foreignMs;
    this.#leastForeignMs = Infinity;
    this.#mostForeignMs = this.#foreignProbes = 0;
  }

  #set(bytes: number, nowMs: number): void {
    const before = this.bytesAt(nowMs);
    this.#bytes = Math.round(Math.min(this.#mostBytes, Math.max(floorBytes, bytes)));
    this.#openedFrom = before;
    this.#openedMs = this.#bytes > before ? nowMs : -Infinity;
  }
}
