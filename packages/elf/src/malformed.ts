import { TaplineError } from '@tapline/base';

/** `offset` is where in the file the wrong thing is. */
export function malformed(what: string, offset: number): TaplineError {
  return new TaplineError(
    'elf_malformed',
    `malformed ELF file: ${what} (at offset 0x${offset.toString(16)})`,
    { details: { offset } },
  );
}
