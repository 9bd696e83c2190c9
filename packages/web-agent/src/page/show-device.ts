import { errorMessage, formatBytes, isTaplineError } from '@tapline/base';
import type { RunningPageAgent } from '../start-page-agent.ts';
import { installRow, type InstallRow } from './install-row.ts';
import { element, setText } from './page-elements.ts';

/** How the page stands to its control plane; the attribute `data-state` of the page's body. */
export type PageState = 'joining' | 'connecting' | 'connected' | 'away' | 'refused' | 'elsewhere';

export function showState(state: PageState, text: string): void {
  document.body.dataset['state'] = state;
  setText(element('state', HTMLOutputElement), text);
}

/** After these no trying again helps: the device is shut out, or was deleted. */
const finalCodes: Readonly<Record<string, string>> = {
  device_revoked: 'shut out: the control plane has revoked this device',
  device_unknown: 'shut out: the control plane does not know this device any more',
  device_key_replaced: 'shut out: another has joined by this name',
};

/** Why there is no connection. */
export function showRefusal(error: unknown): void {
  const final = isTaplineError(error) ? finalCodes[error.code] : undefined;
  if (final === undefined) showState('away', `not connected: ${errorMessage(error)}`);
  else showState('refused', final);
}

/** Shows what the page is and has, and answers its packages. */
export function showDevice(agent: RunningPageAgent, server: URL): readonly InstallRow[] {
  setText(element('title', HTMLHeadingElement), agent.device);
  document.title = agent.device;
  setText(element('server', HTMLElement), server.host);
  const { notAfter } = agent.identity();
  setText(element('certificate', HTMLElement), new Date(notAfter).toLocaleString());
  const rows = agent.installs().map(installRow);
  element('installs', HTMLTableSectionElement).replaceChildren(
    ...rows.map(({ formula, version, state, why }) => {
      const row = document.createElement('tr');
      row.dataset['formula'] = formula;
      row.dataset['state'] = state;
      row.append(
        ...[formula, version, state, why].map((text) => {
          const cell = document.createElement('td');
          cell.textContent = text;
          return cell;
        }),
      );
      return row;
    }),
  );
  return rows;
}

export async function showStorage(agent: RunningPageAgent): Promise<void> {
  const { usedBytes, freeBytes } = await agent.images.storage();
  const text = `${formatBytes(usedBytes)} used, ${formatBytes(freeBytes)} free`;
  setText(element('storage', HTMLElement), text);
}
