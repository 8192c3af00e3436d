import { SealcamError } from '../../common/errors.js';
import type { Database } from './sqlite.js';

/**
 * Steps from one schema version to the next; a released step is never edited.
 * `device` holds a single row. Epochs, records and media are keyed by epoch, never by an id alone.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE device (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last_epoch INTEGER NOT NULL,
    last_claim_hash BLOB,
    queued_records INTEGER NOT NULL DEFAULT 0,
    queued_bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO device (id, last_epoch) VALUES (1, 0);

  CREATE TABLE epoch (
    epoch INTEGER PRIMARY KEY,
    claim BLOB NOT NULL,
    claim_hash BLOB NOT NULL,
    is_open INTEGER NOT NULL,
    accept_receipted INTEGER NOT NULL DEFAULT 0,
    head_seq INTEGER NOT NULL,
    head_hash BLOB NOT NULL,
    produced INTEGER NOT NULL DEFAULT 0,
    receipted INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE record (
    epoch INTEGER NOT NULL REFERENCES epoch (epoch),
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL,
    wall_ms INTEGER,
    PRIMARY KEY (epoch, seq)
  ) STRICT;

  CREATE TABLE media (
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    media_id BLOB NOT NULL,
    header BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (epoch, seq, position),
    FOREIGN KEY (epoch, seq) REFERENCES record (epoch, seq) ON DELETE CASCADE
  ) STRICT;
  `,
  `
  ALTER TABLE epoch ADD COLUMN quarantined INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE epoch ADD COLUMN stopped INTEGER NOT NULL DEFAULT 0;
  -- 1 until the claim window of the first boot has opened, and again after a release or reset.
  ALTER TABLE device ADD COLUMN is_fresh INTEGER NOT NULL DEFAULT 1;

  CREATE TABLE quarantine (
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    code TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (epoch, seq)
  ) STRICT;

  -- Losses that no gap record names yet; adjacent ranges of one reason share a row.
  CREATE TABLE pending_loss (
    id INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    reason TEXT NOT NULL,
    from_seq INTEGER,
    to_seq INTEGER,
    media_id BLOB,
    count INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  `,
  `
  ALTER TABLE epoch ADD COLUMN command_counter INTEGER NOT NULL DEFAULT 0;

  -- The owner's last standing order of each kind, in its signed bytes.
  CREATE TABLE standing_order (
    action TEXT PRIMARY KEY,
    command BLOB NOT NULL
  ) STRICT;
  `,
  `
  -- Seq of the record that names this loss; null while pending. The row is deleted with that record's receipt, and pending
  -- again if that record is dropped. A lost picture has its record's seq in from_seq.
  ALTER TABLE pending_loss ADD COLUMN said_seq INTEGER;
  `,
  `
  -- The newest health records of the open epoch, one for each quarter of an hour of a boot: they tell how old the record is
  -- that an order names.
  CREATE TABLE health_mark (
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    boot BLOB NOT NULL,
    quarter INTEGER NOT NULL,
    PRIMARY KEY (epoch, seq),
    FOREIGN KEY (epoch) REFERENCES epoch (epoch) ON DELETE CASCADE
  ) STRICT;
  `,
  `
  -- How long this camera has run, over all its boots, by the monotonic times of its records: run_ms up to run_at_ms of the
  -- boot run_boot. moved_run_ms is run_ms of the last move past a receipt's head, null before the first.
  ALTER TABLE device ADD COLUMN run_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE device ADD COLUMN run_boot BLOB;
  ALTER TABLE device ADD COLUMN run_at_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE device ADD COLUMN moved_run_ms INTEGER;
  -- No receipt stops a camera any more; the column stays.
  UPDATE epoch SET stopped = 0;
  `,
  `
  -- The accept record, kept after its receipt for as long as the epoch: a cloud that was restored from a back-up needs it again.
  ALTER TABLE epoch ADD COLUMN accept BLOB;
  `,
  `
  -- KEM keys of a claim of version 2, one after the other in its order; null in an epoch of version 1.
  ALTER TABLE epoch ADD COLUMN kem_keys BLOB;

  -- Periods of version-2 epochs, by the place of their key record. Until its receipt there is a second copy of the record and of
  -- its object here: what was sealed in the period is worth nothing without it. delivered is 1 once the cloud has something that
  -- it opens. SQLite keeps these texts as they are: short, so that all of them fit on the first page of the file.
  CREATE TABLE period (
    epoch INTEGER NOT NULL REFERENCES epoch (epoch) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    period_id BLOB NOT NULL,
    record BLOB,
    body BLOB,
    delivered INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (epoch, seq),
    UNIQUE (epoch, period_id)
  ) STRICT;

  -- Which queued records need which key record, also when their objects are gone already.
  CREATE TABLE period_use (
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    key_seq INTEGER NOT NULL,
    PRIMARY KEY (epoch, seq, key_seq),
    UNIQUE (epoch, key_seq, seq),
    FOREIGN KEY (epoch, seq) REFERENCES record (epoch, seq) ON DELETE CASCADE
  ) STRICT;

  -- The highest counter that each signer has used under the claim of a version-2 epoch.
  CREATE TABLE order_counter (
    epoch INTEGER NOT NULL REFERENCES epoch (epoch) ON DELETE CASCADE,
    signer BLOB NOT NULL,
    counter INTEGER NOT NULL,
    PRIMARY KEY (epoch, signer)
  ) STRICT;
  -- The account under which an order was taken: it stands also when its signer is no recipient any more. Null before this step.
  ALTER TABLE standing_order ADD COLUMN account BLOB;
  `,
  `
  -- When the order was taken, UTC by the camera's clock; null where that was not set, and before this step.
  ALTER TABLE standing_order ADD COLUMN wall_ms INTEGER;
  `,
  `
  -- SQLite keeps the texts of all tables on the first page of the file, and there is no room for another: these get shorter ones.
  -- Each goes before it comes back, so that the page never overflows.
  ALTER TABLE epoch DROP COLUMN stopped;
  CREATE TEMP TABLE old1 AS SELECT * FROM quarantine;
  DROP TABLE quarantine;
  CREATE TABLE quarantine(epoch INT,seq INT,code TEXT NOT NULL,bytes BLOB NOT NULL,PRIMARY KEY(epoch,seq))STRICT;
  INSERT INTO quarantine SELECT * FROM old1;
  DROP TABLE old1;
  CREATE TEMP TABLE old2 AS SELECT * FROM health_mark;
  DROP TABLE health_mark;
  CREATE TABLE health_mark(epoch INT REFERENCES epoch ON DELETE CASCADE,seq INT,boot BLOB NOT NULL,quarter INT NOT NULL,PRIMARY KEY(epoch,seq))STRICT;
  INSERT INTO health_mark SELECT * FROM old2;
  DROP TABLE old2;
  CREATE TEMP TABLE old3 AS SELECT * FROM order_counter;
  DROP TABLE order_counter;
  CREATE TABLE order_counter(epoch INT REFERENCES epoch ON DELETE CASCADE,signer BLOB,counter INT NOT NULL,PRIMARY KEY(epoch,signer))STRICT;
  INSERT INTO order_counter SELECT * FROM old3;
  DROP TABLE old3;
  CREATE TEMP TABLE old4 AS SELECT * FROM pending_loss;
  DROP TABLE pending_loss;
  CREATE TABLE pending_loss(id INTEGER PRIMARY KEY,epoch INT NOT NULL,reason TEXT NOT NULL,from_seq INT,to_seq INT,media_id BLOB,count INT NOT NULL DEFAULT 0,said_seq INT)STRICT;
  INSERT INTO pending_loss SELECT * FROM old4;
  DROP TABLE old4;
  CREATE TEMP TABLE old5 AS SELECT * FROM period_use;
  DROP TABLE period_use;
  CREATE TABLE period_use(epoch INT,seq INT,key_seq INT,PRIMARY KEY(epoch,seq,key_seq),UNIQUE(epoch,key_seq,seq),FOREIGN KEY(epoch,seq)REFERENCES record ON DELETE CASCADE)STRICT;
  INSERT INTO period_use SELECT * FROM old5;
  DROP TABLE old5;

  -- Segments of clips, whose bodies are files beside the database; hash is that of the body. seq is the clip record that names it,
  -- clip_seq the first one of its clip, key_seq the key record without which nobody opens it; ready is 1 once seq has its receipt.
  CREATE TABLE segment(epoch INT REFERENCES epoch,hash BLOB,seq INT NOT NULL,clip_seq INT NOT NULL,idx INT NOT NULL,media_id BLOB NOT NULL,length INT NOT NULL,key_seq INT NOT NULL,ready INT NOT NULL,PRIMARY KEY(epoch,hash))STRICT;
  -- How many of them clip records of the epoch named, and what became of them.
  ALTER TABLE epoch ADD COLUMN clip_made INT NOT NULL DEFAULT 0;
  ALTER TABLE epoch ADD COLUMN clip_kept INT NOT NULL DEFAULT 0;
  ALTER TABLE epoch ADD COLUMN clip_lost INT NOT NULL DEFAULT 0;
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** Returns the error for a database whose schema is newer than this program. */
export function newerSchema(path: string, version: number): SealcamError {
  return new SealcamError(
    'store-newer',
    `${path} has schema ${String(version)}, this program knows up to ${String(SCHEMA_VERSION)}`,
  );
}

/**
 * Brings the schema up to date, each step in a transaction of its own. `target` is for tests that need an old database.
 *
 * @throws SealcamError `store-newer`
 */
export function migrate(db: Database, target: number = SCHEMA_VERSION): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > SCHEMA_VERSION) throw newerSchema(db.name, version);
  for (let step = version; step < target; step++) {
    db.transaction(() => {
      db.exec(MIGRATIONS[step] ?? '');
      db.pragma(`user_version = ${String(step + 1)}`);
    })();
  }
  // An older program reads the version from the file itself before it touches anything.
  if (version < target) db.pragma('wal_checkpoint(TRUNCATE)');
}
