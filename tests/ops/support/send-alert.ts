import { request } from 'node:https';
import { loadKubeconfig } from '@tapline/client';
import type { ControlPlaneProcess } from '../../support/control-plane-process.ts';

/** Tells a control plane of an alert as Alertmanager does; answers the HTTP status. */
export async function sendAlert(
  plane: ControlPlaneProcess,
  about: {
    readonly name: string;
    readonly device: string;
    readonly token: string;
    readonly summary?: string;
  },
): Promise<number> {
  const { name, device, token, summary = `${device} is odd` } = about;
  const { ca } = await loadKubeconfig(plane.kubeconfig);
  const body = JSON.stringify({
    version: '4',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: name, device },
        annotations: { summary },
        startsAt: '2026-01-01T00:00:00Z',
        endsAt: '0001-01-01T00:00:00Z',
        fingerprint: `${name}${device}`,
      },
    ],
  });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answered = Promise.withResolvers<number>();
  request(new URL('/ops/v1/alerts', plane.url), { method: 'POST', ca, headers }, (response) => {
    response.resume();
    answered.resolve(response.statusCode ?? 0);
  })
    .on('error', answered.reject)
    .end(body);
  return await answered.promise;
}
