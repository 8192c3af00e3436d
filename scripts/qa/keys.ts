import { readFileSync, writeFileSync } from 'node:fs';
import { realRandom } from '../../common/adapters/real-random.js';
import { fromHex, toBase64, toHex } from '../../common/bytes.js';
import { developmentQaSigner } from '../../agent/console/development-key.js';
import type { Scope } from '../../agent/console/lock.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { Signer } from '../../protocol/crypto/suite.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import { unlockKind } from '../../protocol/objects/unlock.js';

const SCOPES: readonly Scope[] = ['diagnose', 'capture', 'network', 'reset'];

/** Makes a key file of 64 hex digits with mode 600. Returns the public key in hex. @throws Error where the file exists */
export function makeKey(path: string): string {
  const seed = realRandom.bytes(32);
  writeFileSync(path, `${toHex(seed)}\n`, { mode: 0o600, flag: 'wx' });
  return toHex(nodeSuite.ed25519Signer(seed).publicKey);
}

/** Returns the signer of a key file, or without one the development key, which every mock camera trusts. */
export function qaSigner(path: string | undefined): Signer {
  if (path === undefined) return developmentQaSigner(nodeSuite);
  const seed = fromHex(readFileSync(path, 'utf8').trim(), 32);
  if (seed === undefined)
    throw new Error(`${path} is no QA key: it holds 64 hex digits, as qa-token --make-key writes them`);
  return nodeSuite.ed25519Signer(seed);
}

/** Returns an unlock token in base64 for one camera and the nonce that its console shows. */
export function makeToken(
  signer: Signer,
  to: { readonly device: string; readonly nonce: string },
  scope: readonly Scope[],
  lifetimeS: number,
): string {
  const device = fromHex(to.device, 32);
  const nonce = fromHex(to.nonce, 16);
  if (device === undefined || nonce === undefined) throw new Error('device is 64 hex digits, nonce is 32');
  return toBase64(signObject(unlockKind, nodeSuite, signer, { device, nonce, scope: [...scope], lifetimeS }).bytes);
}

/** Parses a list of scopes. @throws Error that lists the valid scopes */
export function scopesOf(text: string): readonly Scope[] {
  const names = text.split(',');
  const unknown = names.filter((name) => !SCOPES.some((scope) => scope === name));
  if (unknown.length > 0) throw new Error(`no scope ${unknown.join(', ')}; there are ${SCOPES.join(', ')}`);
  return SCOPES.filter((scope) => names.includes(scope));
}
