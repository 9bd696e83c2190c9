/** In which form objects go out. */
export type Form = 'json' | 'table' | 'partial';

/** What an Accept header asks for, by order; undefined where nothing of it can be had. */
export function negotiateForm(accept: string | undefined): Form | undefined {
  if (accept === undefined || accept === '' || accept === 'application/json') return 'json';
  for (const choice of accept.split(',')) {
    const [type = '', ...parameters] = choice.split(';').map((part) => part.trim());
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    const as = parameters.find((one) => one.startsWith('as='))?.slice(3);
    const isMeta = parameters.includes('g=meta.k8s.io');
    const isV1 = !parameters.some((one) => one.startsWith('v=') && one !== 'v=v1');
    if (as === undefined) return 'json';
    if (!isMeta || !isV1) continue;
    if (as === 'Table') return 'table';
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'partial';
  }
  return undefined;
}

/** The version of aggregated discovery that an Accept header prefers to the plain documents. */
export function negotiateDiscovery(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const choice of (accept ?? '').split(',')) {
    const parameters = choice.split(';').map((part) => part.trim());
    if (parameters.includes('as=APIGroupDiscoveryList')) {
      if (parameters.includes('v=v2')) return 'v2';
      if (parameters.includes('v=v2beta1')) return 'v2beta1';
    } else if (parameters[0] === 'application/json') return undefined;
  }
  return undefined;
}
