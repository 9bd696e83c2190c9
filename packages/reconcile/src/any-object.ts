import type { ApiObject } from '@tapline/resources';

/** What objects of every kind have. */
export type AnyObject = Pick<ApiObject, 'apiVersion' | 'kind' | 'metadata'>;
