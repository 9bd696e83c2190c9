export { type Admission, createAdmission } from './admission.ts';
export {
  type CertificateAuthority,
  createCertificateAuthority,
  type IssuedCertificate,
  type IssuedIdentity,
} from './certificate-authority.ts';
export { type ChallengePurpose, challengeText } from './challenge-text.ts';
export {
  type ConnectionOwner,
  type ControlPlaneService,
  controlPlaneServices,
  serviceHost,
} from './control-plane-service.ts';
export {
  createDeviceChallenges,
  type DeviceChallenges,
  type SignedChallenge,
} from './device-challenges.ts';
export { newDeviceKey } from './device-key.ts';
export { checkDeviceName, deviceOfUser, deviceUser } from './device-names.ts';
export { type DeviceIdentity, enrolDevice, renewIdentity } from './enrol-device.ts';
export { createEnrolment, type Enrolment } from './enrolment.ts';
export { type ChallengeAnswer, createEnrolmentHandler } from './enrolment-handler.ts';
export { createFileConnectHandlers } from './file-connect-handlers.ts';
export {
  createInstallConnectHandlers,
  type InstallConnect,
  type InstallConnectHandler,
} from './install-connect-handlers.ts';
export { createNodeConnectHandlers } from './node-connect-handlers.ts';
export { createPingConnectHandlers } from './ping-connect-handlers.ts';
export type { EnrolmentAnswer, EnrolmentRequest } from './enrolment-request.ts';
export { createForwardGateway, type ForwardGateway } from './forward/forward-gateway.ts';
export {
  createForwardServer,
  type ForwardPolicy,
  type ForwardServer,
} from './forward/forward-server.ts';
export {
  type Forward,
  type ForwardInit,
  openForward,
  type PortPair,
} from './forward/open-forward.ts';
export { parsePortSet, type PortSet } from './forward/port-set.ts';
export { errorAnswer } from './error-body.ts';
export { createFailureLimiter } from './failure-limiter.ts';
export { sendOnStream } from './http/send-on-stream.ts';
export { hashSecret } from './hash-secret.ts';
export { devicePagePath, formatJoinLink } from './join-link.ts';
export { formatJoinToken, type JoinToken, parseJoinToken } from './join-token.ts';
export { claimText } from './enrolment-claim.ts';
export { keepSession, type KeepSessionInit, type KeptSession } from './keep-session.ts';
export { connectSession, type Session, type SessionInit } from './connect-session.ts';
export type {
  ExecRequest,
  ExecResponseSchema,
  InstallReference,
  WriteFileRequest,
} from './rpc/generated/tapline/device/v1/device_pb.ts';
export { installReport } from './install-report.ts';
export type { GatewayCalls } from './rpc/create-gateway-calls.ts';
export { installOf } from './rpc/install-message.ts';
export { installStatusMessage } from './rpc/install-status-message.ts';
export { refuseUpgrade } from './refuse-upgrade.ts';
export { createSessionHub, type DeviceSession, type SessionHub } from './session-hub.ts';
export type { DeviceReport, StorageReport } from './session-messages.ts';
export { decodeOutcome, encodeOutcome, type ExecOutcome } from './exec-outcome.ts';
export {
  chunkBytes,
  decodeFrame,
  encodeFrame,
  type StreamFrame,
  streamProtocol,
} from './stream-frame.ts';
export { createStreamSocket, type StreamSocket } from './stream-socket.ts';
export type { ClientTls } from './post-json.ts';
export { createTunnelAcceptor, type TunnelAcceptor, type Upgrade } from './tunnel/accept-tunnel.ts';
export { type DialInit, dialTunnel } from './tunnel/dial-tunnel.ts';
export { carryOnSocket } from './tunnel/socket-transport.ts';
export { TunnelAgent } from './tunnel/tunnel-agent.ts';
export { tunnelPath } from './tunnel/tunnel-path.ts';
export { encodeWebSocketIdentity } from './tunnel/web-socket-identity.ts';
