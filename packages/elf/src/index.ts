// Filled in by the first module of this package.
export type { Clock } from '@tapline/base';
