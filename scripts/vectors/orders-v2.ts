import type { ErrorCode } from '../../common/error-codes.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { anyCommandKind, type AnyCommand, type Command } from '../../protocol/objects/command.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import { NAMES, seedOf, signerOf } from './keyring.js';
import { VectorWorldV2 } from './signed-v2.js';

/** A claim, an order, and whether its signer may give it under that claim. */
export interface OrderVector {
  readonly name: string;
  readonly claim: Uint8Array;
  readonly order: Uint8Array;
  readonly expect: 'accepted' | ErrorCode;
  /** The rule that decides. */
  readonly why: string;
}

/** Returns the content of orders-v2.json: who may give which order (docs/decisions/0020-further-browsers.md). */
export function orderVectorsV2(suite: CryptoSuite): readonly OrderVector[] {
  const world = new VectorWorldV2(suite);
  const { claim: claimOne, claimV2, owner: root } = world;
  const further = signerOf(suite, NAMES.ownerNext);
  const member = signerOf(suite, NAMES.member);
  const receiptKey = signerOf(suite, NAMES.receipt);
  const orderOne = (action: 'snapshot' | 'release'): Command => ({
    action,
    device: world.deviceId,
    epoch: 1,
    claimHash: claimOne.hash,
    counter: 1,
    recent: [7, seedOf(suite, 'record 7')],
  });
  const of = (
    name: string,
    signer: Signer,
    order: AnyCommand,
    expect: OrderVector['expect'],
    why: string,
    claim = claimV2.bytes,
  ): OrderVector => ({
    name,
    claim,
    order: signObject(anyCommandKind, suite, signer, order).bytes,
    expect,
    why,
  });
  const release = world.order({ action: 'release' });
  const snapshot = world.order({ action: 'snapshot' });
  const byRoot = 'a release takes the root key';
  const byOwner = 'an order takes a recipient with role owner';
  const refused = 'command-refused';
  return [
    of('release-by-the-root-key', root, release, 'accepted', byRoot),
    of('release-by-a-further-browser', further, release, refused, byRoot),
    of('release-by-a-member', member, release, refused, byRoot),
    of('release-by-the-receipt-key', receiptKey, release, refused, byRoot),
    of('snapshot-by-the-root-key', root, snapshot, 'accepted', byOwner),
    of('snapshot-by-a-further-browser', further, snapshot, 'accepted', byOwner),
    of('snapshot-by-a-member', member, snapshot, refused, byOwner),
    of('release-of-the-epoch-before', root, world.order({ action: 'release', epoch: 1 }), refused, "the claim's epoch"),
    of(
      'release-of-another-claim',
      root,
      world.order({ action: 'release', claimHash: claimOne.hash }),
      refused,
      "the claim's hash",
    ),
    of(
      'release-of-another-camera',
      root,
      world.order({ action: 'release', device: seedOf(suite, 'another camera') }),
      refused,
      "the claim's device",
    ),
    of(
      'release-of-version-1',
      root,
      { ...orderOne('release'), epoch: 2, claimHash: claimV2.hash },
      'malformed',
      "the claim's version",
    ),
    of('release-in-version-1', root, orderOne('release'), 'accepted', 'the owner key', claimOne.bytes),
    of('snapshot-in-version-1-by-a-member', member, orderOne('snapshot'), refused, 'the owner key', claimOne.bytes),
  ];
}
