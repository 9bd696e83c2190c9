export { nodeFrameAead } from './crypto/node-frame-aead.ts';
