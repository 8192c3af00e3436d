import { EmbeddedBroker } from '../../cloud/broker/embedded-broker.js';

/** Broker for the emulated machine of bench:armv7, as a process of its own. It accepts what the camera publishes. */
await new EmbeddedBroker({
  host: '127.0.0.1',
  port: 1883,
  cloudUser: 'cloud',
  cloudPassword: 'only in the emulated machine',
  mayConnect: () => true,
}).start();
