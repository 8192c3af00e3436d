/** The two programs that open pictures for a household: the command beside the page. Both must come to the same verdict. */
import { Opener } from '../../../../app/core/opener.js';
import { ownerKeys } from '../../../../app/core/owner-keys.js';
import type { PeriodKey } from '../../../../app/core/period-opener.js';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { equal, toHex } from '../../../../common/bytes.js';
import { isSealcamError } from '../../../../common/errors.js';
import type { Random } from '../../../../common/random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { contextOf, eventOf, openPicture } from '../../../../protocol/evidence/event.js';
import { Reader, type EpochKeys, type KeyRecordObject } from '../../../../protocol/evidence/household-keys.js';
import { ownerSecrets } from '../../../../protocol/owner/secrets.js';
import { encodeContent, type SealedContent } from '../../../../protocol/seal/content.js';
import { decodeObjectHeader, type ObjectContext } from '../../../../protocol/seal/object.js';
import type { SealedObject } from '../../../../protocol/seal/seal.js';
import { decodeCbor, encodeCbor } from '../../../../protocol/wire/cbor.js';
import { EvidenceWorld } from '../../../../scripts/vectors/evidence-world.js';
import { seedOf } from '../../../../scripts/vectors/keyring.js';
import type { Target } from '../harness.js';
import { below, mutateBytes, mutateCbor, oneOf } from '../mutate.js';

const master = seedOf(nodeSuite, 'owner master');
const reader = new Reader(nodeSuite, ownerSecrets(nodeSuite, master));
const ownPage = new Opener({ suite: tweetnaclSuite, keys: ownerKeys(tweetnaclSuite, master), clock: realClock });
type Page = Pick<Opener, 'open'>;

interface Picture {
  readonly context: ObjectContext;
  readonly sealed: SealedObject;
}

const epochs = ([1, 2] as const).map((version) => {
  const { claim, records } = new EvidenceWorld(nodeSuite, version);
  const pictures = records.flatMap(({ record, media }): Picture[] => {
    const eventId = eventOf(record.value);
    return (record.value.media ?? []).flatMap(({ id, role }, at) => {
      const sealed = media[at] ?? null;
      if (eventId === undefined || sealed === null) return [];
      return [{ context: contextOf(record.value, eventId, id, role), sealed }];
    });
  });
  const keyRecords = records.flatMap(({ record, media: [sealed] }): KeyRecordObject[] =>
    record.value.kind === 'key' && sealed ? [{ record, body: sealed.body }] : [],
  );
  return { version, claim: claim.value, pictures, keyRecord: keyRecords[0] };
});

type Epoch = (typeof epochs)[number];

/** The keys of each epoch as it is: opening a period takes longer than a picture. */
const known = new Map<Epoch, Promise<EpochKeys>>();

function keysOf(epoch: Epoch, keyBody: Uint8Array): Promise<EpochKeys> {
  const { claim, keyRecord } = epoch;
  const open = (): Promise<EpochKeys> =>
    reader.openEpoch(claim, keyRecord === undefined ? [] : [{ ...keyRecord, body: keyBody }]);
  if (keyRecord !== undefined && !equal(keyRecord.body, keyBody)) return open();
  const keys = known.get(epoch) ?? open();
  known.set(epoch, keys);
  return keys;
}

async function byCommand(epoch: Epoch, keyBody: Uint8Array, { context, sealed }: Picture): Promise<SealedContent> {
  const keys = await keysOf(epoch, keyBody);
  const key = keys.keyOf(context, sealed);
  if (key === undefined) throw new Error('an object of another period');
  return openPicture(nodeSuite, epoch.claim, context, key, sealed);
}

async function byPage(
  page: Page,
  { claim, keyRecord }: Epoch,
  keyBody: Uint8Array,
  picture: Picture,
): Promise<SealedContent> {
  let period: PeriodKey | null = null;
  if (keyRecord !== undefined) {
    const { device, account, epoch, claimHash, key } = keyRecord.record.value;
    if (key === undefined) throw new Error('a key record without its period');
    const context = { device, account, epoch, claimHash, periodId: key.periodId };
    const { recipients } = claim;
    // The page keeps what it opened by the record's hash, which covers the body.
    const record = nodeSuite.sha256(keyBody);
    period = { record, context, commit: key.commit, body: keyBody, recipients: recipients.length, own: 0 };
  }
  return page.open({ ...picture, period });
}

/** Returns the content in hex, or the code of the refusal. The page says in its own words that a camera did not seal to it. */
async function outcomeOf(opening: Promise<SealedContent>): Promise<string> {
  try {
    return toHex(encodeContent(await opening));
  } catch (error) {
    if (!isSealcamError(error)) throw error;
    return error.code === 'not-sealed-to-you' ? 'seal-refused' : error.code;
  }
}

/** Whether both programs look for the one key record that is there: the header names the period, before anything is opened. */
function isOfPeriod({ keyRecord }: Epoch, { header }: SealedObject): boolean {
  return (
    keyRecord === undefined ||
    equal(decodeObjectHeader(header).periodId, keyRecord.record.value.key?.periodId ?? header)
  );
}

function pictureInput(random: Random): Uint8Array {
  const of = below(random, epochs.length);
  const epoch = epochs[of] ?? oneOf(random, epochs);
  const at = below(random, epoch.pictures.length);
  const other = oneOf(random, oneOf(random, epochs).pictures).sealed;
  let { header, body } = epoch.pictures[at]?.sealed ?? other;
  let keyBody = epoch.keyRecord?.body ?? new Uint8Array(0);
  switch (below(random, 8)) {
    case 0:
      break;
    case 1:
      header = mutateBytes(random, header);
      break;
    case 2:
      header = mutateCbor(random, header);
      break;
    case 3:
      ({ header } = other);
      break;
    case 4:
      ({ body } = other);
      break;
    case 5:
      ({ header, body } = other);
      break;
    case 6:
      keyBody = below(random, 4) === 0 ? mutateBytes(random, keyBody) : keyBody;
      break;
    default:
      body = mutateBytes(random, body);
  }
  return encodeCbor([of, at, header, body, keyBody]);
}

/** Compares the command with a page: the one that is shipped, or a broken one that must be caught. */
export function besidePage(page: Page): Target {
  return {
    name: 'picture opened, both paths',
    input: pictureInput,
    run: async (input) => {
      const raw = decodeCbor(input, { maxBytes: 1 << 20, maxDepth: 3, maxItems: 8 });
      const [of, at, header, body, keyBody] = raw as [number, number, Uint8Array, Uint8Array, Uint8Array];
      const epoch = epochs[of];
      const context = epoch?.pictures[at]?.context;
      if (epoch === undefined || context === undefined) throw new Error('no such picture');
      const picture = { context, sealed: { header, body } };
      if (!isOfPeriod(epoch, picture.sealed)) return undefined;
      const [command, seen] = await Promise.all([
        outcomeOf(byCommand(epoch, keyBody, picture)),
        outcomeOf(byPage(page, epoch, keyBody, picture)),
      ]);
      if (command !== seen) throw new Error(`the command gives ${command}, the page ${seen}`);
      await byCommand(epoch, keyBody, picture);
      return undefined;
    },
  };
}

export const OPENER_TARGETS: readonly Target[] = [besidePage(ownPage)];
