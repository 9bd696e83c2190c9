import { fieldLines, type HeaderFields, listMembers } from './header-fields.ts';

/** RFC 9110 §7.6.1, and what was such before it. */
const always: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The fields that are for the next hop only are left out, also those that `Connection` names. */
export function withoutHopByHop(fields: HeaderFields): HeaderFields {
  const named = new Set(
    fieldLines(fields, 'connection').flatMap((line) =>
      listMembers(line).map((member) => member.toLowerCase()),
    ),
  );
  return fields.filter(([name]) => !always.has(name) && !named.has(name));
}
