import { createHash } from 'node:crypto';
import { defined, isTaplineError, type TaplineError } from '@tapline/base';
import type { BuiltProfile, ProfileGrant } from '@tapline/profiles';
import { type Enrolment, type EnrolmentStatus, setCondition } from '@tapline/resources';
import { profileOfEnrolment } from './profile-of-enrolment.ts';

export interface EnrolmentPlan {
  readonly status: EnrolmentStatus;
  /** When the next step is due by itself: the link ends. */
  readonly againAtMs: number | undefined;
}

const longestWarning = 1024;
const mostWarnings = 64;

/** What an Enrolment's status has to be: its link, or why there is none. */
export function planEnrolment(
  enrolment: Enrolment,
  about: { readonly nowMs: number; readonly urlOf: (grant: ProfileGrant) => string },
): EnrolmentPlan {
  const { metadata, spec, status = {} } = enrolment;
  const built = build(enrolment);
  const { link } = spec;
  // A link is made once; what it leads to may change.
  const sameLink = status.linkGeneration === link.generation && status.expiresAt !== undefined;
  const expiresMs = sameLink
    ? Date.parse(status.expiresAt ?? '')
    : Math.floor(about.nowMs / 1000) * 1000 + link.seconds * 1000;
  const expired = expiresMs <= about.nowMs;
  const failure = 'code' in built ? built : undefined;
  const profile = 'code' in built ? undefined : built;
  const usable = profile !== undefined && !expired && !link.revoked;
  const grant = { uid: metadata.uid ?? '', generation: link.generation, expiresMs };
  const {
    url: _url,
    uuid: _uuid,
    digest: _digest,
    warnings: _warnings,
    error: _error,
    ...kept
  } = status;
  const warnings = (profile?.findings ?? [])
    .slice(0, mostWarnings)
    .map(({ message }) => message.slice(0, longestWarning));
  return {
    status: {
      ...kept,
      observedGeneration: metadata.generation ?? 0,
      linkGeneration: link.generation,
      expiresAt: new Date(expiresMs).toISOString(),
      conditions: setCondition(
        status.conditions,
        {
          type: 'Ready',
          ...ready({ failure, expired, revoked: link.revoked }),
          observedGeneration: metadata.generation ?? 0,
        },
        about.nowMs,
      ),
      ...(usable && { url: about.urlOf(grant) }),
      ...(profile && {
        uuid: profile.uuid,
        digest: `sha256:${createHash('sha256').update(profile.bytes).digest('hex')}`,
      }),
      ...(warnings.length > 0 && { warnings }),
      ...(failure && {
        error: {
          code: failure.code,
          message: failure.message,
          ...defined({ hint: failure.hint }),
        },
      }),
    },
    againAtMs: usable ? expiresMs : undefined,
  };
}

function build(enrolment: Enrolment): BuiltProfile | TaplineError {
  try {
    return profileOfEnrolment(enrolment);
  } catch (error) {
    if (isTaplineError(error)) return error;
    throw error;
  }
}

function ready(state: {
  readonly failure: TaplineError | undefined;
  readonly expired: boolean;
  readonly revoked: boolean;
}): { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string } {
  if (state.failure !== undefined) {
    return { status: 'False', reason: 'Invalid', message: state.failure.message };
  }
  if (state.revoked) {
    return { status: 'False', reason: 'Revoked', message: 'its link was revoked' };
  }
  if (state.expired) {
    const message = 'its link has expired; a higher spec.link.generation makes another';
    return { status: 'False', reason: 'Expired', message };
  }
  return { status: 'True', reason: 'Served', message: 'devices can fetch it' };
}
