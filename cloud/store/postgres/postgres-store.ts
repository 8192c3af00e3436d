import type { CloudStore } from '../store.js';
import { postgresAccess } from './access.js';
import { postgresAccounts } from './accounts.js';
import { postgresAlarms, postgresQuarantine } from './alarms.js';
import { postgresClaims } from './claims.js';
import { Database, type PostgresSettings } from './database.js';
import { postgresDeletions } from './deletions.js';
import { postgresHeads } from './heads.js';
import { postgresSettings } from './settings.js';
import { Partitions } from './partitions.js';
import { postgresPush } from './push.js';
import { postgresReads } from './reads.js';
import { postgresRecords } from './records.js';
import { postgresRetention } from './retention.js';
import { postgresRevocations } from './revocations.js';
import { postgresSegments } from './segments.js';
import { postgresTimes } from './times.js';

/**
 * Opens a store in a PostgreSQL database, which any number of processes may share.
 *
 * @throws SealcamError `store-unavailable`, `store-newer`
 */
export async function openPostgresStore(settings: PostgresSettings): Promise<CloudStore> {
  const database = await Database.open(settings);
  const partitions = new Partitions(database);
  return {
    claims: postgresClaims(database, partitions),
    records: postgresRecords(database, partitions),
    access: postgresAccess(database, partitions),
    quarantine: postgresQuarantine(database),
    alarms: postgresAlarms(database),
    revocations: postgresRevocations(database),
    reads: postgresReads(database),
    accounts: postgresAccounts(database),
    heads: postgresHeads(database),
    settings: postgresSettings(database),
    deletions: postgresDeletions(database),
    retention: postgresRetention(database, partitions),
    segments: postgresSegments(database),
    times: postgresTimes(database),
    push: postgresPush(database),
    close: () => database.close(),
  };
}
