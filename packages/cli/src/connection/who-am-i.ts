import { isRecord, TaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';
import { sendJson } from './send-json.ts';

const review = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'SelfSubjectReview',
};

/** The name that the control plane knows the user of a context by. */
export async function whoAmI(
  context: KubeconfigContext,
  options: { readonly signal: AbortSignal },
): Promise<string> {
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const answer = await sendJson(context, { path, body: review }, options);
  const status = isRecord(answer) && isRecord(answer['status']) ? answer['status'] : {};
  const info = isRecord(status['userInfo']) ? status['userInfo'] : {};
  if (typeof info['username'] === 'string') return info['username'];
  throw new TaplineError('unavailable', 'the control plane did not say who this is');
}

/** Whether the user of a context may do something with a kind of tapline.dev. */
export async function mayDo(
  context: KubeconfigContext,
  asked: { readonly verb: string; readonly resource: string; readonly subresource?: string },
  options: { readonly signal: AbortSignal },
): Promise<boolean> {
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { group: 'tapline.dev', ...asked } },
  };
  const answer = await sendJson(context, { path, body }, options);
  const status = isRecord(answer) && isRecord(answer['status']) ? answer['status'] : {};
  return status['allowed'] === true;
}
