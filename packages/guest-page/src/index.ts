export type { ServedNode } from './image/served-folder.ts';
export type { ShellSettings } from './shell/shell-settings.ts';
export type { GuestEnd, GuestLimits, GuestRun, GuestSource } from './machine/messages.ts';
export { type Guest, type GuestInit, startGuest } from './machine/start-guest.ts';
export type { ContainerLayer, ContainerProgram } from './container/container-messages.ts';
export {
  type ContainerProcess,
  type ContainerWorker,
  openContainer,
  type PageContainer,
} from './container/open-container.ts';
export { machinesOf } from './shell/machines-of.ts';
