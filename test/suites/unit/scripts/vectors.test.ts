import { expect, it } from 'vitest';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { badVectors } from '../../../../scripts/vectors/bad.js';
import { badVectorsV2 } from '../../../../scripts/vectors/bad-v2.js';
import { clipVectors } from '../../../../scripts/vectors/clips.js';
import { evidenceVectors } from '../../../../scripts/vectors/evidence.js';
import { inForceVectors } from '../../../../scripts/vectors/in-force.js';
import { keyringV2, toJson } from '../../../../scripts/vectors/keyring.js';
import { messageVectors } from '../../../../scripts/vectors/messages.js';
import { messageVectorsV2 } from '../../../../scripts/vectors/messages-v2.js';
import { orderVectorsV2 } from '../../../../scripts/vectors/orders-v2.js';
import { seal2Vectors } from '../../../../scripts/vectors/seal2.js';
import { sealVectors } from '../../../../scripts/vectors/seals.js';
import { settingsVectors } from '../../../../scripts/vectors/settings.js';
import { signedVectors } from '../../../../scripts/vectors/signed.js';
import { signedVectorsV2 } from '../../../../scripts/vectors/signed-v2.js';
import { verifyVectors } from '../../../../scripts/vectors/verify.js';
import { verifyVectorsV2 } from '../../../../scripts/vectors/verify-v2.js';
import { readVectors } from '../../../support/vectors.js';

it.each([
  ['signed', signedVectors],
  ['bad', badVectors],
  ['seal', sealVectors],
  ['seal2', seal2Vectors],
  ['evidence', evidenceVectors],
  ['clips', clipVectors],
  ['in-force', inForceVectors],
  ['settings', settingsVectors],
  ['messages', messageVectors],
  ['verify', verifyVectors],
  ['keys-v2', keyringV2],
  ['signed-v2', signedVectorsV2],
  ['bad-v2', badVectorsV2],
  ['messages-v2', messageVectorsV2],
  ['verify-v2', verifyVectorsV2],
  ['orders-v2', orderVectorsV2],
] as const)('npm run vectors writes %s.json as it is in the repository', (name, make) => {
  expect(toJson(make(nodeSuite))).toEqual(readVectors(name));
});
