/** Bytes of one message of a call; what is larger comes in parts. */
export const maxCallMessageBytes = 1_048_576;

/** Of a directive: what the API bears as one object, 3 MiB, and its metadata. */
export const maxDirectiveBytes = 4_194_304;
