/** What is measured: a file of each name is in `kernels`. `O3` for what the compiler is to make vectors of. */
export const kernels: readonly { readonly name: string; readonly optimise: '-O2' | '-O3' }[] = [
  { name: 'integer', optimise: '-O2' },
  { name: 'floating', optimise: '-O2' },
  { name: 'sha256', optimise: '-O2' },
  { name: 'sort', optimise: '-O2' },
  { name: 'machine', optimise: '-O2' },
  { name: 'matrix', optimise: '-O3' },
];
