// gABI chapters 4 and 5, and the GNU extensions in glibc's elf.h.

export const elfHeaderSize = 64;
export const programHeaderSize = 56;
export const sectionHeaderSize = 64;
export const dynamicEntrySize = 16;
export const symbolSize = 24;

export const segmentType = {
  load: 1,
  dynamic: 2,
  interpreter: 3,
  note: 4,
  programHeaders: 6,
} as const;

export const segmentFlag = { write: 2, read: 4 } as const;

export const sectionType = {
  programBits: 1,
  stringTable: 3,
  dynamic: 6,
  noBits: 8,
  dynamicSymbols: 11,
} as const;

export const dynamicTag = {
  null: 0,
  needed: 1,
  pltGot: 3,
  hash: 4,
  stringTable: 5,
  symbolTable: 6,
  stringTableSize: 10,
  soname: 14,
  rpath: 15,
  runpath: 29,
  config: 0x6ffffefa,
  dependencyAudit: 0x6ffffefb,
  audit: 0x6ffffefc,
  flags1: 0x6ffffffb,
  versionDefinitions: 0x6ffffffc,
  versionDefinitionCount: 0x6ffffffd,
  versionNeeds: 0x6ffffffe,
  versionNeedCount: 0x6fffffff,
  auxiliary: 0x7ffffffd,
  filter: 0x7fffffff,
} as const;

/** DF_1_PIE of DT_FLAGS_1. */
export const flag1Pie = 0x08000000n;
