import type { BpfInstruction, GuardRule } from '../state/node-state.ts';

const loadByte = 0x30;
const loadHalf = 0x28;
const loadWord = 0x20;
/** Relative to X, the length of IPv4's header, which {@link loadHeaderLength} sets. */
const loadHalfBehind = 0x48;
const loadWordBehind = 0x40;
const loadHeaderLength = 0xb1;
const subtractX = 0x1c;
const shiftRight = 0x74;
const equal = 0x15;
const greater = 0x25;
const atLeast = 0x35;
const anyBit = 0x45;
const jump = 0x05;
const answer = 0x06;
/** SKF_AD_OFF + SKF_AD_PROTOCOL (linux/filter.h): the EtherType, without a tag. */
const protocolOffset = 0xfffff000;
/** TC_ACT_SHOT and TC_ACT_OK. */
const drop = 2;
const pass = 0;
const udp = 17;
/** IPv6's headers that may come before UDP: hop-by-hop, routing, fragment, destination. */
const extensions = [0, 43, 44, 60];
/** UDP's and VXLAN's header. */
const headers = 16;
/** Stands for a jump to where the word in A is looked for among the VNIs, behind all else. */
const toSearch: BpfInstruction = { code: jump, jt: 0, jf: 0, k: 0 };
/** Below that, ranges are compared one after the other. */
const fewRanges = 3;

/**
 * Drops UDP to the VXLAN port with a VNI of the ranges, and what would hide one: a first fragment
 * that ends before the VNI, and UDP behind more than one of IPv6's extension headers. A load beyond
 * the packet's end lets it pass, so lengths are looked at first, and those of IP: behind a short
 * packet may be padding.
 */
export function guardProgram({ ethernet, vxlanPort, vnis }: GuardRule): readonly BpfInstruction[] {
  const ip = ethernet ? 14 : 0;
  const four = [
    load(loadByte, ip + 9),
    ...unless(equal, udp, pass),
    load(loadHalf, ip + 6),
    // Not the first fragment: it is nothing without the first.
    ...when(anyBit, 0x1fff, pass),
    load(loadHeaderLength, ip),
    load(loadHalfBehind, ip + 2),
    ...unless(equal, vxlanPort, pass),
    load(loadHalf, ip + 2),
    load(subtractX, 0),
    ...unless(atLeast, headers, drop),
    load(loadWordBehind, ip + 12),
    toSearch,
  ];
  const fragment = [
    load(loadByte, ip + 40),
    ...extensions.flatMap((header) => when(equal, header, drop)),
    ...unless(equal, udp, pass),
    load(loadHalf, ip + 42),
    ...when(anyBit, 0xfff8, pass),
    load(loadHalf, ip + 50),
    ...unless(equal, vxlanPort, pass),
    load(loadHalf, ip + 4),
    ...unless(atLeast, headers + 8, drop),
    load(loadWord, ip + 60),
    toSearch,
  ];
  const otherExtension = [
    load(loadByte, ip + 40),
    ...[udp, ...extensions].flatMap((header) => when(equal, header, drop)),
    answerWith(pass),
  ];
  const plainUdp = [
    load(loadHalf, ip + 42),
    ...unless(equal, vxlanPort, pass),
    load(loadHalf, ip + 4),
    ...unless(atLeast, headers, drop),
    load(loadWord, ip + 52),
    toSearch,
  ];
  const six = [
    load(loadByte, ip + 6),
    ...branch(udp, plainUdp),
    ...branch(44, fragment),
    ...[0, 43, 60].flatMap((header) => branch(header, otherExtension)),
    answerWith(pass),
  ];
  const head = [
    load(loadHalf, protocolOffset),
    ...branch(0x0800, four),
    ...unless(equal, 0x86dd, pass),
    ...six,
  ];
  return [
    ...head.map((one, at) => (one === toSearch ? skip(head.length - at - 1) : one)),
    // A VNI is the upper 24 bits of the word in A.
    load(shiftRight, 8),
    ...tree(vnis),
  ];
}

function tree(vnis: GuardRule['vnis']): readonly BpfInstruction[] {
  if (vnis.length <= fewRanges) {
    const ranges = vnis.flatMap(([first, last]) => [
      ...unless(atLeast, first, pass),
      ...unless(greater, last, drop),
    ]);
    return [...ranges, answerWith(pass)];
  }
  const middle = vnis.length >> 1;
  const left = tree(vnis.slice(0, middle));
  const right = tree(vnis.slice(middle));
  return [
    { code: atLeast, jt: 0, jf: 1, k: vnis[middle]?.[0] ?? 0 },
    skip(left.length),
    ...left,
    ...right,
  ];
}

/** The block where A is a value; it answers itself. A jump that depends on something is one byte wide. */
function branch(value: number, block: readonly BpfInstruction[]): readonly BpfInstruction[] {
  return [{ code: equal, jt: 1, jf: 0, k: value }, skip(block.length), ...block];
}

function when(code: number, k: number, action: number): readonly BpfInstruction[] {
  return [{ code, jt: 0, jf: 1, k }, answerWith(action)];
}

function unless(code: number, k: number, action: number): readonly BpfInstruction[] {
  return [{ code, jt: 1, jf: 0, k }, answerWith(action)];
}

function load(code: number, k: number): BpfInstruction {
  return { code, jt: 0, jf: 0, k };
}

function skip(k: number): BpfInstruction {
  return { code: jump, jt: 0, jf: 0, k };
}

function answerWith(k: number): BpfInstruction {
  return { code: answer, jt: 0, jf: 0, k };
}
