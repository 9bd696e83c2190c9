import { guardHandle } from '../names/guard-handle.ts';
import { isSegmentInterface } from '../names/interface-names.ts';
import type {
  ArrivalMark,
  BpfInstruction,
  EgressFilter,
  ForeignFilter,
  UnderlayGuard,
} from '../state/node-state.ts';
import { deviceName } from './device-name.ts';
import { readArrival } from './read-arrival.ts';
import {
  assertLength,
  flag,
  type JsonRecord,
  malformed,
  number,
  optionalNumber,
  optionalRecord,
  optionalText,
  parseJson,
  readRecords,
  recordsOf,
  text,
} from './json-records.ts';

const source = 'tc -j -batch';
const qdiscSource = 'tc -j qdisc';
/** BPF_MAXINSNS of the kernel. */
const maxInstructions = 4096;
const hooks = new Set(['clsact', 'ingress']);

export interface NodeFilters {
  readonly egress: readonly EgressFilter[];
  readonly foreign: readonly ForeignFilter[];
  readonly guards: readonly UnderlayGuard[];
  readonly arrivals: readonly ArrivalMark[];
  /** Devices that have a place for filters. */
  readonly hooks: readonly string[];
}

/**
 * Input of `tc -j -batch -`, from the output of `tc -j qdisc show`: the filters of all devices that
 * can have some, in one process.
 */
export function filterBatch(qdiscs: string): string {
  return hookedDevices(qdiscs)
    .map((dev) => `filter show dev ${dev} egress\nfilter show dev ${dev} ingress\n`)
    .join('');
}

/**
 * Reads what `tc -j -batch -` prints for {@link filterBatch} of the same `qdiscs`: two lists for each
 * device, without its name. Throws `observation_invalid` where a device went away in between, after
 * which tc stops; the node is then to be read again.
 */
export function parseFilters(qdiscs: string, output: string): NodeFilters {
  assertLength(output, source);
  const devices = hookedDevices(qdiscs);
  const lists = output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => recordsOf(parseJson(line, source), source));
  if (lists.length !== devices.length * 2) {
    throw malformed(source, `${lists.length} lists, not two for each of ${devices.length} devices`);
  }
  const found = devices.flatMap((dev, index) => [
    ...readFilters(lists[index * 2] ?? [], dev, 'egress'),
    ...readFilters(lists[index * 2 + 1] ?? [], dev, 'ingress'),
  ]);
  return {
    egress: found.flatMap(({ egress }) => egress ?? []),
    foreign: found.flatMap(({ foreign }) => foreign ?? []),
    guards: found.flatMap(({ guard }) => guard ?? []),
    arrivals: found.flatMap(({ arrival }) => arrival ?? []),
    hooks: devices,
  };
}

function hookedDevices(qdiscs: string): readonly string[] {
  const hooked = readRecords(qdiscs, qdiscSource).filter((record) =>
    hooks.has(text(record, 'kind', qdiscSource)),
  );
  return [...new Set(hooked.map((record) => deviceName(record['dev'], qdiscSource)))];
}

interface FoundFilter {
  readonly egress?: EgressFilter;
  readonly guard?: UnderlayGuard;
  readonly arrival?: ArrivalMark;
  readonly foreign?: ForeignFilter;
}

/** tc prints a head for each preference, and then each filter with its options. */
function readFilters(
  records: readonly JsonRecord[],
  dev: string,
  direction: ForeignFilter['direction'],
): readonly FoundFilter[] {
  return records
    .filter((record) => record['options'] !== undefined)
    .map((record) => {
      const options = optionalRecord(record, 'options', source) ?? {};
      const kind = text(record, 'kind', source);
      const preference = number(record, 'pref', source);
      const arrival =
        direction === 'ingress' ? readArrival(record, { dev, preference }) : undefined;
      if (arrival !== undefined) return { arrival };
      const program = readProgram(options);
      const whole =
        kind === 'bpf' &&
        optionalText(record, 'protocol', source) === 'all' &&
        (optionalNumber(record, 'chain', source) ?? 0) === 0 &&
        flag(options, 'direct-action', source) &&
        options['actions'] === undefined;
      if (!whole || program === undefined) return { foreign: { dev, direction, kind, preference } };
      if (direction === 'egress') return { egress: { dev, preference, program } };
      // Somebody else's, too, may be at the ingress of the underlay's device.
      return options['handle'] === guardHandle && !isSegmentInterface(dev)
        ? { guard: { dev, preference, program } }
        : { foreign: { dev, direction, kind, preference } };
    });
}

/** Undefined for a loaded program (eBPF), which tc shows by name only. */
function readProgram(options: JsonRecord): readonly BpfInstruction[] | undefined {
  const bytecode = optionalRecord(options, 'bytecode', source);
  if (bytecode === undefined) return undefined;
  const instructions = recordsOf(bytecode['insns'] ?? [], source);
  if (instructions.length > maxInstructions) {
    throw malformed(source, `${instructions.length} instructions exceed ${maxInstructions}`);
  }
  return instructions.map((record) => ({
    code: number(record, 'code', source),
    jt: number(record, 'jt', source),
    jf: number(record, 'jf', source),
    k: number(record, 'k', source),
  }));
}
