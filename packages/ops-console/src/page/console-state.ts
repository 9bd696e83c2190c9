import type { ConsoleKind, ConsoleMessage, ConsoleObjects } from '../console-message.ts';

/** All that the page knows. */
export interface ConsoleState {
  readonly session: Extract<ConsoleMessage, { readonly type: 'session' }> | undefined;
  readonly objects: {
    readonly [K in ConsoleKind]: ReadonlyMap<string, ConsoleObjects[K]> | undefined;
  };
  /** What cannot be read now. */
  readonly troubles: ReadonlyMap<string, Extract<ConsoleMessage, { readonly type: 'trouble' }>>;
}

export const emptyConsoleState: ConsoleState = {
  session: undefined,
  objects: {
    incidents: undefined,
    remediations: undefined,
    playbooks: undefined,
    opspolicies: undefined,
  },
  troubles: new Map(),
};

/** The state after a message. */
export function nextConsoleState(state: ConsoleState, message: ConsoleMessage): ConsoleState {
  const { objects, troubles } = state;
  switch (message.type) {
    case 'session':
      return { ...state, session: message, troubles: without(troubles, 'session') };
    case 'trouble':
      return { ...state, troubles: new Map(troubles).set(message.kind, message) };
    case 'all': {
      const all = new Map(message.objects.map((one) => [one.metadata.name, one]));
      return {
        ...state,
        objects: { ...objects, [message.kind]: all },
        troubles: without(troubles, message.kind),
      };
    }
    case 'changed': {
      const changed = message.objects.map((one) => [one.metadata.name, one] as const);
      const all = new Map([...(objects[message.kind] ?? []), ...changed]);
      return { ...state, objects: { ...objects, [message.kind]: all } };
    }
    case 'gone': {
      const left = without<unknown>(objects[message.kind] ?? new Map(), message.name);
      return { ...state, objects: { ...objects, [message.kind]: left } };
    }
  }
}

function without<T>(all: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  const left = new Map(all);
  left.delete(key);
  return left;
}
