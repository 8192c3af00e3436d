import { join } from 'node:path';
import { Uploads, type Quota, type UploadDependencies } from '../../../cloud/api/uploads.js';
import { mediaOf, type Media } from '../../../cloud/media/kinds.js';
import { noMakerList } from '../../../cloud/trust/maker-list.js';
import { ReceiptSigners } from '../../../cloud/trust/receipt-signers.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import type { Clock } from '../../../common/clock.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { tempFolder } from '../runner/temp.js';

const QUOTA: Quota = { cameraBytes: 64 * 1024 * 1024, accountBytes: 64 * 1024 * 1024 };

/** A place of bodies in a folder, which goes with the test unless it is given. */
export function mediaIn(clock: Clock, folder = tempFolder()): Media {
  const readS3 = (): never => {
    throw new Error('no bucket');
  };
  return mediaOf({ kind: 'files', folder: join(folder, 'media'), readS3 }, { clock, random: realRandom });
}

type UploadParts = Omit<UploadDependencies, 'suite' | 'signers' | 'makerList' | 'quota'> &
  Partial<Pick<UploadDependencies, 'makerList' | 'quota'>> & { readonly receiptSigner: Signer };

/** The uploads of a cloud with one receipt key. */
export function uploadsOf({ receiptSigner, ...parts }: UploadParts): Uploads {
  return new Uploads({
    suite: nodeSuite,
    makerList: noMakerList({ ...parts, suite: nodeSuite }),
    quota: QUOTA,
    signers: new ReceiptSigners(nodeSuite, [receiptSigner]),
    ...parts,
  });
}
