/**
 * Annotation of a Package: what it resolved before this time (RFC 3339) is too old for someone who
 * is waiting. Spec stays as it is, because asking again is not another wish.
 */
export const resolveAfterAnnotation = 'tapline.dev/resolve-after';
