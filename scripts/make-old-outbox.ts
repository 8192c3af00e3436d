/**
 * `node dist/scripts/make-old-outbox.js [FILE]`: writes test/fixtures/outbox-v1.sql, an outbox of the first released schema
 * with the keys of the golden vectors. Run once per schema version; the file is checked in, so that every later version
 * proves that it can read it.
 */
import { writeFileSync } from 'node:fs';
import { migrate } from '../agent/outbox/migrations.js';
import { openRaw, type Database } from '../agent/outbox/sqlite.js';
import { nodeSuite } from '../protocol/crypto/node.js';
import { recordKind } from '../protocol/objects/record.js';
import { signObject } from '../protocol/objects/signed-object.js';
import { seal } from '../protocol/seal/seal.js';
import { runCommand } from './command.js';
import { vectorRandom } from './vectors/keyring.js';
import { VectorWorld } from './vectors/signed.js';

const HELP = `node dist/scripts/make-old-outbox.js [FILE]

Writes an outbox of the first released schema as SQL into FILE (test/fixtures/outbox-v1.sql).

  --help    print this text

Exit status: 0 written, 2 wrong usage.
`;

await runCommand({
  name: 'make-old-outbox',
  help: HELP,
  options: {},
  positionalsMax: 1,
  readOptions: (_, [path = 'test/fixtures/outbox-v1.sql']) => path,
  main: (path) => {
    writeOldOutbox(path);
    return 0;
  },
});

function writeOldOutbox(path: string): void {
  const world = new VectorWorld(nodeSuite);
  const db = openRaw(':memory:');
  migrate(db, 1);

  const accept = signObject(recordKind, nodeSuite, world.device, world.record(0, world.claim.hash, { kind: 'accept' }));
  const eventId = world.id('event');
  const mediaId = world.id('media');
  const sealed = seal({
    suite: nodeSuite,
    random: vectorRandom(nodeSuite, 'old outbox'),
    context: {
      device: world.deviceId,
      account: world.account,
      epoch: 1,
      claimHash: world.claim.hash,
      eventId,
      mediaId,
    },
    recipients: [world.x25519('owner')],
    content: { detail: { area: 10 }, jpeg: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9) },
  });
  const motion = signObject(
    recordKind,
    nodeSuite,
    world.device,
    world.record(1, accept.hash, {
      kind: 'motion',
      event: { id: eventId, phase: 'start', revision: 0 },
      media: [
        {
          id: mediaId,
          role: 'thumbnail',
          length: sealed.body.length,
          bodyHash: nodeSuite.sha256(sealed.body),
          headerHash: nodeSuite.sha256(sealed.header),
        },
      ],
    }),
  );
  const insertEpoch = db.prepare(
    `INSERT INTO epoch (epoch, claim, claim_hash, is_open, head_seq, head_hash, produced) VALUES (1, ?, ?, 1, 1, ?, 2)`,
  );
  insertEpoch.run(world.claim.bytes, world.claim.hash, motion.hash);
  const insertRecord = db.prepare('INSERT INTO record (epoch, seq, hash, bytes, wall_ms) VALUES (1, ?, ?, ?, ?)');
  for (const { value, hash, bytes } of [accept, motion]) insertRecord.run(value.seq, hash, bytes, value.time.wallMs);
  db.prepare('INSERT INTO media (epoch, seq, position, media_id, header, body) VALUES (1, 1, 0, ?, ?, ?)').run(
    mediaId,
    sealed.header,
    sealed.body,
  );
  const size = accept.bytes.length + motion.bytes.length + sealed.header.length + sealed.body.length;
  db.prepare('UPDATE device SET last_epoch = 1, last_claim_hash = ?, queued_records = 2, queued_bytes = ?').run(
    world.claim.hash,
    size,
  );
  writeFileSync(path, dumpOf(db));
  db.close();
  process.stdout.write(`wrote ${path}\n`);
}

/** Returns the whole database as SQL statements: text, so that a diff of it can be read. */
function dumpOf(from: Database): string {
  const tables = from
    .prepare<[], { name: string; sql: string }>(
      "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY rowid",
    )
    .all();
  const version = String(from.pragma('user_version', { simple: true }));
  const rows = tables.flatMap(({ name }) => {
    const values = (from.pragma(`table_info(${name})`) as { name: string }[]).map((column) => `quote(${column.name})`);
    const select = `SELECT 'INSERT INTO ${name} VALUES (' || ${values.join(" || ', ' || ")} || ');' FROM ${name}`;
    return from.prepare<[], string>(select).pluck().all();
  });
  return [...tables.map(({ sql }) => `${sql};`), ...rows, `PRAGMA user_version = ${version};`, ''].join('\n');
}
