import { TaplineError } from '@tapline/base';

export interface AnswerHead {
  readonly status: number;
  /** Names in lower case; of several with one name the last. */
  readonly headers: Readonly<Record<string, string>>;
}

const statusLine = /^HTTP\/1\.[01] ([1-5]\d\d)(?: |$)/;
const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/** RFC 9112 §4 and §5. Throws `unexpected_answer`. */
export function parseAnswerHead(text: string): AnswerHead {
  const [first = '', ...lines] = text.split('\r\n');
  const status = statusLine.exec(first)?.[1];
  if (status === undefined) throw unexpected(first);
  const fields = lines.map((line) => {
    const [, name, value] = field.exec(line) ?? [];
    if (name === undefined || value === undefined) throw unexpected(line);
    return [name.toLowerCase(), value] as const;
  });
  return { status: Number(status), headers: Object.fromEntries(fields) };
}

function unexpected(line: string): TaplineError {
  return new TaplineError(
    'unexpected_answer',
    `${JSON.stringify(line.slice(0, 80))} is no line of an answer's head`,
  );
}
