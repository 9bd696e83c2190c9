import { TaplineError } from '@tapline/base';

/** One field that is wrong, as Kubernetes's Status details list it. */
export interface Cause {
  /** `FieldValueRequired`, `FieldValueInvalid`, … */
  readonly reason: string;
  readonly message: string;
  /** Such as `spec.strategy.waves[0]`. */
  readonly field?: string;
}

/** What names a kind in messages. */
export interface KindLabel {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
}

/** `installs.tapline.dev`, or `events` in the core group. */
export function qualifiedResource(kind: KindLabel): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
}

/** An API error: what TaplineError has, and what Status details say. */
export function apiError(
  code: string,
  message: string,
  details: {
    readonly about?: KindLabel;
    readonly name?: string;
    readonly uid?: string;
    readonly causes?: readonly Cause[];
    readonly retryAfterSeconds?: number;
    readonly cause?: unknown;
  } = {},
): TaplineError {
  const { about, cause, ...rest } = details;
  return new TaplineError(code, message, {
    cause,
    details: about === undefined ? rest : { ...rest, group: about.group, kind: about.plural },
  });
}

export function notFound(about: KindLabel, name: string): TaplineError {
  return apiError('not_found', `${qualifiedResource(about)} "${name}" not found`, { about, name });
}

export function alreadyExists(about: KindLabel, name: string): TaplineError {
  return apiError('already_exists', `${qualifiedResource(about)} "${name}" already exists`, {
    about,
    name,
  });
}

export function conflict(about: KindLabel, name: string, why: string): TaplineError {
  return apiError(
    'conflict',
    `Operation cannot be fulfilled on ${qualifiedResource(about)} "${name}": ${why}`,
    { about, name },
  );
}

/** Clients know this wording: it means read again and retry. */
export function modifiedMeanwhile(about: KindLabel, name: string): TaplineError {
  return conflict(
    about,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );
}

export function invalid(about: KindLabel, name: string, causes: readonly Cause[]): TaplineError {
  const qualified = about.group === '' ? about.kind : `${about.kind}.${about.group}`;
  const texts = causes.map(({ field, message }) =>
    field === undefined || field === '' ? message : `${field}: ${message}`,
  );
  const [only = 'invalid'] = texts;
  const list = texts.length <= 1 ? only : `[${texts.join(', ')}]`;
  return new TaplineError('invalid', `${qualified} "${name}" is invalid: ${list}`, {
    details: { group: about.group, kind: about.kind, name, causes },
  });
}

export function badRequest(message: string, causes: readonly Cause[] = []): TaplineError {
  return apiError('bad_request', message, { causes });
}

export function expired(message: string): TaplineError {
  return apiError('expired', message);
}
