/** Steps of the schema, numbered by their place. A step is never edited once released. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE claim (
    device BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    account BLOB NOT NULL,
    claim_hash BLOB NOT NULL,
    claim BLOB,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'revoked')),
    closed_at_seq INTEGER,
    accepted_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device, epoch)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX claim_by_account ON claim (account);

  CREATE TABLE member (
    key BLOB NOT NULL,
    device BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (key, device, epoch)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE offer (device BLOB PRIMARY KEY, offer BLOB NOT NULL, at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE pending_claim (
    device BLOB PRIMARY KEY, claim BLOB NOT NULL, mac BLOB, nonce BLOB NOT NULL, at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE status (
    device BLOB PRIMARY KEY, online INTEGER NOT NULL, agent TEXT NOT NULL, at_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE record (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    kind TEXT NOT NULL,
    bytes BLOB NOT NULL,
    received_at_ms INTEGER NOT NULL,
    UNIQUE (device, epoch, seq)
  ) STRICT;
  CREATE INDEX record_health ON record (device, epoch, seq) WHERE kind = 'health';
  CREATE INDEX record_received ON record (received_at_ms);

  CREATE TABLE media (
    device BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    media_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    header BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (device, epoch, media_id)
  ) STRICT;
  CREATE INDEX media_by_record ON media (device, epoch, seq);

  CREATE TABLE loss (
    device BLOB NOT NULL, epoch INTEGER NOT NULL, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL,
    PRIMARY KEY (device, epoch, from_seq, to_seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE media_loss (
    device BLOB NOT NULL, epoch INTEGER NOT NULL, media_id BLOB NOT NULL, PRIMARY KEY (device, epoch, media_id)
  ) STRICT, WITHOUT ROWID;
  -- Highest seq of a health record that reports an empty queue.
  CREATE TABLE drained (
    device BLOB NOT NULL, epoch INTEGER NOT NULL, up_to INTEGER NOT NULL, PRIMARY KEY (device, epoch)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL, device BLOB, verdict TEXT NOT NULL, reason TEXT NOT NULL, bytes BLOB NOT NULL
  ) STRICT;

  CREATE TABLE access (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    reader BLOB NOT NULL,
    device BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    what TEXT NOT NULL,
    from_seq INTEGER,
    to_seq INTEGER,
    media_id BLOB
  ) STRICT;
  CREATE INDEX access_by_camera ON access (device, epoch, at_ms);
  CREATE INDEX access_by_time ON access (at_ms);
  CREATE TRIGGER access_is_not_changed BEFORE UPDATE ON access
    BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END;
  CREATE TRIGGER access_is_not_deleted BEFORE DELETE ON access
    BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END;
  `,
  `
  -- An empty account means everybody.
  CREATE TABLE reads_pause (
    account BLOB PRIMARY KEY, sentence TEXT NOT NULL, since_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE reads_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('pause', 'resume')),
    account BLOB NOT NULL,
    sentence TEXT
  ) STRICT;
  CREATE TRIGGER reads_change_is_not_changed BEFORE UPDATE ON reads_change
    BEGIN SELECT RAISE(ABORT, 'the log of pauses is append-only'); END;
  CREATE TRIGGER reads_change_is_not_deleted BEFORE DELETE ON reads_change
    BEGIN SELECT RAISE(ABORT, 'the log of pauses is append-only'); END;
  `,
  `
  CREATE TABLE alarm (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('ingest', 'read', 'app')),
    verdict TEXT NOT NULL,
    device BLOB,
    epoch INTEGER,
    reader BLOB,
    reason TEXT NOT NULL,
    quarantine_id INTEGER
  ) STRICT;
  CREATE INDEX alarm_by_place ON alarm (place, id);
  CREATE INDEX alarm_by_time ON alarm (at_ms);
  `,
  `
  CREATE TABLE revocation (
    signer BLOB PRIMARY KEY,
    scope TEXT NOT NULL CHECK (scope IN ('owner', 'maker')),
    list_version INTEGER NOT NULL,
    list BLOB NOT NULL,
    stored_at_ms INTEGER NOT NULL
  ) STRICT;
  -- Only ever grows.
  CREATE TABLE revoked_device (device BLOB PRIMARY KEY, since_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TRIGGER revoked_device_stays BEFORE DELETE ON revoked_device
    BEGIN SELECT RAISE(ABORT, 'a revoked device stays revoked'); END;
  CREATE TRIGGER revoked_claim_stays BEFORE UPDATE OF state ON claim WHEN OLD.state = 'revoked' AND NEW.state <> 'revoked'
    BEGIN SELECT RAISE(ABORT, 'a revoked epoch stays revoked'); END;
  `,
  'CREATE INDEX status_online ON status (online) WHERE online = 1;',
  `
  -- Signed statements of browsers, owners and this cloud, and what is marked for deletion.
  CREATE TABLE heads_statement (
    key BLOB NOT NULL,
    browser BLOB NOT NULL,
    counter INTEGER NOT NULL,
    statement BLOB NOT NULL,
    stored_at_ms INTEGER NOT NULL,
    PRIMARY KEY (key, browser)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE floor_statement (
    device BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    below_seq INTEGER NOT NULL,
    statement BLOB NOT NULL,
    PRIMARY KEY (device, epoch)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE deletion_statement (
    device BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    hash BLOB NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    statement BLOB NOT NULL,
    account BLOB NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('range', 'account')),
    state TEXT NOT NULL CHECK (state IN ('marked', 'erasing', 'erased')),
    erase_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device, epoch, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX deletion_due ON deletion_statement (erase_at_ms) WHERE scope = 'range' AND state <> 'erased';
  CREATE INDEX deletion_by_account ON deletion_statement (account) WHERE scope = 'account';
  CREATE TABLE account_deletion (
    account BLOB PRIMARY KEY,
    owner_key BLOB NOT NULL,
    erase_at_ms INTEGER NOT NULL,
    is_erasing INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX account_deletion_due ON account_deletion (erase_at_ms);
  -- Who may read the statements of an erased epoch: a hash over its claim and the reader's key, and nothing else.
  CREATE TABLE deletion_reader (token BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
  `,
  `
  -- The newest time that the cloud trusted; it only rises. What was stored before this step is trusted as it is.
  CREATE TABLE newest_time (id INTEGER PRIMARY KEY CHECK (id = 1), at_ms INTEGER NOT NULL) STRICT;
  INSERT INTO newest_time SELECT 1, received_at_ms FROM record ORDER BY received_at_ms DESC LIMIT 1;
  CREATE TRIGGER newest_time_rises BEFORE UPDATE ON newest_time WHEN NEW.at_ms < OLD.at_ms
    BEGIN SELECT RAISE(ABORT, 'the newest time only rises'); END;
  CREATE TRIGGER newest_time_stays BEFORE DELETE ON newest_time
    BEGIN SELECT RAISE(ABORT, 'the newest time only rises'); END;

  -- From when the retention of a record counts, where that is later than its receive time.
  ALTER TABLE record ADD COLUMN kept_from_ms INTEGER;
  CREATE INDEX record_kept_from ON record (coalesce(kept_from_ms, received_at_ms));

  -- The same table with one more place.
  CREATE TABLE alarm_of_any_place (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('ingest', 'read', 'app', 'clock')),
    verdict TEXT NOT NULL,
    device BLOB,
    epoch INTEGER,
    reader BLOB,
    reason TEXT NOT NULL,
    quarantine_id INTEGER
  ) STRICT;
  INSERT INTO alarm_of_any_place SELECT id, at_ms, place, verdict, device, epoch, reader, reason, quarantine_id FROM alarm;
  DROP TABLE alarm;
  ALTER TABLE alarm_of_any_place RENAME TO alarm;
  CREATE INDEX alarm_by_place ON alarm (place, id);
  CREATE INDEX alarm_by_time ON alarm (at_ms);
  `,
  `
  -- Finds what a person reads by household, and who else names that person. The account is that of the claim.
  ALTER TABLE member ADD COLUMN account BLOB;
  UPDATE member SET account = (
    SELECT account FROM claim WHERE claim.device = member.device AND claim.epoch = member.epoch);
  CREATE INDEX member_by_account ON member (key, account, epoch);

  CREATE INDEX offer_by_time ON offer (at_ms);
  CREATE INDEX pending_claim_by_time ON pending_claim (at_ms);
  CREATE INDEX alarm_by_device ON alarm (place, device, id);
  CREATE INDEX alarm_by_reader ON alarm (place, reader, id);
  `,
  `
  -- UTC days, since 1970, of which an operator wrote lines of the access log to an archive. Only those may go.
  CREATE TABLE access_archive (day INTEGER PRIMARY KEY) STRICT;
  CREATE TRIGGER access_archive_is_not_changed BEFORE UPDATE ON access_archive
    BEGIN SELECT RAISE(ABORT, 'an archived day stays noted'); END;
  CREATE TRIGGER access_archive_is_not_deleted BEFORE DELETE ON access_archive
    BEGIN SELECT RAISE(ABORT, 'an archived day stays noted'); END;
  DROP TRIGGER access_is_not_deleted;
  CREATE TRIGGER access_is_not_deleted BEFORE DELETE ON access
    WHEN NOT EXISTS (SELECT 1 FROM access_archive WHERE day = OLD.at_ms / 86400000)
    BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END;
  `,
  `
  -- Finds what arrived of an epoch after a record, and what arrived last: an index of SQLite ends with the id.
  CREATE INDEX record_by_epoch ON record (device, epoch);
  `,
  `
  -- Protocol version 2. KEM keys by their hash; a claim names hashes. The version of a claim is that of its epoch.
  ALTER TABLE claim ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE pending_claim ADD COLUMN kem_keys BLOB;
  ALTER TABLE member ADD COLUMN kem BLOB;
  CREATE INDEX member_by_kem ON member (kem) WHERE kem IS NOT NULL;
  CREATE TABLE kem_key (hash BLOB PRIMARY KEY, key BLOB NOT NULL) STRICT;

  -- KEM keys of browsers that wait to be named in a claim, for a day.
  CREATE TABLE offered_kem_key (
    signer BLOB PRIMARY KEY, hash BLOB NOT NULL, key BLOB NOT NULL, at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX offered_kem_key_by_hash ON offered_kem_key (hash);
  CREATE INDEX offered_kem_key_by_time ON offered_kem_key (at_ms);

  -- The first key record of each period, also after it has gone: a second with another hash is never stored.
  CREATE TABLE period (
    device BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    period_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (device, epoch, period_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX period_by_seq ON period (device, epoch, seq);
  -- Records with something that only the key record of the period opens.
  CREATE TABLE period_use (
    device BLOB NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, period_id BLOB NOT NULL,
    PRIMARY KEY (device, epoch, seq, period_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX period_use_by_period ON period_use (device, epoch, period_id);
  `,
  `
  -- The same offer in version 2, of a camera that takes a claim of either.
  ALTER TABLE offer ADD COLUMN offer_v2 BLOB;
  `,
  `
  -- Segments of clips, by the hash of their sealed body. The bodies lie in the MediaStore.
  CREATE TABLE segment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    body_hash BLOB NOT NULL,
    account BLOB NOT NULL,
    seq INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    clip INTEGER NOT NULL,
    place INTEGER NOT NULL,
    media_id BLOB NOT NULL,
    length INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('expected', 'stored', 'deleted', 'quota')),
    received_at_ms INTEGER NOT NULL,
    UNIQUE (device, epoch, body_hash)
  ) STRICT;
  CREATE INDEX segment_by_record ON segment (device, epoch, seq);
  CREATE INDEX segment_by_age ON segment (received_at_ms) WHERE state IN ('expected', 'stored');
  -- Bytes of stored bodies.
  CREATE TABLE segment_use (
    account BLOB NOT NULL, device BLOB NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (account, device)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX segment_use_by_device ON segment_use (device);
  -- Bodies that may lie in the MediaStore without a row that needs them.
  CREATE TABLE discarded_body (
    device BLOB NOT NULL, epoch INTEGER NOT NULL, body_hash BLOB NOT NULL, since_ms INTEGER,
    PRIMARY KEY (device, epoch, body_hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX discarded_body_by_time ON discarded_body (since_ms);

  CREATE TRIGGER segment_is_stored AFTER UPDATE OF state ON segment WHEN OLD.state <> 'stored' AND NEW.state = 'stored' BEGIN
    INSERT INTO segment_use VALUES (NEW.account, NEW.device, NEW.length)
      ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER segment_is_refused AFTER UPDATE OF state ON segment
    WHEN OLD.state IN ('expected', 'stored') AND NEW.state NOT IN ('expected', 'stored') BEGIN
    INSERT OR REPLACE INTO discarded_body VALUES (OLD.device, OLD.epoch, OLD.body_hash, NULL);
    UPDATE segment_use SET bytes = bytes - OLD.length
      WHERE account = OLD.account AND device = OLD.device AND OLD.state = 'stored';
    DELETE FROM segment_use WHERE account = OLD.account AND device = OLD.device AND bytes = 0;
  END;
  CREATE TRIGGER segment_is_gone AFTER DELETE ON segment WHEN OLD.state IN ('expected', 'stored') BEGIN
    INSERT OR REPLACE INTO discarded_body VALUES (OLD.device, OLD.epoch, OLD.body_hash, NULL);
    UPDATE segment_use SET bytes = bytes - OLD.length
      WHERE account = OLD.account AND device = OLD.device AND OLD.state = 'stored';
    DELETE FROM segment_use WHERE account = OLD.account AND device = OLD.device AND bytes = 0;
  END;
  `,
  `
  -- Looks: the session id of the order, and where the look ended the live bytes that were relayed and for how long.
  ALTER TABLE access ADD COLUMN look_session BLOB;
  ALTER TABLE access ADD COLUMN look_bytes INTEGER;
  ALTER TABLE access ADD COLUMN look_seconds INTEGER;
  `,
  `
  -- What the browsers of a household share, sealed to them. Of an object that another one was made from, only its name stays.
  CREATE TABLE household_settings (
    account BLOB NOT NULL,
    hash BLOB NOT NULL,
    version INTEGER NOT NULL,
    object BLOB,
    stored_at_ms INTEGER NOT NULL,
    PRIMARY KEY (account, hash)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Browsers that asked for notifications, by the key of their session.
  CREATE TABLE push_subscription (
    id BLOB PRIMARY KEY,
    key BLOB NOT NULL,
    endpoint TEXT NOT NULL,
    p256dh BLOB NOT NULL,
    auth BLOB NOT NULL,
    choices TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    last_ok_ms INTEGER,
    failing_since_ms INTEGER,
    seen_at_ms INTEGER NOT NULL,
    UNIQUE (key, endpoint)
  ) STRICT;
  CREATE INDEX push_subscription_by_time ON push_subscription (seen_at_ms);
  -- The last silence that the household of an epoch heard of.
  CREATE TABLE push_silence (
    device BLOB NOT NULL, epoch INTEGER NOT NULL, since_ms INTEGER NOT NULL, PRIMARY KEY (device, epoch)
  ) STRICT, WITHOUT ROWID;
  `,
];
