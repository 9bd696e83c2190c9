import type { ProfileFinding } from '../schema/profile-finding.ts';
import type { PayloadContent } from './payload-content.ts';

/** What Apple's schema says in prose only. */
export function checkRules(content: PayloadContent): readonly ProfileFinding[] {
  switch (content.kind) {
    case 'relay':
      return content.relays.length === 0 ||
        content.relays.some((one) => !one.http2Url && !one.http3Url)
        ? [
            broken(
              content,
              'each relay needs an HTTP/2 or an HTTP/3 address, and there must be one',
            ),
          ]
        : [];
    case 'dns':
      return content.server.protocol === 'https' && !isHttps(content.server.url)
        ? [broken(content, `DNS over HTTPS needs an https address, not ${content.server.url}`)]
        : [];
    case 'web-clip':
      return /^[a-z][a-z0-9+.-]*:/i.test(content.url)
        ? []
        : [broken(content, `a web clip needs a whole address, not ${content.url}`)];
    case 'acme':
      return isHttps(content.directoryUrl)
        ? []
        : [
            broken(
              content,
              `an ACME directory needs an https address, not ${content.directoryUrl}`,
            ),
          ];
    case 'wifi': {
      const bytes = Buffer.byteLength(content.ssid);
      const findings =
        bytes >= 1 && bytes <= 32
          ? []
          : [broken(content, `an SSID has 1 to 32 bytes, not ${bytes}`)];
      const { security } = content;
      const password = security.kind === 'password' ? security.password : undefined;
      if (password !== undefined && !/^(?:[\x20-\x7e]{8,63}|[0-9a-fA-F]{64})$/.test(password)) {
        const message = `a Wi-Fi password has 8 to 63 printable characters, not ${password.length}`;
        findings.push(broken(content, message));
      }
      return findings;
    }
    default:
      return [];
  }
}

function isHttps(url: string): boolean {
  return URL.canParse(url) && url.startsWith('https://');
}

function broken({ id }: PayloadContent, message: string): ProfileFinding {
  return { severity: 'error', code: 'rule-broken', path: id, message: `payload ${id}: ${message}` };
}
