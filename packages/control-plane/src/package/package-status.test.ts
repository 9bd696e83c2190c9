import { describe, expect, it } from 'vitest';
import { type Package, type PackageStatus } from '@tapline/resources';
import type { BuiltPackage } from './package-source.ts';
import { statusBuilt, statusDuring, statusFailed } from './package-status.ts';

const nowMs = Date.UTC(2026, 0, 1);
const digest = `sha256:${'a'.repeat(64)}`;

function pkg(status?: PackageStatus): Package {
  return {
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Package',
    metadata: { name: 'jq', generation: 3 },
    spec: { formula: 'jq', platforms: ['linux/amd64'] },
    ...(status === undefined ? {} : { status }),
  };
}

const built: BuiltPackage = {
  version: '1.7.1',
  repository: 'jq',
  digest,
  images: [{ platform: 'linux/amd64', digest, sizeBytes: 1, unpackedBytes: 2, layers: 1 }],
  failures: [],
  stages: { resolved: 1 },
};

/** `Built=False:BottleMissing` and so on. */
function summary({ conditions = [] }: PackageStatus): string {
  return conditions.map(({ type, status, reason }) => `${type}=${status}:${reason}`).join(' ');
}

describe('package status', () => {
  it('follows the stages', () => {
    expect(summary(statusDuring(pkg(), 'resolved', nowMs))).toBe(
      'Built=Unknown:Resolving Published=Unknown:Resolving Resolved=Unknown:Resolving',
    );
    expect(summary(statusDuring(pkg(), 'built', nowMs))).toBe(
      'Built=Unknown:Building Published=Unknown:Building Resolved=True:Resolved',
    );
    const status = statusBuilt(pkg(), built, nowMs);
    expect(summary(status)).toBe(
      'Built=True:Built Published=True:Published Resolved=True:Resolved',
    );
    expect(status.observedGeneration).toBe(3);
    expect(status.error).toBeUndefined();
  });

  it('names the platforms that could not be built', () => {
    const error = { code: 'bottle_missing', message: 'no bottle' };
    const failures = [{ platform: 'linux/arm64', error }];
    const status = statusBuilt(pkg(), { ...built, failures }, nowMs);
    expect(status.error).toEqual(error);
    expect(status.conditions?.find(({ type }) => type === 'Published')).toMatchObject({
      status: 'True',
      reason: 'PartlyPublished',
      message: 'jq 1.7.1 for linux/amd64; not for linux/arm64 (bottle_missing)',
    });
  });

  it('says False for good after a permanent failure', () => {
    const error = { code: 'formula_not_found', message: 'no such formula' };
    const status = statusFailed(pkg(), { stage: 'resolved', error }, nowMs);
    expect(summary(status)).toBe(
      'Built=False:FormulaNotFound Published=False:FormulaNotFound Resolved=False:FormulaNotFound',
    );
    expect(status.observedGeneration).toBe(3);
    expect(status.resolvedAt).toBe('2026-01-01T00:00:00.000Z');
  });

  it('leaves open what a retry may still do', () => {
    const error = { code: 'homebrew_unreachable', message: 'no route' };
    const status = statusFailed(pkg(), { stage: 'resolved', error }, nowMs);
    expect(summary(status)).toBe(
      'Built=Unknown:HomebrewUnreachable Published=Unknown:HomebrewUnreachable Resolved=False:HomebrewUnreachable',
    );
    expect(status.observedGeneration).toBeUndefined();
  });

  it('shows which stages were done before the one that failed', () => {
    const error = { code: 'digest_mismatch', message: 'other bytes' };
    const during = pkg(statusDuring(pkg(), 'resolved', nowMs));
    expect(summary(statusFailed(during, { stage: 'built', error }, nowMs))).toBe(
      'Built=False:DigestMismatch Published=Unknown:DigestMismatch Resolved=True:Resolved',
    );
  });

  it('keeps what was published available while Homebrew is unreachable', () => {
    const error = { code: 'homebrew_unreachable', message: 'no route' };
    const before = pkg(statusBuilt(pkg(), built, nowMs));
    const during = pkg(statusDuring(before, 'resolved', nowMs));
    const status = statusFailed(during, { stage: 'resolved', error }, nowMs + 1000);
    expect(summary(status)).toContain(
      'Published=True:Published Resolved=False:HomebrewUnreachable',
    );
    expect(status.images).toHaveLength(1);
    expect(status.resolvedAt).toBe('2026-01-01T00:00:00.000Z');
  });
});
