import { TaplineError } from '@tapline/base';

/** What somebody wants to know; `subject` is a word that may name an object. */
export type Intent =
  | { readonly kind: 'wrong'; readonly subject: string | undefined }
  | { readonly kind: 'done'; readonly subject: string | undefined }
  | { readonly kind: 'why-not'; readonly subject: string | undefined }
  | { readonly kind: 'would-do'; readonly subject: string | undefined }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'how-fast'; readonly subject: string | undefined }
  | { readonly kind: 'where'; readonly subject: string }
  | { readonly kind: 'unknown' };

const maxLength = 500;

/** Words that say what is asked, the more special ones first. */
const patterns: readonly (readonly [
  RegExp,
  Exclude<Intent['kind'], 'waiting' | 'unknown'> | 'waiting',
])[] = [
  [
    /\b(?:why (?:did|does|do|has|have|was|were|is|are) ?(?:n['’]?t|not|nothing)|why not|held|kept back)\b/,
    'why-not',
  ],
  [/\bwhy (?:didn|doesn|hasn|wasn|isn|aren|don)['’]?t\b/, 'why-not'],
  [/\b(?:approv\w*|waiting|waits|pending|wants? me)\b/, 'waiting'],
  [
    /\b(?:would|could|should|will) (?:you|it|opsbot|we)\b|\bwhat to do\b|\bhow (?:do|can) (?:i|we) fix\b/,
    'would-do',
  ],
  [
    /\b(?:did|done|do)\b.*\b(?:you|opsbot|it|about)\b|\bwhat happened\b|\bremediat\w*\b|\brepaired\b|\bfixed\b/,
    'done',
  ],
  [
    /\bhow (?:fast|slow|long|quick\w*)\b|\bp50\b|\bp99\b|\blatency\b|\btake[ns]?\b.*\blong\b/,
    'how-fast',
  ],
  [/\bwhere\b/, 'where'],
  [
    /\b(?:wrong|broken|problem\w*|fault\w*|incident\w*|down|ill|ok|okay|fine|healthy|well|up|happening|status|state|how (?:is|are))\b/,
    'wrong',
  ],
];

const noNames = new Set(
  'a about all an and any anything approve approval are at be been broken can could did do does doing done down everything everywhere fast fault faults fine for from fix fixed happened happening has have healthy how i ill in incident incidents is it its just latency long me my now nothing of ok okay on opsbot or our problem problems quick quickly repaired remediated remediation right should slow so state status take taken takes tell that the there these they this to up us waiting waits was we well were what when where which who why will with would wrong yet you your not held kept back pending p50 p99 node nodes device devices workload workloads segment segments delivery deliveries channel runs run running'.split(
    ' ',
  ),
);

/**
 * What a question asks, by words alone: the same question always has the same answer. Throws `usage`
 * where it is longer than 500 characters.
 */
export function parseQuestion(text: string): Intent {
  if (text.length > maxLength) {
    throw new TaplineError(
      'usage',
      `the question has ${text.length} characters; the limit is ${maxLength}`,
    );
  }
  const plain = text.toLowerCase().replaceAll('’', "'");
  const subject = subjectOf(plain);
  const kind = patterns.find(([pattern]) => pattern.test(plain))?.[1];
  switch (kind) {
    case undefined:
      return subject === undefined ? { kind: 'unknown' } : { kind: 'wrong', subject };
    case 'waiting':
      return { kind };
    case 'where':
      return subject === undefined ? { kind: 'unknown' } : { kind, subject };
    default:
      return { kind, subject };
  }
}

/** The last word that is none of the language: names come behind what is asked about them. */
function subjectOf(plain: string): string | undefined {
  const words = plain.match(/[a-z0-9][a-z0-9._/@+-]*/g) ?? [];
  return words
    .map((word) => word.replace(/[.]+$/, ''))
    .findLast(
      (word) =>
        !noNames.has(word) &&
        !/^(?:n't|s|t|re|ve)$/.test(word) &&
        !/^(?:did|does|has|was|is|are|do)n$/.test(word),
    );
}
