/**
 * Numbered steps of the schema; a step is never edited once released.
 *
 * A record is a row of record_key, which alone decides that the record exists and to which camera it belongs, and its
 * bytes in record_body. The bodies are partitioned by day, so that a day's pictures are dropped as one table. The key
 * names the day; a body without a key counts as deleted.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE claim (
    device bytea NOT NULL,
    epoch bigint NOT NULL,
    account bytea NOT NULL,
    claim_hash bytea NOT NULL,
    claim bytea,
    state text NOT NULL CHECK (state IN ('open', 'closed', 'revoked')),
    closed_at_seq bigint,
    accepted_at_ms bigint NOT NULL,
    PRIMARY KEY (device, epoch)
  );
  CREATE INDEX claim_by_account ON claim (account);
  CREATE INDEX claim_open ON claim (device, epoch) WHERE state = 'open';

  CREATE TABLE member (
    key bytea NOT NULL,
    device bytea NOT NULL,
    epoch bigint NOT NULL,
    PRIMARY KEY (key, device, epoch)
  );
  CREATE INDEX member_by_epoch ON member (device, epoch);

  CREATE TABLE offer (device bytea PRIMARY KEY, offer bytea NOT NULL, at_ms bigint NOT NULL);
  CREATE TABLE pending_claim (
    device bytea PRIMARY KEY, claim bytea NOT NULL, mac bytea, nonce bytea NOT NULL, at_ms bigint NOT NULL
  );
  CREATE TABLE status (device bytea PRIMARY KEY, online boolean NOT NULL, agent text NOT NULL, at_ms bigint NOT NULL)
    WITH (fillfactor = 70);
  CREATE INDEX status_online ON status (online) WHERE online;

  -- A number of arrival is the transaction's own number and a place in it: whatever committed later than a transaction
  -- that is still open has a higher one, so a reader that stays below the oldest open transaction misses nothing.
  -- After a restore into another cluster, whose transactions count from the start, the base lifts new numbers above the old.
  CREATE TABLE arrival_base (base bigint NOT NULL);
  INSERT INTO arrival_base VALUES (0);
  CREATE FUNCTION arrival_id(place integer) RETURNS bigint LANGUAGE sql VOLATILE AS
    'SELECT (base + pg_current_xact_id()::text::bigint) * 256 + place FROM arrival_base';
  CREATE FUNCTION arrival_horizon() RETURNS bigint LANGUAGE sql STABLE AS
    'SELECT (base + pg_snapshot_xmin(pg_current_snapshot())::text::bigint) * 256 FROM arrival_base';

  CREATE TABLE record_key (
    device bytea NOT NULL,
    epoch bigint NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    kind text NOT NULL,
    id bigint NOT NULL,
    received_at_ms bigint NOT NULL,
    day integer NOT NULL,
    PRIMARY KEY (device, epoch, seq)
  );
  CREATE UNIQUE INDEX record_by_arrival ON record_key (id);
  CREATE INDEX record_health ON record_key (device, epoch, seq) WHERE kind = 'health';
  CREATE INDEX record_received ON record_key (received_at_ms);
  CREATE INDEX record_by_day ON record_key (day);
  CREATE TABLE record_body (
    day integer NOT NULL,
    device bytea NOT NULL,
    epoch bigint NOT NULL,
    seq bigint NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (device, epoch, seq, day)
  ) PARTITION BY RANGE (day);

  CREATE TABLE media_key (
    device bytea NOT NULL,
    epoch bigint NOT NULL,
    media_id bytea NOT NULL,
    seq bigint NOT NULL,
    day integer NOT NULL,
    PRIMARY KEY (device, epoch, media_id)
  );
  CREATE INDEX media_by_record ON media_key (device, epoch, seq);
  CREATE INDEX media_by_day ON media_key (day);
  CREATE TABLE media_body (
    day integer NOT NULL,
    device bytea NOT NULL,
    epoch bigint NOT NULL,
    media_id bytea NOT NULL,
    header bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (device, epoch, media_id, day)
  ) PARTITION BY RANGE (day);
  -- Ciphertext does not compress.
  ALTER TABLE media_body ALTER COLUMN body SET STORAGE EXTERNAL;

  CREATE TABLE loss (
    device bytea NOT NULL, epoch bigint NOT NULL, from_seq bigint NOT NULL, to_seq bigint NOT NULL,
    PRIMARY KEY (device, epoch, from_seq, to_seq)
  );
  CREATE TABLE media_loss (
    device bytea NOT NULL, epoch bigint NOT NULL, media_id bytea NOT NULL, PRIMARY KEY (device, epoch, media_id)
  );
  -- Highest seq of a health record that reports an empty queue.
  CREATE TABLE drained (
    device bytea NOT NULL, epoch bigint NOT NULL, up_to bigint NOT NULL, PRIMARY KEY (device, epoch)
  );

  CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms bigint NOT NULL, device bytea, verdict text NOT NULL, reason text NOT NULL, bytes bytea NOT NULL
  );
  CREATE TABLE alarm (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms bigint NOT NULL,
    place text NOT NULL CHECK (place IN ('ingest', 'read', 'app')),
    verdict text NOT NULL,
    device bytea,
    epoch bigint,
    reader bytea,
    reason text NOT NULL,
    quarantine_id bigint
  );
  CREATE INDEX alarm_by_place ON alarm (place, id);
  CREATE INDEX alarm_by_time ON alarm (at_ms);

  CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0]; END';

  CREATE SEQUENCE access_id;
  CREATE TABLE access (
    id bigint NOT NULL DEFAULT nextval('access_id'),
    at_ms bigint NOT NULL,
    reader bytea NOT NULL,
    device bytea NOT NULL,
    epoch bigint NOT NULL,
    what text NOT NULL,
    from_seq bigint,
    to_seq bigint,
    media_id bytea,
    PRIMARY KEY (id, at_ms)
  ) PARTITION BY RANGE (at_ms);
  CREATE INDEX access_by_camera ON access (device, epoch, id);
  CREATE INDEX access_by_time ON access (at_ms);
  CREATE TRIGGER access_stays BEFORE UPDATE OR DELETE ON access
    FOR EACH ROW EXECUTE FUNCTION stays('the access log is append-only');
  CREATE TRIGGER access_is_not_emptied BEFORE TRUNCATE ON access EXECUTE FUNCTION stays('the access log is append-only');

  -- An empty account means everybody.
  CREATE TABLE reads_pause (account bytea PRIMARY KEY, sentence text NOT NULL, since_ms bigint NOT NULL);
  CREATE TABLE reads_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms bigint NOT NULL,
    action text NOT NULL CHECK (action IN ('pause', 'resume')),
    account bytea NOT NULL,
    sentence text
  );
  CREATE TRIGGER reads_change_stays BEFORE UPDATE OR DELETE ON reads_change
    FOR EACH ROW EXECUTE FUNCTION stays('the log of pauses is append-only');

  CREATE TABLE revocation (
    signer bytea PRIMARY KEY,
    scope text NOT NULL CHECK (scope IN ('owner', 'maker')),
    list_version bigint NOT NULL,
    list bytea NOT NULL,
    stored_at_ms bigint NOT NULL
  );
  -- Only ever grows.
  CREATE TABLE revoked_device (device bytea PRIMARY KEY, since_ms bigint NOT NULL);
  CREATE TRIGGER revoked_device_stays BEFORE DELETE ON revoked_device
    FOR EACH ROW EXECUTE FUNCTION stays('a revoked device stays revoked');
  CREATE TRIGGER revoked_claim_stays BEFORE UPDATE OF state ON claim
    FOR EACH ROW WHEN (OLD.state = 'revoked' AND NEW.state <> 'revoked')
    EXECUTE FUNCTION stays('a revoked epoch stays revoked');
  `,
  `
  -- Signed statements of browsers, owners and this cloud, and what is marked for deletion.
  CREATE TABLE heads_statement (
    key bytea NOT NULL,
    browser bytea NOT NULL,
    counter bigint NOT NULL,
    statement bytea NOT NULL,
    stored_at_ms bigint NOT NULL,
    PRIMARY KEY (key, browser)
  );
  CREATE TABLE floor_statement (
    device bytea NOT NULL,
    epoch bigint NOT NULL,
    below_seq bigint NOT NULL,
    statement bytea NOT NULL,
    PRIMARY KEY (device, epoch)
  );
  CREATE TABLE deletion_statement (
    device bytea NOT NULL,
    epoch bigint NOT NULL,
    hash bytea NOT NULL,
    from_seq bigint NOT NULL,
    to_seq bigint NOT NULL,
    statement bytea NOT NULL,
    account bytea NOT NULL,
    scope text NOT NULL CHECK (scope IN ('range', 'account')),
    state text NOT NULL CHECK (state IN ('marked', 'erasing', 'erased')),
    erase_at_ms bigint NOT NULL,
    PRIMARY KEY (device, epoch, hash)
  );
  CREATE INDEX deletion_due ON deletion_statement (erase_at_ms) WHERE scope = 'range' AND state <> 'erased';
  CREATE INDEX deletion_by_account ON deletion_statement (account) WHERE scope = 'account';
  CREATE TABLE account_deletion (
    account bytea PRIMARY KEY,
    owner_key bytea NOT NULL,
    erase_at_ms bigint NOT NULL,
    is_erasing boolean NOT NULL
  );
  CREATE INDEX account_deletion_due ON account_deletion (erase_at_ms);
  -- Who may read the statements of an erased epoch: a hash over its claim and the reader's key, and nothing else.
  CREATE TABLE deletion_reader (token bytea PRIMARY KEY);
  `,
  `
  -- The newest time that the cloud trusted; it only rises. What was stored before this step is trusted as it is.
  CREATE TABLE newest_time (id integer PRIMARY KEY CHECK (id = 1), at_ms bigint NOT NULL) WITH (fillfactor = 50);
  INSERT INTO newest_time SELECT 1, received_at_ms FROM record_key ORDER BY received_at_ms DESC LIMIT 1;
  CREATE TRIGGER newest_time_rises BEFORE UPDATE ON newest_time
    FOR EACH ROW WHEN (NEW.at_ms < OLD.at_ms) EXECUTE FUNCTION stays('the newest time only rises');
  CREATE TRIGGER newest_time_stays BEFORE DELETE ON newest_time
    FOR EACH ROW EXECUTE FUNCTION stays('the newest time only rises');

  -- From when the retention of a record counts, where that is later than its receive time.
  ALTER TABLE record_key ADD COLUMN kept_from_ms bigint;
  CREATE INDEX record_kept_from ON record_key (coalesce(kept_from_ms, received_at_ms), id);

  ALTER TABLE alarm DROP CONSTRAINT alarm_place_check;
  ALTER TABLE alarm ADD CONSTRAINT alarm_place_check CHECK (place IN ('ingest', 'read', 'app', 'clock'));
  `,
  `
  -- Finds what a person reads by household, and who else names that person. The account is that of the claim.
  ALTER TABLE member ADD COLUMN account bytea;
  UPDATE member SET account = claim.account FROM claim WHERE claim.device = member.device AND claim.epoch = member.epoch;
  CREATE INDEX member_by_account ON member (key, account, epoch);

  CREATE INDEX offer_by_time ON offer (at_ms);
  CREATE INDEX pending_claim_by_time ON pending_claim (at_ms);
  CREATE INDEX alarm_by_device ON alarm (place, device, id);
  CREATE INDEX alarm_by_reader ON alarm (place, reader, id);
  `,
  `
  -- UTC days, since 1970, of which an operator wrote lines of the access log to an archive. Only those may go.
  CREATE TABLE access_archive (day bigint PRIMARY KEY);
  CREATE TRIGGER access_archive_stays BEFORE UPDATE OR DELETE ON access_archive
    FOR EACH ROW EXECUTE FUNCTION stays('an archived day stays noted');
  CREATE TRIGGER access_archive_is_not_emptied BEFORE TRUNCATE ON access_archive
    EXECUTE FUNCTION stays('an archived day stays noted');
  CREATE FUNCTION goes_archived() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN
       IF NOT EXISTS (SELECT 1 FROM access_archive WHERE day = OLD.at_ms / 86400000) THEN
         RAISE EXCEPTION USING MESSAGE = TG_ARGV[0];
       END IF;
       RETURN OLD;
     END';
  DROP TRIGGER access_stays ON access;
  CREATE TRIGGER access_stays BEFORE UPDATE ON access
    FOR EACH ROW EXECUTE FUNCTION stays('the access log is append-only');
  CREATE TRIGGER access_goes_archived BEFORE DELETE ON access
    FOR EACH ROW EXECUTE FUNCTION goes_archived('the access log is append-only');
  `,
  `
  -- Finds what arrived of an epoch after a record, and what arrived last.
  CREATE INDEX record_by_epoch ON record_key (device, epoch, id);
  `,
  `
  -- Protocol version 2. KEM keys by their hash; a claim names hashes. The version of a claim is that of its epoch.
  ALTER TABLE claim ADD COLUMN version integer NOT NULL DEFAULT 1;
  ALTER TABLE pending_claim ADD COLUMN kem_keys bytea;
  ALTER TABLE member ADD COLUMN kem bytea;
  CREATE INDEX member_by_kem ON member (kem) WHERE kem IS NOT NULL;
  CREATE TABLE kem_key (hash bytea PRIMARY KEY, key bytea NOT NULL);

  -- KEM keys of browsers that wait to be named in a claim, for a day.
  CREATE TABLE offered_kem_key (
    signer bytea PRIMARY KEY, hash bytea NOT NULL, key bytea NOT NULL, at_ms bigint NOT NULL
  );
  CREATE INDEX offered_kem_key_by_hash ON offered_kem_key (hash);
  CREATE INDEX offered_kem_key_by_time ON offered_kem_key (at_ms);

  -- The first key record of each period, also after it has gone: a second with another hash is never stored.
  CREATE TABLE period (
    device bytea NOT NULL,
    epoch bigint NOT NULL,
    period_id bytea NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (device, epoch, period_id)
  );
  CREATE INDEX period_by_seq ON period (device, epoch, seq);
  -- Records with something that only the key record of the period opens.
  CREATE TABLE period_use (
    device bytea NOT NULL, epoch bigint NOT NULL, seq bigint NOT NULL, period_id bytea NOT NULL,
    PRIMARY KEY (device, epoch, seq, period_id)
  );
  CREATE INDEX period_use_by_period ON period_use (device, epoch, period_id);
  `,
  `
  -- The same offer in version 2, of a camera that takes a claim of either.
  ALTER TABLE offer ADD COLUMN offer_v2 bytea;
  `,
  `
  -- Segments of clips, by the hash of their sealed body. The bodies lie in the MediaStore.
  CREATE TABLE segment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device bytea NOT NULL,
    epoch bigint NOT NULL,
    body_hash bytea NOT NULL,
    account bytea NOT NULL,
    seq bigint NOT NULL,
    event_id bytea NOT NULL,
    clip integer NOT NULL,
    place integer NOT NULL,
    media_id bytea NOT NULL,
    length integer NOT NULL,
    state text NOT NULL CHECK (state IN ('expected', 'stored', 'deleted', 'quota')),
    received_at_ms bigint NOT NULL,
    UNIQUE (device, epoch, body_hash)
  );
  CREATE INDEX segment_by_record ON segment (device, epoch, seq);
  CREATE INDEX segment_by_age ON segment (received_at_ms) WHERE state IN ('expected', 'stored');
  -- Bytes of stored bodies.
  CREATE TABLE segment_use (
    account bytea NOT NULL, device bytea NOT NULL, bytes bigint NOT NULL, PRIMARY KEY (account, device)
  ) WITH (fillfactor = 70);
  CREATE INDEX segment_use_by_device ON segment_use (device);
  -- Bodies that may lie in the MediaStore without a row that needs them.
  CREATE TABLE discarded_body (
    device bytea NOT NULL, epoch bigint NOT NULL, body_hash bytea NOT NULL, since_ms bigint,
    PRIMARY KEY (device, epoch, body_hash)
  );
  CREATE INDEX discarded_body_by_time ON discarded_body (since_ms);

  CREATE FUNCTION segment_is_stored() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN
       INSERT INTO segment_use AS u VALUES (NEW.account, NEW.device, NEW.length)
         ON CONFLICT (account, device) DO UPDATE SET bytes = u.bytes + excluded.bytes;
       RETURN NULL;
     END';
  CREATE FUNCTION segment_is_gone() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN
       INSERT INTO discarded_body VALUES (OLD.device, OLD.epoch, OLD.body_hash, NULL)
         ON CONFLICT (device, epoch, body_hash) DO UPDATE SET since_ms = NULL;
       IF OLD.state = ''stored'' THEN
         UPDATE segment_use SET bytes = bytes - OLD.length WHERE account = OLD.account AND device = OLD.device;
         DELETE FROM segment_use WHERE account = OLD.account AND device = OLD.device AND bytes = 0;
       END IF;
       RETURN NULL;
     END';
  CREATE TRIGGER segment_is_stored AFTER UPDATE OF state ON segment
    FOR EACH ROW WHEN (OLD.state <> 'stored' AND NEW.state = 'stored') EXECUTE FUNCTION segment_is_stored();
  CREATE TRIGGER segment_is_refused AFTER UPDATE OF state ON segment
    FOR EACH ROW WHEN (OLD.state IN ('expected', 'stored') AND NEW.state NOT IN ('expected', 'stored'))
    EXECUTE FUNCTION segment_is_gone();
  CREATE TRIGGER segment_is_gone AFTER DELETE ON segment
    FOR EACH ROW WHEN (OLD.state IN ('expected', 'stored')) EXECUTE FUNCTION segment_is_gone();
  `,
  `
  -- Looks: the session id of the order, and where the look ended the live bytes that were relayed and for how long.
  ALTER TABLE access ADD COLUMN look_session bytea;
  ALTER TABLE access ADD COLUMN look_bytes bigint;
  ALTER TABLE access ADD COLUMN look_seconds bigint;
  `,
  `
  -- What the browsers of a household share, sealed to them. Of an object that another one was made from, only its name stays.
  CREATE TABLE household_settings (
    account bytea NOT NULL,
    hash bytea NOT NULL,
    version bigint NOT NULL,
    object bytea,
    stored_at_ms bigint NOT NULL,
    PRIMARY KEY (account, hash)
  );
  `,
  `
  -- Browsers that asked for notifications, by the key of their session.
  CREATE TABLE push_subscription (
    id bytea PRIMARY KEY,
    key bytea NOT NULL,
    endpoint text NOT NULL,
    p256dh bytea NOT NULL,
    auth bytea NOT NULL,
    choices text NOT NULL,
    created_at_ms bigint NOT NULL,
    last_ok_ms bigint,
    failing_since_ms bigint,
    seen_at_ms bigint NOT NULL,
    UNIQUE (key, endpoint)
  );
  CREATE INDEX push_subscription_by_time ON push_subscription (seen_at_ms);
  -- The last silence that the household of an epoch heard of.
  CREATE TABLE push_silence (
    device bytea NOT NULL, epoch bigint NOT NULL, since_ms bigint NOT NULL, PRIMARY KEY (device, epoch)
  );
  `,
];
