/** Header fields of a 64-bit little-endian ELF file (gABI, "ELF Header"). */
export interface ElfHeader {
  readonly type: 'executable' | 'shared';
  readonly machine: 'x86_64' | 'aarch64';
  readonly entry: number;
  readonly programHeaderOffset: number;
  readonly programHeaderCount: number;
  readonly sectionHeaderOffset: number;
  readonly sectionHeaderCount: number;
  readonly sectionNameIndex: number;
}

/** One segment (gABI, "Program Header"). */
export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly virtualAddress: number;
  /** Of no meaning on the systems Tapline knows; kept as it is. */
  readonly physicalAddress: bigint;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

/** One section (gABI, "Sections"). */
export interface SectionHeader {
  readonly name: string;
  readonly nameOffset: number;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly addressAlign: number;
  readonly entrySize: number;
}

/** One entry of the dynamic section up to, not with, DT_NULL. */
export interface DynamicEntry {
  readonly tag: number;
  readonly value: bigint;
}

export interface ElfFile {
  readonly header: ElfHeader;
  readonly programHeaders: readonly ProgramHeader[];
  /** Empty when they were stripped. */
  readonly sectionHeaders: readonly SectionHeader[];
  /** Empty when the file is static. */
  readonly dynamic: readonly DynamicEntry[];
  /** `pie` is an executable that can be loaded anywhere, a static one included. */
  readonly kind: 'executable' | 'pie' | 'shared';
  /** `static` is a program that no dynamic loader starts. */
  readonly linking: 'static' | 'dynamic';
  readonly interpreter?: string;
  readonly rpath?: string;
  readonly runpath?: string;
  readonly needed: readonly string[];
  readonly soname?: string;
  /** Lower-case hexadecimal content of NT_GNU_BUILD_ID. */
  readonly buildId?: string;
}
