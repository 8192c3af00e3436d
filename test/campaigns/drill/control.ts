import { appendFileSync, readFileSync } from 'node:fs';
import { toHex } from '../../../common/bytes.js';
import { recordKind } from '../../../protocol/objects/record.js';
import { decodeUp, type SentRecord } from '../../../protocol/transport/messages.js';
import { parseTopic } from '../../../protocol/transport/topics.js';
import { decodePayload, parseSign1 } from '../../../protocol/wire/cose.js';

/** One event as the control filed it: from now on this account is shown it. */
export interface Filed {
  readonly device: string;
  readonly epoch: number;
  readonly seq: number;
  readonly account: string;
  /** Media ids of its pictures. */
  readonly pictures: readonly string[];
}

export interface ControlDependencies {
  /** Account of a camera, as the cache says it. */
  readonly accountOf: (device: Uint8Array) => Promise<Uint8Array | undefined>;
  readonly file: (filed: Filed) => void;
}

const THUMBNAIL = 0;

/**
 * Ingest as the maker had it: the topic says which camera, the cache says whose, and the event is filed there with its
 * picture. What the camera signed is not looked at; only the event's number and its media are read, to name them later.
 */
export class ControlIngest {
  private readonly deps: ControlDependencies;

  constructor(deps: ControlDependencies) {
    this.deps = deps;
  }

  async take(topic: string, payload: Uint8Array): Promise<void> {
    const { device, leaf } = parseTopic(topic);
    if (leaf !== 'up') return;
    const message = decodeUp(payload);
    if (message.type !== 'records') return;
    for (const sent of message.records) {
      const account = await this.deps.accountOf(device);
      if (account === undefined) continue;
      this.deps.file({ device: toHex(device), account: toHex(account), ...contentOf(sent) });
    }
  }
}

function contentOf({ record }: SentRecord): Pick<Filed, 'epoch' | 'seq' | 'pictures'> {
  const fields = decodePayload(parseSign1(record, recordKind.domain, recordKind.maxBytes).payload);
  const media = (fields.get(10) ?? []) as readonly ReadonlyMap<number, unknown>[];
  return {
    epoch: Number(fields.get(4)),
    seq: Number(fields.get(6)),
    pictures: media.filter((one) => one.get(1) === THUMBNAIL).map((one) => toHex(one.get(0) as Uint8Array)),
  };
}

/** The control's table: a line for each event, so that it outlives a killed process. */
export function fileTo(path: string): (filed: Filed) => void {
  return (filed) => {
    appendFileSync(path, `${JSON.stringify(filed)}\n`);
  };
}

export function readFiled(path: string): readonly Filed[] {
  // The line in which the process was killed may be cut off.
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Filed);
}
