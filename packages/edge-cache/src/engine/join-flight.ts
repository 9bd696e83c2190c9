import { answeredShared } from './answer-filling.ts';
import { answerProblem } from './answer-problem.ts';
import type { EdgeState } from './edge-state.ts';
import type { Flight, FlightOutcome } from './flight.ts';
import type { Lookup } from './request-handler.ts';
import { concerns, fetchAndAnswer, mustBeAlone } from './serve-by-fetch.ts';

/**
 * Lets a request wait for a fetch that is under way; false where it has to look for itself. It does
 * what `serveByFetch` would do for a plain GET of what is not in memory, within the call: five hundred
 * players ask for the next part at once, and what each costs before the origin is asked comes on top
 * of the origin's hold for all of them.
 */
export function joinFlight(state: EdgeState, lookup: Lookup): boolean {
  const { channel, hints, request, responder, primary } = lookup;
  const flight = state.flights.get(primary);
  if (flight?.joined === undefined || !flight.anew) return false;
  if (flight.generation !== state.purges.generation) return false;
  const { honourRequestDirectives, limits } = channel.settings;
  const simple = request.method === 'GET' && !hints.conditional && hints.range === undefined;
  const honoured = honourRequestDirectives && hints.cacheControl !== undefined;
  if (!simple || honoured || !responder.takesPrepared || mustBeAlone(state, lookup)) return false;
  const { concurrentRequests: limit } = limits;
  if (limit > 0 && channel.concurrentRequests >= limit) return false;
  channel.concurrentRequests += 1;
  state.counters.misses += 1;
  channel.counters.misses += 1;
  flight.joined.push((outcome) => answerJoined(state, lookup, { flight, outcome }));
  return true;
}

function answerJoined(
  state: EdgeState,
  lookup: Lookup,
  reached: { readonly flight: Flight; readonly outcome: FlightOutcome | undefined },
): void {
  const { flight, outcome } = reached;
  try {
    const answered =
      outcome?.kind === 'filling' &&
      concerns(lookup, outcome) &&
      answeredShared(state, lookup, { outcome, why });
    if (answered) {
      state.counters.collapsed += 1;
      lookup.channel.concurrentRequests -= 1;
    } else void answerOtherwise(state, lookup, flight);
  } catch (error) {
    lookup.channel.concurrentRequests -= 1;
    answerProblem(state, lookup, error);
  }
}

/** What came is another variant, for one user, still coming in, or a failure. */
async function answerOtherwise(state: EdgeState, lookup: Lookup, joined: Flight): Promise<void> {
  try {
    await fetchAndAnswer(state, lookup, { stored: undefined, why, alone: false, joined });
  } catch (error) {
    answerProblem(state, lookup, error);
  } finally {
    lookup.channel.concurrentRequests -= 1;
  }
}

const why = 'uri-miss';
