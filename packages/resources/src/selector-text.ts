import { z } from 'zod';
import { isTaplineError } from '@tapline/base';
import { parseLabelSelector } from './label-selector.ts';

/** A label selector as people write it: `team=a`, `role in (origin, edge), !spare`. */
export const selectorTextSchema: z.ZodString = z
  .string()
  .min(1)
  .max(1024)
  .superRefine((text, context) => {
    try {
      parseLabelSelector(text);
    } catch (error) {
      if (!isTaplineError(error, 'bad_request')) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });
