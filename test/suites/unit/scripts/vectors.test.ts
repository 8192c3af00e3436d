import { expect, it } from 'vitest';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { badVectors } from '../../../../scripts/vectors/bad.js';
import { evidenceVectors } from '../../../../scripts/vectors/evidence.js';
import { toJson } from '../../../../scripts/vectors/keyring.js';
import { messageVectors } from '../../../../scripts/vectors/messages.js';
import { seal2Vectors } from '../../../../scripts/vectors/seal2.js';
import { sealVectors } from '../../../../scripts/vectors/seals.js';
import { signedVectors } from '../../../../scripts/vectors/signed.js';
import { verifyVectors } from '../../../../scripts/vectors/verify.js';
import { readVectors } from '../../../support/vectors.js';

it.each([
  ['signed', signedVectors],
  ['bad', badVectors],
  ['seal', sealVectors],
  ['seal2', seal2Vectors],
  ['evidence', evidenceVectors],
  ['messages', messageVectors],
  ['verify', verifyVectors],
] as const)('npm run vectors writes %s.json as it is in the repository', (name, make) => {
  expect(toJson(make(nodeSuite))).toEqual(readVectors(name));
});
