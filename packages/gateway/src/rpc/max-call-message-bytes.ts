/** Bytes of one message of a call; what is larger comes in parts. */
export const maxCallMessageBytes = 1_048_576;
