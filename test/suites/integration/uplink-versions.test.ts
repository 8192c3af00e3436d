import { beforeEach, describe, expect, it } from 'vitest';
import { VERSIONS_PROPERTY } from '../../../protocol/transport/versions.js';
import { GOOD, StubBroker, type StubAnswers } from '../../support/engines/stub-broker.js';
import * as trial from '../../support/worlds/uplink-trial.js';
import { UplinkWorld } from '../../support/worlds/uplink-world.js';

const announcing = (versions: string): StubAnswers => ({
  ...GOOD,
  connect: (peer) => {
    const properties = { userProperties: { [VERSIONS_PROPERTY]: versions } };
    peer.send({ cmd: 'connack', reasonCode: 0, sessionPresent: false, properties });
  },
});

let broker: StubBroker;
let camera: UplinkWorld;

beforeEach(async () => {
  broker = await StubBroker.start();
  camera = new UplinkWorld(`mqtt://127.0.0.1:${String(broker.port)}`);
});

describe('the versions that a cloud announces', () => {
  it('in its CONNACK are a fact of that connection, and of no later one', async () => {
    expect(camera.uplink.version).toBe(1);
    await trial.connect(broker, camera, announcing('1,2'));
    expect(camera.uplink.version).toBe(2);
    camera.uplink.drop();
    expect(camera.uplink.version).toBe(1);
    // Another worker, or an older one after a roll back, which does not announce it.
    await trial.connect(broker, camera, GOOD);
    expect(camera.uplink.version).toBe(1);
    expect(JSON.stringify(camera.kept)).not.toContain('ersion');
  });

  it('without version 2 leave the camera at version 1', async () => {
    await trial.connect(broker, camera, announcing('1'));
    expect(camera.uplink.version).toBe(1);
  });

  it('in a hello count as much, while there is a connection', async () => {
    expect(camera.uplink.noteVersions([1, 2])).toBe(false);
    expect(camera.uplink.version).toBe(1);
    await trial.connect(broker, camera, GOOD);
    expect(camera.uplink.noteVersions([1, 2])).toBe(true);
    expect(camera.uplink.version).toBe(2);
    // Said again, nothing is new: an offer is not repeated for it.
    expect(camera.uplink.noteVersions([2])).toBe(false);
    camera.uplink.drop();
    expect(camera.uplink.version).toBe(1);
  });
});
