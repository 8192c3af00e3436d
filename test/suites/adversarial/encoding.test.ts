import { decode } from 'cborg';
import { concat } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { recordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { decodeCbor } from '../../../protocol/wire/cbor.js';
import { Forge } from '../../../scripts/vectors/forge.js';
import { attacks, type Attack } from '../../support/attack.js';
import { codeOf } from '../../support/codes.js';
import { hex, readVectors } from '../../support/vectors.js';
import { clipOf, recordInEpoch } from '../../support/worlds/version-two.js';

const forge = new Forge(nodeSuite);
const bad = readVectors<readonly { name: string; object: string }[]>('bad');
const limits = { maxBytes: 1 << 20, maxDepth: 8, maxItems: 1024 };

const record = (object: Uint8Array): string => codeOf(() => openSigned(recordKind, nodeSuite, object));

/** An object with a valid signature, so that only the encoding of its payload is wrong. */
function inPayload(name: string, vector: string): Attack {
  const found = bad.find((candidate) => candidate.name === vector);
  if (found === undefined) throw new Error(`no bad vector ${vector}`);
  return {
    name: `${name}, with a valid signature`,
    expected: 'malformed',
    observed: () => record(hex(found.object)),
    control: {
      name: 'the same fields in the canonical encoding',
      expected: 'accepted',
      observed: () => record(forge.object(forge.device, {})),
    },
  };
}

/** Returns the verdict of the library alone, in its strict mode. */
function library(bytes: Uint8Array): string {
  try {
    decode(bytes, { useMaps: true, strict: true, rejectDuplicateMapKeys: true, allowIndefinite: false });
    return 'accepted';
  } catch (error) {
    return error instanceof RangeError ? 'stack overflow' : 'refused';
  }
}

function bare(name: string, bytes: Uint8Array, byLibrary: string): Attack {
  return {
    name,
    expected: 'malformed',
    observed: () => codeOf(() => decodeCbor(bytes, limits)),
    control: { name: "the library's strict mode alone", expected: byLibrary, observed: () => library(bytes) },
  };
}

function announced(name: string, bytes: Uint8Array, whole: Uint8Array): Attack {
  const cbor = (content: Uint8Array): string => codeOf(() => decodeCbor(content, limits));
  return {
    name,
    expected: 'malformed',
    observed: () => cbor(bytes),
    control: { name: 'one, which follows', expected: 'accepted', observed: () => cbor(whole) },
  };
}

const deep = concat(new Uint8Array(20_000).fill(0x81), Uint8Array.of(0));

attacks('encoding', 'Encoding', [
  inPayload('a duplicate key', 'key-twice'),
  inPayload('unsorted keys', 'keys-unsorted'),
  inPayload('an indefinite length', 'map-indefinite'),
  inPayload('a float', 'version-as-float'),
  inPayload('trailing bytes', 'trailing-in-payload'),
  bare('unsorted keys in a message', hex('a201000000'), 'accepted'),
  bare('a float in a message', hex('f93c00'), 'accepted'),
  bare('invalid UTF-8', hex('62c328'), 'accepted'),
  bare('CBOR nested 20,000 deep', deep, 'stack overflow'),
  announced('an array that announces 2^32 items', hex('9affffffff'), hex('8100')),
  announced('a byte string that announces 2^53 bytes', hex('5b0020000000000000'), hex('4100')),
  {
    name: 'a record of version 1 in an epoch of version 2',
    expected: 'malformed',
    observed: () => recordInEpoch(1, 2),
    control: { name: 'in an epoch of version 1', expected: 'bound', observed: () => recordInEpoch(1, 1) },
  },
  {
    name: 'a record of version 2 in an epoch of version 1',
    expected: 'malformed',
    observed: () => recordInEpoch(2, 1),
    control: { name: 'in an epoch of version 2', expected: 'bound', observed: () => recordInEpoch(2, 2) },
  },
  {
    name: 'a clip record that names 32 segments',
    expected: 'malformed',
    observed: () => clipOf(32),
    control: { name: '31 segments', expected: 'accepted', observed: () => clipOf(31) },
  },
]);
