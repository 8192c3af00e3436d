/**
 * Writes test/vectors/*.json: signed objects of every kind, seals, messages and verdicts, good and bad, with their
 * keys. The files are checked in and change only with a written decision. Tests compare with them and never write them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeSuite } from '../protocol/crypto/node.js';
import { badVectors } from './vectors/bad.js';
import { identifiers, keyring, toJson } from './vectors/keyring.js';
import { messageVectors } from './vectors/messages.js';
import { sealVectors } from './vectors/seals.js';
import { signedVectors } from './vectors/signed.js';
import { verifyVectors } from './vectors/verify.js';

const folder = process.argv[2] ?? 'test/vectors';
mkdirSync(folder, { recursive: true });
const files = {
  keys: { ...toJsonObject(keyring(nodeSuite)), ...toJsonObject(identifiers(nodeSuite)) },
  signed: signedVectors(nodeSuite),
  bad: badVectors(nodeSuite),
  seal: sealVectors(nodeSuite),
  messages: messageVectors(nodeSuite),
  verify: verifyVectors(nodeSuite),
};

function toJsonObject(value: unknown): Record<string, unknown> {
  return toJson(value) as Record<string, unknown>;
}

for (const [name, content] of Object.entries(files)) {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, `${JSON.stringify(toJson(content), null, 1)}\n`);
  console.log(`wrote ${path}`);
}
