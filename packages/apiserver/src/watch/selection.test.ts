import { installResource } from '@tapline/resources';
import { describe, expect, test } from 'vitest';
import { serveKind } from '../served-kind.ts';
import { isSelected, parseSelection } from './selection.ts';

const kind = serveKind(installResource);
const object = {
  apiVersion: kind.apiVersion,
  kind: kind.kind,
  metadata: { name: 'd1.jq', labels: { team: 'design' } },
  spec: { device: 'd1' },
};

describe('an object', () => {
  test.each([
    ['', true],
    ['metadata.name=d1.jq', true],
    ['metadata.name!=d1.jq', false],
    ['spec.device=d1,metadata.name!=x', true],
    ['spec.device=d1,metadata.name=x', false],
    ['spec.delivery=', true],
    ['spec.delivery!=', false],
    ['spec.delivery=Ready', false],
  ])('with fields %j: %s', (fieldSelector, expected) => {
    expect(isSelected(parseSelection(kind, { fieldSelector }), { object })).toBe(expected);
  });

  test('is selected by fields and labels together', () => {
    const fieldSelector = 'spec.device=d1';
    const design = parseSelection(kind, { fieldSelector, labelSelector: 'team=design' });
    const sales = parseSelection(kind, { fieldSelector, labelSelector: 'team=sales' });
    expect(isSelected(design, { object })).toBe(true);
    expect(isSelected(sales, { object })).toBe(false);
  });
});

test('an index is used for a value that is demanded, not for one that is excluded or absent', () => {
  const indexed = (fieldSelector: string) => parseSelection(kind, { fieldSelector }).indexed;
  expect(indexed('metadata.name!=x,spec.device=d1')).toEqual({ field: 'spec.device', value: 'd1' });
  expect(indexed('spec.device!=d1')).toBeUndefined();
  expect(indexed('spec.device=')).toBeUndefined();
});
