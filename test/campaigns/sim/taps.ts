import { SealcamError } from '../../../common/errors.js';
import type { Outbox } from '../../../agent/outbox/outbox.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import type { ObservedCamera } from './observed.js';
import type { Life } from './life.js';
import type { Oracle } from './oracle.js';
import { fileName, type Bodies } from '../../../agent/outbox/bodies.js';
import { storeOf } from '../../support/outbox-store.js';

/**
 * Wraps the real outbox: reports commits to the oracle, fails commits while the disk is full, and lets the process die inside
 * each transaction and just after it.
 */
export function tapOutbox(
  outbox: Outbox,
  {
    life,
    disk,
    camera,
    oracle,
  }: {
    readonly life: Life;
    readonly disk: { readonly isFull: boolean };
    readonly camera: ObservedCamera;
    readonly oracle: Oracle;
  },
): void {
  const store = storeOf(outbox);
  const transaction = store.transaction.bind(store);
  const insert = store.insert.bind(store);
  tapBodies(store.bodies, life, disk);
  let depth = 0;
  let made: Verified<AnyRecord>[] = [];
  store.transaction = <T>(run: () => T): T => {
    life.touch('the beginning of a transaction');
    if (depth++ === 0) made = [];
    try {
      const result = transaction(() => {
        const value = run();
        if (depth === 1 && disk.isFull) throw new SealcamError('store-full', 'simulated');
        life.touch('a commit');
        return value;
      });
      if (depth === 1 && !life.isDead) for (const record of made) oracle.recordCommit(camera, record);
      life.touch('the end of a transaction');
      return result;
    } finally {
      depth--;
    }
  };
  store.insert = (...args) => {
    const record = insert(...args);
    made.push(record);
    return record;
  };
}

/** The same for the files of bodies. A process that dies in the middle of a file leaves half of it. */
function tapBodies(bodies: Bodies, life: Life, disk: { readonly isFull: boolean }): void {
  const write = bodies.write.bind(bodies);
  const remove = bodies.remove.bind(bodies);
  bodies.write = (name, body) => {
    if (disk.isFull) throw new SealcamError('store-full', 'simulated');
    write(name, body.subarray(0, body.length >> 1));
    life.touch('half of a body');
    remove(fileName(name));
    write(name, body);
    life.touch('a body on the disk');
  };
  bodies.remove = (name) => {
    if (life.touch('the removal of a body')) remove(name);
  };
}
