export { mergeStates } from './compile/merge-states.ts';
export { checkSegment } from './compile/check-segment.ts';
export {
  type CompiledNode,
  type CompiledSegment,
  compileNode,
  type CompileOptions,
  wholeState,
} from './compile/compile-node.ts';
export { dropCounters, nftSets, nftTableName, nftTables } from './compile/nft-tables.ts';
export type { NodeCapabilities } from './compile/node-capabilities.ts';
export type { NodeLayout } from './compile/node-layout.ts';
export { underlayDevice } from './compile/underlay-device.ts';
export type { UnderlayDevice } from './compile/underlay-guard.ts';
export type { Refusal } from './compile/refusal.ts';
export { takenVnis } from './compile/taken-vnis.ts';
export { leastMtu, segmentMtu } from './compile/segment-mtu.ts';
export type { AssociationKey } from './datapath/macsec/association-key.ts';
export type { AeadInput, FrameAead, FrameAeadFactory } from './datapath/macsec/frame-aead.ts';
export type { MacsecCipher } from './datapath/macsec/macsec-cipher.ts';
export {
  type MacsecCounters,
  MacsecReceiver,
  type MacsecReceiverOptions,
} from './datapath/macsec/macsec-receiver.ts';
export {
  macsecOverhead,
  MacsecSender,
  type MacsecSenderOptions,
} from './datapath/macsec/macsec-sender.ts';
export { parseIpAddress } from './address/ip-address.ts';
export { formatSubnet, parseSubnet, type Subnet, subnetsOverlap } from './address/subnet.ts';
export { endLease, fabricPool, grantLeases } from './allocate/grant-leases.ts';
export type {
  Foreign,
  Lease,
  LeaseLedger,
  LeaseOutcome,
  LeasePool,
  LeaseRequest,
} from './allocate/lease-ledger.ts';
export { NumberSpace } from './allocate/number-space.ts';
export {
  gatewayAddress,
  newPortLedger,
  planPorts,
  type PortLedger,
  type PortRecord,
  type WantedPort,
} from './allocate/port-ledger.ts';
export { SubnetSpace } from './allocate/subnet-space.ts';
export { frameStream, streamFrame } from './datapath/frame-stream.ts';
export type { ByteRange } from './datapath/guard-source.ts';
export {
  createNodeSwitch,
  type NodeSwitch,
  type NodeSwitchOptions,
  type SwitchOutput,
} from './datapath/node-switch.ts';
export { type DropReason, dropReasons, type SwitchCounters } from './datapath/switch-counters.ts';
export { switchState, type SwitchedSegments } from './datapath/switch-state.ts';
export type { SwitchPeer, SwitchPort } from './datapath/switch-tables.ts';
export {
  readVxlanHeader,
  type VxlanHeader,
  vxlanHeaderBytes,
  writeVxlanHeader,
} from './datapath/vxlan-header.ts';
export { mayReach, type PortRole } from './intent/port-role.ts';
export type {
  Encryption,
  FabricIntent,
  NodeIntent,
  PortIntent,
  SegmentIntent,
} from './intent/segment-intent.ts';
export {
  firstCommunityGroup,
  groupId,
  isolatedGroup,
  lastCommunityGroup,
  promiscuousGroup,
} from './names/group-id.ts';
export {
  bridgeName,
  isPortEnd,
  isSegmentInterface,
  macsecName,
  portEndName,
  portName,
  vniOfPort,
  vxlanName,
  wireguardName,
} from './names/interface-names.ts';
export { portMac } from './names/port-mac.ts';
export { type Command, commandText } from './plan/command.ts';
export { commandBatches, type CommandBatch } from './plan/command-batches.ts';
export type { Operation } from './plan/operation.ts';
export { ownState } from './plan/own-state.ts';
export { parseOperation } from './plan/parse-operation.ts';
export { planNode } from './plan/plan-node.ts';
export { vniOfOperation } from './plan/vni-of-operation.ts';
export { ipsecTableName } from './encryption/ipsec-guard.ts';
export { isMacsecOperation } from './encryption/macsec-operation.ts';
export { encryptionOfOperation } from './plan/encryption-of-operation.ts';
export { renderOperation } from './plan/render-operation.ts';
export { createStateReader, type StateReader } from './observe/state-reader.ts';
export { type NodeOutputs, observationCommands, observeNode } from './observe/observe-node.ts';
export { parseVlanTunnels } from './observe/parse-vlan-tunnels.ts';
export { vlanMark } from './names/vlan-mark.ts';
export { parseWireguard } from './observe/parse-wireguard.ts';
export { filterBatch } from './observe/parse-filters.ts';
export { floodMac } from './compile/segment-fdb.ts';
export { emptyState } from './state/empty-state.ts';
export type { NftChain, NftRule, NftRuleset, NftSet, NftTable } from './state/nft-ruleset.ts';
export type {
  ArrivalMark,
  BpfInstruction,
  EgressFilter,
  FdbEntry,
  ForeignFilter,
  LinkAddress,
  LinkState,
  MacsecState,
  Neighbour,
  NodeState,
  PortEnd,
  PortVlan,
  RouteState,
  VlanTunnel,
  VniRange,
  WireguardState,
  XfrmState,
} from './state/node-state.ts';
export { addressBytes } from './datapath/address-bytes.ts';
export type { Certificate } from './verify/certificate.ts';
export { checkCertificate } from './verify/check-certificate.ts';
export { createVerifier, type FabricVerifier } from './verify/create-verifier.ts';
export { formatVerdict } from './verify/format-verdict.ts';
export type {
  Endpoint,
  Finding,
  FindingCode,
  FindingKind,
  Hop,
  Verdict,
} from './verify/verdict.ts';
export { verifyFabric } from './verify/verify-fabric.ts';
export { pathAddress, type SegmentPath, segmentPath } from './encryption/segment-path.ts';
export { type KeyPhase, keyPhase, stepsPerEpoch } from './encryption/key-phase.ts';
export { type KeyReference, sendingKeyId } from './encryption/key-reference.ts';
export { type MacCommand, macTunnel, planMac } from './macos/plan-mac.ts';
export type { MacState } from './macos/mac-state.ts';
export { parseIfconfig } from './macos/parse-ifconfig.ts';
export { parseNetstat } from './macos/parse-netstat.ts';
export { privateKeyPlace, wireguardConf } from './macos/wireguard-conf.ts';
