import { expect, it } from 'vitest';
import { toBase64, toHex } from '../../../../common/bytes.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { commandKind } from '../../../../protocol/objects/command.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { decodeDown } from '../../../../protocol/transport/messages.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

it('relays a command of the owner, and none of a member, a stranger or a former claim', async () => {
  const api = await ApiWorld.open();
  const world = new CameraWorld({ cloud: api.receiptSigner });
  const member = nodeSuite.ed25519Signer(realRandom.bytes(32));
  const stranger = nodeSuite.ed25519Signer(realRandom.bytes(32));
  const claim = world.claim(1, null, {
    recipients: [
      ...world.claim().value.recipients,
      { x25519: nodeSuite.x25519PublicKey(realRandom.bytes(32)), ed25519: member.publicKey },
    ],
  });
  await api.store.claims.accept(claim, world.record(claim, 0, claim.hash, { kind: 'accept' }), 0);
  const commandOf = (signer: Signer, claimHash = claim.hash): Uint8Array =>
    signObject(commandKind, nodeSuite, signer, {
      action: 'privacy',
      privacy: true,
      device: world.deviceId,
      epoch: 1,
      claimHash,
      counter: 5,
    }).bytes;
  const post = async (token: string, command: Uint8Array): Promise<number> => {
    const response = await api.app.inject({
      method: 'POST',
      url: `/v1/devices/${toHex(world.deviceId)}/commands`,
      headers: { authorization: `Bearer ${token}` },
      payload: { command: toBase64(command) },
    });
    return response.statusCode;
  };
  const [ownerSession, memberSession, strangerSession] = await Promise.all(
    [world.owner, member, stranger].map((key) => api.session(key)),
  );
  expect(await post(ownerSession?.token ?? '', commandOf(world.owner))).toBe(202);
  const sent = decodeDown(api.sentDown[0]?.payload ?? new Uint8Array(0));
  expect(sent).toMatchObject({ type: 'command' });
  expect(await post(memberSession?.token ?? '', commandOf(member))).toBe(404);
  // A command that the owner signed cannot be sent by a member who holds a copy.
  expect(await post(memberSession?.token ?? '', commandOf(world.owner))).toBe(404);
  expect(await post(strangerSession?.token ?? '', commandOf(stranger))).toBe(404);
  expect(await post(ownerSession?.token ?? '', commandOf(world.owner, realRandom.bytes(32)))).toBe(404);
  await api.store.claims.close(world.deviceId, 1, 0);
  expect(await post(ownerSession?.token ?? '', commandOf(world.owner))).toBe(404);
  expect(api.sentDown).toHaveLength(1);
});
