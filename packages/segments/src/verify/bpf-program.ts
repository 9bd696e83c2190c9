import type { BpfInstruction } from '../state/node-state.ts';

/** SKF_AD_OFF + SKF_AD_MARK (linux/filter.h). */
const markOffset = 0xfffff014;
const loadAbsolute = 0x20;
const jumpIfEqual = 0x15;
const jumpAlways = 0x05;
const returnConstant = 0x06;
/** TC_ACT_OK, TC_ACT_SHOT; -1 leaves the decision to the next filter. */
const shot = 2;

/**
 * Whether a classic BPF program of tc lets a frame with this mark leave, by running it. `undefined`
 * is a mark that is not known: then any way through the program counts. An instruction that loads or
 * compares something but the mark takes both ways; one that is not known lets everything leave.
 */
export function passesFilter(
  program: readonly BpfInstruction[],
  mark: number | undefined,
): boolean {
  const pending = [{ at: 0, loaded: false }];
  const seen = new Set<string>();
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    const key = `${state.at} ${state.loaded}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const instruction = program[state.at];
    // A program that runs off its end is none that the kernel takes.
    if (instruction === undefined) return true;
    const { code, jt, jf, k } = instruction;
    const next = state.at + 1;
    switch (code) {
      case loadAbsolute:
        pending.push({ at: next, loaded: k >>> 0 === markOffset });
        break;
      case jumpAlways:
        pending.push({ ...state, at: next + k });
        break;
      case jumpIfEqual: {
        const sure = state.loaded && mark !== undefined;
        if (!sure || mark === k >>> 0) pending.push({ ...state, at: next + jt });
        if (!sure || mark !== k >>> 0) pending.push({ ...state, at: next + jf });
        break;
      }
      case returnConstant:
        if (k !== shot) return true;
        break;
      default:
        return true;
    }
  }
  return false;
}
