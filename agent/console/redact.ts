import { bareHost } from '../../common/address.js';
import type { ConsoleContext } from './command.js';

const IPV4 = /\b(?:\d{1,3}\.){3}\d{1,3}\b/g;
const IPV6 = /\b(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}\b/gi;

/**
 * Removes from diagnostics what tells where the camera is: the broker's name, and IP addresses. Keys are never logged.
 */
export function redact({ brokerUrl }: Pick<ConsoleContext, 'brokerUrl'>, text: string): string {
  const { hostname } = new URL(brokerUrl);
  const bare = bareHost(hostname);
  const withoutBroker = bare === '' ? text : text.replaceAll(hostname, '[broker]').replaceAll(bare, '[broker]');
  return withoutBroker.replace(IPV4, '[address]').replace(IPV6, '[address]');
}
