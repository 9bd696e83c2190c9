import {
  Cpu,
  cpuLayout,
  GuestMachine,
  guestPageSize,
  Interpreter,
  LinearMemory,
  lowestGuestAddress,
  pagePermission,
  type Stop,
} from '@tapline/a64';
import { type Rng, seededRng } from '@tapline/base';
import { oracleEnvironment } from './interpret-cases.ts';
import { codePointer, programLength, type ProgramSource, pointers } from './random-program.ts';
import { randomLong, randomWord } from './random-state.ts';

const code = 0x210000;
const data = 0x220000;
const memorySize = 0x240000;
const dataSize = 2 * guestPageSize;
/** What is in pages that the guest has not. */
const canary = 0xa5;
const codeSize = programLength * 4;
const fuel = 2000;
const { read, write, execute } = pagePermission;

interface Engine {
  readonly name: string;
  readonly cpu: Cpu;
  run(fuel: number): Stop;
}

const engines: Readonly<Record<string, () => Engine>> = {
  interpreter: () => {
    const memory = new LinearMemory(
      new ArrayBuffer(memorySize),
      new Uint8Array(memorySize / guestPageSize),
    );
    const buffer = new ArrayBuffer(cpuLayout.size);
    const cpu = new Cpu(memory, { environment: oracleEnvironment, buffer, offset: 0 });
    const interpreter = new Interpreter();
    return { name: 'interpreter', cpu, run: (some) => interpreter.run(cpu, some) };
  },
  'cold code': () => machine('cold code', 0),
  'translated while it runs': () => machine('translated while it runs', 2),
  'translated before': () => {
    const made = machine('translated before', 0);
    return {
      ...made,
      run(some) {
        made.guest.translate([code, code + 40, code + 120]);
        return made.run(some);
      },
    };
  },
};

function machine(name: string, hotAfter: number): Engine & { readonly guest: GuestMachine } {
  const guest = new GuestMachine({ bytes: memorySize, environment: oracleEnvironment, hotAfter });
  return { name, guest, cpu: guest.cpu, run: (some) => guest.run(some) };
}

/** Runs one program in each way; what is wrong with it, or undefined. */
export function runRandomProgram(seed: number, source: ProgramSource): string | undefined {
  const rng = seededRng(seed);
  const words = source(rng);
  // Code that may be written to is not compared: when a change is seen differs.
  const writable = rng() < 0.1;
  const stateSeed = randomWord(rng);
  let first: string | undefined;
  for (const [name, make] of Object.entries(engines)) {
    const engine = make();
    fill(engine, { words, writable, rng: seededRng(stateSeed) });
    const before = reserved(engine);
    const stops = runOn(engine, name === 'interpreter' ? fuel : 4 * fuel);
    if (!unchanged(engine, before)) return `${name}: memory outside of its pages has changed`;
    if (writable) continue;
    const end = `${stops.join('\n')}\n${stateOf(engine)}`;
    if (name === 'interpreter') {
      // Only that the others come back, where it does not end.
      first = stops.at(-1) === outOfFuel ? '' : end;
    } else if (first !== '' && stops.at(-1) !== outOfFuel && end !== first) {
      return `${name}:\n${end}\ninterpreter:\n${String(first)}`;
    }
  }
  return undefined;
}

const mostStops = 16;
const outOfFuel = 'fuel';

/** Goes on after what stops it, as a program that has a handler for each signal. */
function runOn(engine: Engine, most: number): readonly string[] {
  const stops: string[] = [];
  const { cpu } = engine;
  while (stops.length < mostStops) {
    const stop = engine.run(most);
    stops.push(
      stop.kind === 'fuel' ? outOfFuel : `${cpu.pc.toString(16)} ${JSON.stringify(stop, text)}`,
    );
    if (stop.kind === 'fuel') break;
    const inside = cpu.pc >= BigInt(code) && cpu.pc < BigInt(code + codeSize) && cpu.pc % 4n === 0n;
    // A system call has been gone over already.
    if (!inside) cpu.pc = BigInt(code + 16 * stops.length);
    else if (stop.kind !== 'system-call') cpu.pc += 4n;
  }
  return stops;
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}

function fill(
  { cpu }: Engine,
  what: { readonly words: readonly number[]; readonly writable: boolean; readonly rng: Rng },
): void {
  const { words, writable, rng } = what;
  const { memory } = cpu;
  memory.bytesAt(lowestGuestAddress, memorySize - lowestGuestAddress).fill(canary);
  const more = writable ? write : 0;
  memory.protect(code, { length: guestPageSize, permissions: read | execute | more });
  memory.protect(data, { length: dataSize, permissions: read | write });
  memory.bytesAt(code, guestPageSize).fill(0);
  for (const [at, word] of words.entries()) memory.write(code + at * 4, BigInt(word), 2);
  const bytes = memory.bytesAt(data, dataSize);
  for (let at = 0; at < dataSize; at++) bytes[at] = rng() < 0.5 ? 0 : Math.floor(rng() * 256);
  for (let register = 0; register < 31; register++) {
    cpu.setX(register, rng() < 0.5 ? BigInt(Math.floor(rng() * 64)) : randomLong(rng));
  }
  const middle = data + dataSize / 2;
  for (const [at, register] of pointers.entries()) {
    const place = writable && at === 0 ? code + 128 : middle + (at - 4) * 64;
    cpu.setX(register, BigInt(place));
  }
  cpu.setX(codePointer, BigInt(code + 4 * Math.floor(rng() * words.length)));
  cpu.setX(31, BigInt(middle));
  const vectors = new BigUint64Array(64);
  for (let at = 0; at < 64; at++) vectors[at] = rng() < 0.3 ? 0x3ff0000000000000n : randomLong(rng);
  cpu.state.set(new Uint8Array(vectors.buffer), cpuLayout.vector);
  cpu.nzcv = 0;
  cpu.fpcr = 0;
  cpu.fpsr = rng() < 0.5 ? 16 : 0;
  cpu.threadPointer = 0n;
  cpu.reservation = undefined;
  cpu.pc = BigInt(code);
}

/** All that is not the program's to write: every page but two of data, and what pages may. */
function reserved({ cpu: { memory } }: Engine): readonly Uint8Array[] {
  return [
    memory.bytesAt(lowestGuestAddress, code - lowestGuestAddress),
    memory.bytesAt(code + guestPageSize, data - code - guestPageSize),
    memory.bytesAt(data + dataSize, memorySize - data - dataSize),
    Uint8Array.from({ length: memorySize / guestPageSize }, (_, page) =>
      memory.permissionsOf(page * guestPageSize),
    ),
  ].map((bytes) => bytes.slice());
}

function unchanged(engine: Engine, before: readonly Uint8Array[]): boolean {
  return reserved(engine).every((bytes, at) => Buffer.compare(bytes, before[at] ?? bytes) === 0);
}

function stateOf({ cpu }: Engine): string {
  const { memory, state } = cpu;
  const longs = new BigUint64Array(state.slice(0, 256).buffer);
  const registers = [...longs].map((value, at) => `${at}:${value.toString(16)}`).join(' ');
  const { pc, nzcv, fpsr, fpcr } = cpu;
  const flags = `pc ${pc.toString(16)} nzcv ${nzcv} fpsr ${fpsr.toString(16)} fpcr ${fpcr.toString(16)}`;
  const vectors = hex(state.subarray(cpuLayout.vector, cpuLayout.vector + 512));
  return `${flags} ${registers} ${vectors} ${hex(memory.bytesAt(data, dataSize))}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
