import { describe, expect, it } from 'vitest';
import { brokerFault } from '../../../../cloud/ingest/broker-fault.js';
import { MqttFeed } from '../../../../cloud/ingest/mqtt-feed.js';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { Counters } from '../../../../common/counters.js';
import { TinyBroker } from '../../../support/engines/tiny-broker.js';
import { afterThisTest } from '../../../support/runner/after-test.js';
import { until } from '../../../support/runner/wait.js';
import { testLog, type LogEntry } from '../../../support/worlds/test-agent.js';

interface TestFeed {
  readonly feed: MqttFeed;
  readonly counters: Counters;
  readonly lines: LogEntry[];
}

async function feedOn(...grants: readonly boolean[]): Promise<TestFeed & { broker: TinyBroker }> {
  const broker = new TinyBroker(grants);
  return { broker, ...feedTo(`mqtt://127.0.0.1:${String(await broker.start())}`) };
}

function feedTo(url: string, onMessages: () => Promise<void> = () => Promise.resolve()): TestFeed {
  const counters = new Counters();
  const lines: LogEntry[] = [];
  const settings = { url, username: 'cloud', password: undefined, clientId: 'worker', group: undefined };
  const feed = new MqttFeed(settings, {
    onMessages,
    clock: realClock,
    counters,
    log: testLog(lines),
  });
  afterThisTest(() => feed.stop());
  return { feed, counters, lines };
}

describe('the connection to the broker', () => {
  it('reconnects until a subscription that was refused after a reconnect is granted', async () => {
    const { broker, feed, counters } = await feedOn(true, false, true);
    await feed.start(new AbortController().signal);
    expect(broker.subscriptions).toBe(1);
    broker.drop();
    await until('the third subscription is requested', () => broker.subscriptions === 3);
    expect(counters.get('mqtt.subscription-refused')).toBe(1);
    await until('it is connected', () => feed.isConnected);
  });

  it('takes nothing more once it stops, for the store closes next', async () => {
    const broker = new TinyBroker([true]);
    let handled = 0;
    let release = (): void => undefined;
    const { feed } = feedTo(`mqtt://127.0.0.1:${String(await broker.start())}`, () => {
      handled++;
      return new Promise((resolve) => (release = resolve));
    });
    await feed.start(new AbortController().signal);
    const topic = `sealcam/v1/${'ab'.repeat(32)}/up`;
    broker.publish(topic);
    await until('a message is handled', () => handled === 1);
    // The control: what comes before the stop waits, and is handled.
    broker.publish(topic);
    await until('another waits', () => feed.waiting === 2);
    const stopped = feed.stop();
    broker.publish(`sealcam/v1/${'cd'.repeat(32)}/up`);
    release();
    await until('the second is handled', () => handled === 2);
    release();
    await stopped;
    expect(handled).toBe(2);
  });

  it('says which subscriptions are refused, and starts once they are granted', async () => {
    const { feed, lines } = await feedOn(false, true);
    const signal = new AbortController().signal;
    await feed.start(signal);
    expect(feed.isReceiving).toBe(true);
    expect(lines).toMatchObject([{ code: 'broker-refused', level: 'error' }]);
    expect(lines[0]?.msg).toContain('do not let "cloud" subscribe to');
  });

  it('names the other worker that has the same client id', async () => {
    const { broker, feed, lines } = await feedOn(...Array.from({ length: 9 }, () => true));
    await feed.start(new AbortController().signal);
    await until('the reason is logged', () => {
      if (feed.isReceiving) broker.drop();
      return lines.some(({ msg }) => msg.includes('another client connects as "worker"'));
    });
  });

  it('connects to an IPv6 literal', async () => {
    const other = new TinyBroker([true]);
    const port = await other.start('::1');
    const { feed: second } = feedTo(`mqtt://[::1]:${String(port)}`);
    await second.start(new AbortController().signal);
    expect(second.isReceiving).toBe(true);
  });

  it('ends at once while nothing answers, with one line for the fault', async () => {
    const broker = new TinyBroker([]);
    const port = await broker.start();
    broker.isMute = true;
    const { feed } = feedTo(`mqtt://127.0.0.1:${String(port)}`);
    const stop = new AbortController();
    const started = feed.start(stop.signal).catch((error: unknown) => error);
    await until('it is connected', () => broker.sockets.size > 0);
    stop.abort();
    expect(await started).toMatchObject({ code: 'broker-unreachable' });
  });
});

/** A broker whose answer to CONNECT is `code`, for MQTT 5. */
async function refusingBroker(code: number): Promise<string> {
  const broker = new TinyBroker([]);
  broker.refusal = code;
  return `mqtt://127.0.0.1:${String(await broker.start())}`;
}

describe('the reason of the broker', () => {
  it.each([
    [134, 'the login as "cloud": a wrong name or password (reason 0x86)', 'mqtt.passwordFile'],
    [135, 'the login as "cloud": not authorised (reason 0x87)', 'mqtt.username'],
    [133, 'refuses the client id', 'mqtt.clientId'],
    [137, 'busy', 'limit of connections'],
  ])('%i is logged with the setting to change, once', async (code, message, hint) => {
    const { feed, lines } = feedTo(await refusingBroker(code));
    const stop = new AbortController();
    const started = feed.start(stop.signal).catch(() => undefined);
    await until('the reason is logged', () => lines.length > 0);
    expect(lines[0]).toMatchObject({ code: 'broker-refused', level: 'error' });
    expect(lines[0]?.msg).toContain(message);
    expect(String(lines[0]?.['hint'])).toContain(hint);
    expect(feed.fault).toBe(lines[0]?.msg);
    stop.abort();
    await started;
  });

  it.each([
    ['ECONNREFUSED', 'broker-unreachable', 'nothing listens', 'mqtt.url'],
    ['ENOTFOUND', 'broker-unreachable', 'name cannot be resolved', 'mqtt.url'],
    ['EAI_AGAIN', 'broker-unreachable', 'name cannot be resolved', 'mqtt.url'],
    ['EHOSTUNREACH', 'broker-unreachable', 'network does not reach', 'firewalls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'broker-untrusted', 'not for this host', 'mqtt.url'],
    ['CERT_HAS_EXPIRED', 'broker-untrusted', 'has expired', 'clock'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'broker-untrusted', 'no trusted authority', 'mqtt.caFile'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'broker-untrusted', 'does not speak TLS', 'port'],
    ['', 'broker-unreachable', 'did not answer MQTT', 'port'],
  ])('%s has its own code, message and remedy', (system, code, message, hint) => {
    const fault = brokerFault('b.example:1883', 'cloud', Object.assign(new Error('x'), { code: system }));
    expect(fault).toMatchObject({ code });
    expect(fault.message).toContain(message);
    expect(fault.hint).toContain(hint);
  });

  it('of a real refused connection and of a name that does not exist differ', async () => {
    const logged = async (url: string): Promise<unknown> => {
      const { feed, lines } = feedTo(url);
      const stop = new AbortController();
      const started = feed.start(stop.signal).catch(() => undefined);
      await until('the reason is logged', () => lines.length > 0);
      stop.abort();
      await started;
      return lines[0]?.msg;
    };
    expect(await logged('mqtt://127.0.0.1:1')).toContain('nothing listens');
    expect(await logged('mqtt://no-such-host.invalid:1883')).toContain('name cannot be resolved');
  });
});
