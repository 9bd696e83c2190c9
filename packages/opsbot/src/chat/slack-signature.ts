import { createHmac, timingSafeEqual } from 'node:crypto';

/** Slack: a request that is older than five minutes may be somebody's who has recorded it. */
const windowSeconds = 300;

/**
 * Whether Slack has signed a request: HMAC-SHA256 over `v0:TIMESTAMP:BODY`, with the body as it came.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export function isSlackSignature(given: {
  readonly secret: string;
  /** `X-Slack-Request-Timestamp`, in seconds. */
  readonly timestamp: string | undefined;
  /** `X-Slack-Signature`. */
  readonly signature: string | undefined;
  readonly body: Uint8Array;
  readonly nowMs: number;
}): boolean {
  const { secret, timestamp = '', signature = '', body, nowMs } = given;
  if (!/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > windowSeconds) return false;
  const hmac = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest();
  return timingSafeEqual(hmac, Buffer.from(signature.slice(3), 'hex'));
}
