import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { TaplineError } from '@tapline/base';
import type { ListOptions, ResourceClient } from '@tapline/client';
import { installResource } from '@tapline/resources';
import { installReport } from '../install-report.ts';
import { callingDevice } from './calling-device.ts';
import type {
  DirectivesResponseSchema,
  GatewayService,
} from './generated/tapline/gateway/v1/gateway_pb.ts';
import { installMessage } from './install-message.ts';
import { installStatusOf } from './install-status-message.ts';

type Directive = MessageInitShape<typeof DirectivesResponseSchema>;
type Options = Pick<ListOptions, 'fieldSelector' | 'signal'>;

const pageSize = 500;

/**
 * What a gateway serves to devices, over the API as each of them: so access, audit and compare-and-swap are
 * those of a request. Refusals are the API's, `install_foreign`, `unauthorized` and `call_invalid`.
 */
export function createGatewayService(): ServiceImpl<typeof GatewayService> {
  return {
    async *directives({ resourceVersion }, context) {
      const { name, client } = context.values.get(callingDevice);
      const api = client();
      const options = { fieldSelector: `spec.device=${name}`, signal: context.signal };
      let after = resourceVersion;
      if (after === undefined) {
        for await (const listed of everything(api, options)) {
          if (typeof listed === 'string') after = listed;
          else yield listed;
        }
        yield position('listed', after ?? '0');
      }
      const events = api.watch(installResource, { ...options, ...since(after) });
      for await (const event of events) {
        if (event.kind === 'bookmark') yield position('position', event.resourceVersion);
        else {
          const value = installMessage(event.object);
          yield { event: { case: event.kind === 'deleted' ? 'deleted' : 'changed', value } };
        }
      }
    },

    async reportInstall({ name, uid, status }, context: HandlerContext) {
      const device = context.values.get(callingDevice);
      if (status === undefined || uid === '') {
        throw new TaplineError('call_invalid', 'a report names its Install, and has its status');
      }
      const api = device.client();
      const { signal } = context;
      const { spec } = await api.get(installResource, name, { signal });
      // The API says so too, where it knows devices; a Kubernetes that it is not does not.
      if (spec.device !== device.name) {
        throw new TaplineError('install_foreign', `install ${name} is not of ${device.name}`);
      }
      const patched = await api.patch(
        installResource,
        name,
        installReport(uid, installStatusOf(status)),
        { subresource: 'status', signal },
      );
      return { resourceVersion: patched.metadata.resourceVersion ?? '0' };
    },
  };
}

/** All of the device's Installs, and at the end up to where that is. */
async function* everything(
  api: Pick<ResourceClient, 'list'>,
  options: Options,
): AsyncGenerator<Directive | string, void> {
  let page: string | undefined;
  for (;;) {
    const from = page === undefined ? {} : { continue: page };
    const list = await api.list(installResource, { ...options, limit: pageSize, ...from });
    for (const install of list.items) {
      yield { event: { case: 'changed', value: installMessage(install) } };
    }
    page = list.continue;
    if (page === undefined || page === '') {
      yield list.resourceVersion;
      return;
    }
  }
}

function since(resourceVersion: string | undefined): { readonly resourceVersion?: string } {
  return resourceVersion === undefined ? {} : { resourceVersion };
}

function position(kind: 'listed' | 'position', resourceVersion: string): Directive {
  return { event: { case: kind, value: { resourceVersion } } };
}
