import { appendFileSync, readFileSync } from 'node:fs';
import { toHex } from '../../../common/bytes.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { MEDIA_ROLES, RECORD_KINDS_V2 } from '../../../protocol/objects/record-kinds.js';
import { decodeUp, type SentRecord } from '../../../protocol/transport/messages.js';
import { parseTopic } from '../../../protocol/transport/topics.js';
import { decodePayload, parseSign1 } from '../../../protocol/wire/cose.js';

/** One event as the control filed it. Its account sees it from then on. */
export interface Filed {
  readonly device: string;
  readonly epoch: number;
  readonly seq: number;
  readonly account: string;
  /** Media ids of its pictures. */
  readonly pictures: readonly string[];
  /** Hashes of the bodies of the segments that it names. */
  readonly segments: readonly string[];
}

export interface ControlDependencies {
  /** Returns the account of a camera, as the cache gives it. */
  readonly accountOf: (device: Uint8Array) => Promise<Uint8Array | undefined>;
  readonly file: (filed: Filed) => void;
}

/**
 * Ingest as the maker had it: the topic names the camera, the cache gives its account, and the event is filed under that
 * account with its picture. The camera's signature is not checked; only the event's seq, and the names of what belongs to it, are read, for the report.
 */
export class ControlIngest {
  private readonly deps: ControlDependencies;

  constructor(deps: ControlDependencies) {
    this.deps = deps;
  }

  async handleMessage(topic: string, payload: Uint8Array): Promise<void> {
    const { device, leaf } = parseTopic(topic);
    if (leaf !== 'up') return;
    const message = decodeUp(payload);
    if (message.type !== 'records') return;
    for (const sent of message.records) {
      const content = contentOf(sent);
      if (content === null) continue;
      const account = await this.deps.accountOf(device);
      if (account === undefined) continue;
      this.deps.file({ device: toHex(device), account: toHex(account), ...content });
    }
  }
}

/** Returns null for a key record: a world without seals has none. */
function contentOf({ record }: SentRecord): Omit<Filed, 'device' | 'account'> | null {
  const fields = decodePayload(parseSign1(record, anyRecordKind.domain, anyRecordKind.maxBytes).payload);
  if (fields.get(1) === RECORD_KINDS_V2.key) return null;
  const media = (fields.get(10) ?? []) as readonly ReadonlyMap<number, unknown>[];
  const clip = fields.get(17) as ReadonlyMap<number, unknown> | undefined;
  const segments = (clip?.get(3) ?? []) as readonly (readonly unknown[])[];
  return {
    epoch: Number(fields.get(4)),
    seq: Number(fields.get(6)),
    pictures: media.filter((one) => one.get(1) === MEDIA_ROLES.thumbnail).map((one) => toHex(one.get(0) as Uint8Array)),
    segments: segments.map((one) => toHex(one[3] as Uint8Array)),
  };
}

/** Returns a function that appends events to a file, one JSON line each, so that they survive a killed process. */
export function fileTo(path: string): (filed: Filed) => void {
  return (filed) => {
    appendFileSync(path, `${JSON.stringify(filed)}\n`);
  };
}

/** Reads the events that {@link fileTo} wrote. */
export function readFiled(path: string): readonly Filed[] {
  // The last line may be incomplete where the process was killed.
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Filed);
}
