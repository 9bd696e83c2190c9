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

  get bytes(): number {
    return this.#bytes;
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
    // What was sent before the cycle began tells of the window before.
    if (sentMs < this.#cycleMs) return;
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
    else this.#adapt();
    this.#begin(nowMs);
  }

  /** Delay of ours to allow: a share of the path's, so that jitter does not cost throughput. */
  get #ownMs(): number {
    return Math.min(4, Math.max(1, this.minRttMs / 32));
  }

  #adapt(): void {
    const base = this.minRttMs + this.#foreignMs;
    const target = this.#ownMs + this.#foreignMs;
    const queued = this.#cycleRtt - base;
    if (queued >= target) {
      this.#starting = false;
      this.#quietCycles = 0;
      this.#suspiciousCycles = queued > suspicious * target ? this.#suspiciousCycles + 1 : 0;
      const fit = (this.#bytes * (base + target)) / this.#cycleRtt;
      this.#set(Math.max(fit, this.#bytes / 2));
      return;
    }
    this.#suspiciousCycles = 0;
    if (!this.#cycleLimited) return;
    if (this.#starting) {
      this.#set(queued < target / 2 ? this.#bytes * 2 : this.#bytes * 1.25);
      return;
    }
    // Growth shows a round trip later. So it is small against that, and doubles while nothing shows.
    this.#quietCycles = queued < target / 2 ? this.#quietCycles + 1 : 0;
    const step = ((target - queued) / Math.max(base, target)) * 2 ** this.#quietCycles;
    this.#set(this.#bytes * (1 + Math.min(0.25, step)));
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
    this.#set(Math.min(this.#bytes / 2, (this.#rate * this.minRttMs) / 2));
  }

  #endDrain(nowMs: number): void {
    this.#draining = false;
    this.#suspiciousCycles = 0;
    this.#probedMs = nowMs;
    this.#set(this.#beforeDrain);
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

  #set(bytes: number): void {
    this.#bytes = Math.round(Math.min(this.#mostBytes, Math.max(floorBytes, bytes)));
  }
}
