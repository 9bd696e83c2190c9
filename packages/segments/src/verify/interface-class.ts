import type { ElementIndex } from './element-index.ts';

/** Where rules look at the interface of arrival. */
export interface InterfaceTest {
  readonly index: ElementIndex;
  readonly position: number;
}

/** By name where the set has it, so that it does not matter how many others the set has. */
export function classify({ index, position }: InterfaceTest, name: string): string {
  if (index.names(position, name)) return name;
  return index
    .others(position)
    .map(({ parts }) => {
      const part = parts[position];
      return part?.kind === 'starts' && name.startsWith(part.text) ? '1' : '0';
    })
    .join('');
}
