import { z } from 'zod';

/** Kubernetes's MicroTime: RFC 3339 with up to six decimals. */
export const microTimeSchema: z.ZodISODateTime = z.iso.datetime({ offset: true });
