import type { Agent } from '../../../agent/main/agent.js';
import type { UplinkSocket } from '../../../agent/uplink/socket.js';
import type { PutBody } from '../../../agent/upload/put.js';
import type { MediaStore } from '../../../cloud/media/media-store.js';
import type { ClaimRow, CloudStore } from '../../../cloud/store/store.js';
import { fromHex } from '../../../common/bytes.js';
import { simSuite } from './suite.js';
import { mediaReceiptKind } from '../../../protocol/objects/media-receipt.js';
import { anyReceiptKind } from '../../../protocol/objects/receipt.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned, signObject } from '../../../protocol/objects/signed-object.js';
import { decodeUp } from '../../../protocol/transport/messages.js';
import type { ObservedCamera } from './observed.js';
import type { Oracle } from './oracle.js';
import { dropKeys, storeOf } from '../../support/outbox-store.js';
import { recordKey } from '../../../protocol/objects/ids.js';
import { withRows } from '../../support/worlds/wrong-rows.js';

/** A bug around a real part, put there from outside. A simulation that does not find it proves nothing. */
export interface Plant {
  readonly what: string;
  readonly agent?: (agent: Agent, camera: ObservedCamera, oracle: Oracle) => void;
  readonly socket?: (socket: UplinkSocket, camera: ObservedCamera) => UplinkSocket;
  readonly put?: (put: PutBody, camera: ObservedCamera) => PutBody;
  readonly store?: (store: CloudStore) => CloudStore;
  readonly media?: (store: MediaStore) => MediaStore;
  readonly maxBytes?: number;
}

const anyone = simSuite.ed25519Signer(new Uint8Array(32).fill(7));

export const PLANTS: Readonly<Record<string, Plant>> = {
  'puback-as-receipt': {
    what: "the broker's acknowledgement deletes the record",
    socket: (socket, camera) => ({
      ...socket,
      publish: async (topic, payload) => {
        const result = await socket.publish(topic, payload);
        const message = topic.endsWith('/up') ? decodeUp(payload) : null;
        if (message?.type !== 'records') return result;
        for (const { record } of message.records) {
          const { value, hash } = openSigned(anyRecordKind, simSuite, record);
          const { version, device, epoch, claimHash, seq, time } = value;
          const ranges = [[seq, seq, hash]] as const;
          const receipt = signObject(anyReceiptKind, simSuite, anyone, {
            ...(version === undefined ? {} : { version }),
            device,
            epoch,
            claimHash,
            ranges,
          });
          camera.agent?.outbox.applyReceipt(receipt, time);
        }
        return result;
      },
    }),
  },
  'double-seq': {
    what: 'a camera forgets its last seq when it restarts',
    agent: ({ outbox }, camera, oracle) => {
      const { queries } = storeOf(outbox);
      const open = queries.openEpoch.get();
      if (open === undefined || open.head_seq < 2) return;
      const last = oracle.made.get(recordKey({ device: camera.hex, epoch: open.epoch, seq: open.head_seq }));
      if (last === undefined || outbox.find(last.record.value) !== null) return;
      queries.moveHead.run({ epoch: open.epoch, seq: open.head_seq - 1, hash: last.record.value.prev });
    },
  },
  'wrong-epoch': {
    what: 'a picture sealed under one claim is recorded under the next',
    agent: ({ outbox }) => {
      const append = outbox.append.bind(outbox);
      outbox.append = (content, media) => append(content, media);
    },
  },
  'silent-drop': {
    what: 'a full outbox drops records without a gap',
    agent: ({ outbox }) => {
      const { losses } = storeOf(outbox);
      losses.addRange = () => undefined;
    },
  },
  'sent-as-media-receipt': {
    what: 'a body that was sent is deleted, whatever came of it',
    put: (put, camera) => ({
      close: () => undefined,
      put: async (upload) => {
        const [, , , , epoch = '', hash = ''] = upload.path.split('/');
        const bodyHash = fromHex(hash, 32);
        const claim = camera.agent?.outbox.claimOf(Number(epoch));
        try {
          return await put.put(upload);
        } finally {
          if (bodyHash !== undefined && claim !== undefined && claim !== null && !camera.life.isDead) {
            const receipt = signObject(mediaReceiptKind, simSuite, anyone, {
              version: 2,
              device: camera.device,
              epoch: Number(epoch),
              claimHash: claim.hash,
              entries: [[bodyHash, 'stored']],
              issuedAtMs: 0,
            });
            camera.agent?.outbox.applyMediaReceipt(receipt);
          }
        }
      },
    }),
  },
  'silent-body-drop': {
    what: 'bodies that are given up have no loss',
    agent: ({ outbox }) => {
      const { segments, losses } = storeOf(outbox);
      const drop = segments.drop.bind(segments);
      segments.drop = (...given) => {
        const addMedia = losses.addMedia.bind(losses);
        losses.addMedia = () => undefined;
        drop(...given);
        losses.addMedia = addMedia;
      };
    },
  },
  'media-receipt-before-store': {
    what: 'the media store says that it has bodies which it did not store',
    media: (store) => ({
      put: (key) => Promise.resolve(key.bodyHash),
      get: (key) => store.get(key),
      remove: (key) => store.remove(key),
      close: () => store.close(),
    }),
  },
  'drops-keys': {
    what: 'a full outbox drops key records like any other record',
    agent: ({ outbox }) => {
      dropKeys(outbox);
    },
  },
  'no-limit': { what: 'the outbox has no limit', maxBytes: 1e9 },
  unsigned: {
    what: 'one byte of a message was not signed',
    socket: (socket) => ({
      ...socket,
      publish: (topic, payload) => {
        const altered = payload.slice();
        const last = altered.length - 1;
        if (topic.endsWith('/up')) altered[last] = (altered[last] ?? 0) ^ 1;
        return socket.publish(topic, altered);
      },
    }),
  },
  'publish-before-persist': {
    what: 'a record is published before its commit',
    agent: (agent) => {
      const { outbox } = agent;
      const store = storeOf(outbox);
      const insert = store.insert.bind(store);
      store.insert = (...args) => {
        const record = insert(...args);
        agent.uplink.recordsAppended(1);
        return record;
      };
    },
  },
  'receipt-before-store': {
    what: 'the cloud receipts records that it did not store',
    store: (store) => {
      let calls = 0;
      return {
        ...store,
        records: {
          ...store.records,
          put: async (record, media, atMs, bind) => {
            if (++calls % 7 !== 0) return store.records.put(record, media, atMs, bind);
            const { device, epoch } = record.value;
            const row = await store.claims.row(device, epoch);
            return bind?.({ row, isRevoked: false }) === false ? { outcome: 'unbound' } : { outcome: 'stored', id: 0 };
          },
          mediaPresent: (_device, _epoch, _seq, ids) => Promise.resolve(ids.map(() => true)),
        },
      };
    },
  },
  'cached-row': {
    what: 'a cache of claims is keyed by the epoch alone',
    store: (store) => {
      const kept = new Map<number, ClaimRow>();
      return withRows(store, async (device, epoch) => {
        const row = kept.get(epoch) ?? (await store.claims.row(device, epoch));
        if (row !== undefined) kept.set(epoch, row);
        return row;
      });
    },
  },
  'waits-for-ever': {
    what: 'a restarted camera never connects',
    agent: ({ uplink }, camera) => {
      if (camera.lives > 1) uplink.start = () => undefined;
    },
  },
};
