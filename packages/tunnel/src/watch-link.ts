import type { TunnelLimits } from './limits.ts';
import type { Link } from './link.ts';
import type { Role } from './peer-streams.ts';

/** A server asks later than its clients: if both did at once, each idle tunnel would cost twice. */
const serverPatience = 1.25;
/** So many silences without an answer, and a connection is given up. */
const silences = 2.5;
/** A process that stood still sees its timers before what has arrived meanwhile: it gets a moment. */
const doubtMs = 100;
/** Idle sessions are looked at together, so that thousands of them wake a process a few times a second. */
const gridMs = 100;

/** What is to be done about a connection now, and when it is to be looked at again. */
export type LinkStep =
  | { readonly kind: 'wait' | 'ask' | 'doubt'; readonly untilMs: number }
  | { readonly kind: 'give up' };

/** Whether a connection lives: judged by when anything was heard on it last. */
export function watchLink(
  link: Pick<Link, 'startedMs' | 'heardMs' | 'greeted' | 'asked' | 'doubted'>,
  at: {
    readonly nowMs: number;
    readonly role: Role;
    readonly limits: Pick<TunnelLimits, 'keepaliveMs' | 'handshakeMs'>;
    /** Something was sent, and nothing that was asked will say whether it has arrived. */
    readonly owesAnswer: boolean;
  },
): LinkStep {
  const { nowMs, role, limits, owesAnswer } = at;
  const { keepaliveMs, handshakeMs } = limits;
  const { greeted, heardMs, asked } = link;
  const deadMs = greeted ? heardMs + silences * keepaliveMs : link.startedMs + handshakeMs;
  if (nowMs >= deadMs) {
    if (link.doubted || !greeted) return { kind: 'give up' };
    return { kind: 'doubt', untilMs: nowMs + doubtMs };
  }
  if (!greeted) return { kind: 'wait', untilMs: deadMs };
  const quietMs = keepaliveMs * (role === 'server' ? serverPatience : 1);
  const asks = !asked && (owesAnswer || nowMs - heardMs >= quietMs);
  const nextMs = Math.min(deadMs, asked || asks ? nowMs + keepaliveMs : heardMs + quietMs);
  return { kind: asks ? 'ask' : 'wait', untilMs: Math.ceil(nextMs / gridMs) * gridMs };
}
