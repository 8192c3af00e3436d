import { SHARES } from '../alarms/shares.js';
import { exposition, type Metric, type Sample } from './exposition.js';
import { recordsByVerdict, storeErrors, type OperatorSources, type StoreFacts } from './facts.js';

/** As the embedded broker counts them. */
const BROKER_REFUSALS = ['connections', 'connect-timeout', 'packet-size', 'credentials'] as const;
const UPLOAD_RESULTS = ['stored', 'deleted', 'revoked', 'quota'] as const;
const LOOK_RESULTS = ['relayed', 'dropped'] as const;
const PUSH_RESULTS = ['sent', 'gone', 'failed'] as const;
const PUSH_WITHHELD = [
  'choice',
  'quiet',
  'late',
  'no-right',
  'paused',
  'service',
  'rate',
  'replaced',
  'queue-full',
  'outage',
] as const;
const PLACES = ['ingest', 'read', 'app', 'clock'] as const;

function labelled(label: string, values: ReadonlyMap<string, number>): Sample[] {
  return [...values].map(([name, value]) => ({ labels: { [label]: name }, value }));
}

/** Returns the body of `GET /metrics`. Without an answer of the store its metrics are left out, and `sealcam_store_up` is 0. */
export function metricsText(sources: OperatorSources, facts: StoreFacts | null): string {
  const { counters, startedAtMs } = sources;
  const { waiting, busyCameras, streams, looks, pushes, isBrokerConnected, clockDoubt } = sources.gauges();
  const one = (name: string, type: 'counter' | 'gauge', help: string, value: number): Metric => ({
    name,
    type,
    help,
    samples: [{ value }],
  });
  const total = (name: string, help: string, counter: string): Metric =>
    one(name, 'counter', help, counters.get(counter));
  const times = (name: string, help: string, histogram: string): Metric => ({
    name,
    help,
    type: 'histogram',
    histogram: counters.histogram(histogram),
  });
  const isPaused = facts?.pauses.some(({ account }) => account === null) === true;
  return exposition([
    ...(facts === null
      ? []
      : [
          one('sealcam_cameras_connected', 'gauge', 'Cameras online, as the broker hints.', facts.online),
          one('sealcam_quarantine_entries', 'gauge', 'Refused messages and records kept.', facts.quarantine),
          one(
            'sealcam_retention_overdue_records',
            'gauge',
            'Records that retention should have deleted, counted up to 10000.',
            facts.overdue.records,
          ),
          one(
            'sealcam_retention_overdue_seconds',
            'gauge',
            'How long the oldest of them is overdue.',
            facts.overdueMs / 1000,
          ),
          one(
            'sealcam_bodies_discarded',
            'gauge',
            'Bodies of clips that wait to be removed from the media store, counted up to 10000.',
            facts.discarded,
          ),
          one('sealcam_reads_paused', 'gauge', '1 while reading is paused for everybody.', isPaused ? 1 : 0),
          one(
            'sealcam_reads_paused_accounts',
            'gauge',
            'Accounts that are paused one by one.',
            facts.pauses.filter(({ account }) => account !== null).length,
          ),
        ]),
    {
      name: 'sealcam_records_total',
      type: 'counter',
      help: 'Records received, by verdict.',
      samples: labelled('verdict', recordsByVerdict(counters)),
    },
    total('sealcam_records_media_missing_total', 'Records stored before their picture.', 'records.media-missing'),
    {
      name: 'sealcam_uploads_total',
      type: 'counter',
      help: 'Uploads of clips answered with a signed media receipt, by result.',
      samples: UPLOAD_RESULTS.map((result) => ({ labels: { result }, value: counters.get(`uploads.${result}`) })),
    },
    total('sealcam_upload_bytes_total', 'Bytes of clips that were stored.', 'uploads.bytes'),
    total(
      'sealcam_uploads_altered_total',
      'Bodies that the media store holds other than it was given; none of them was receipted.',
      'uploads.altered',
    ),
    total('sealcam_receipts_total', 'Receipts signed.', 'receipts'),
    {
      name: 'sealcam_alarms_total',
      type: 'counter',
      help: 'Refusals that point to a mix-up, and clocks in doubt, by place.',
      samples: PLACES.map((place) => ({ labels: { place }, value: counters.get(`alarms.${place}`) })),
    },
    total('sealcam_quarantine_dropped_total', 'Refusals above the number stored per minute.', 'quarantine.full'),
    times(
      'sealcam_ingest_lag_seconds',
      "From a record's own time, where the network set that clock, to ingest.",
      'ingest.lag',
    ),
    times('sealcam_ingest_queue_seconds', 'Time that a message waited inside ingest.', 'ingest.queue'),
    one('sealcam_ingest_waiting', 'gauge', 'Messages waiting inside ingest.', waiting),
    total(
      'sealcam_ingest_overload_total',
      'Messages dropped because ingest was full; cameras send them again.',
      'ingest.overload',
    ),
    total(
      'sealcam_ingest_camera_overload_total',
      'Messages dropped because too many of the same camera waited; it sends them again.',
      'ingest.camera-overload',
    ),
    one(
      'sealcam_ingest_busy_cameras',
      'gauge',
      'Cameras that send more than a camera does, whose messages wait behind all others.',
      busyCameras,
    ),
    total(
      'sealcam_ingest_stale_total',
      "Messages refused because the maker's list was not current.",
      'ingest.revocation-stale',
    ),
    {
      name: 'sealcam_broker_refused_total',
      type: 'counter',
      help: 'Connections that the broker inside this process ended, by reason.',
      samples: BROKER_REFUSALS.map((reason) => ({
        labels: { reason },
        value: counters.get(`broker.refused.${reason}`),
      })),
    },
    total(
      'sealcam_broker_slowed_total',
      'Times that the broker inside this process put off reading a client that sent too much.',
      'broker.slowed',
    ),
    total('sealcam_reads_refused_total', 'Reads refused because reading is paused.', 'reads.paused'),
    one('sealcam_streams', 'gauge', 'Open streams of readers.', streams),
    one('sealcam_looks', 'gauge', 'Looks that are open.', looks),
    total('sealcam_look_orders_total', 'Orders to look that were relayed, renewals included.', 'looks.orders'),
    {
      name: 'sealcam_look_frames_total',
      type: 'counter',
      help: 'Live messages for viewers, by result; dropped for a viewer who reads too slowly.',
      samples: LOOK_RESULTS.map((result) => ({ labels: { result }, value: counters.get(`looks.frames-${result}`) })),
    },
    total('sealcam_look_seconds_total', 'Length of the looks that are over.', 'looks.seconds'),
    {
      name: 'sealcam_push_total',
      type: 'counter',
      help: 'Notifications given to push services, by result; gone: the browser wants none any more.',
      samples: PUSH_RESULTS.map((result) => ({ labels: { result }, value: counters.get(`push.${result}`) })),
    },
    {
      name: 'sealcam_push_withheld_total',
      type: 'counter',
      help: 'Notifications that were not sent, by reason.',
      samples: PUSH_WITHHELD.map((reason) => ({ labels: { reason }, value: counters.get(`push.withheld.${reason}`) })),
    },
    one('sealcam_push_waiting', 'gauge', 'Notifications that wait.', pushes),
    times('sealcam_push_delay_seconds', 'From an event at ingest to the answer of the push service.', 'push.delay'),
    {
      name: 'sealcam_share_refused_total',
      type: 'counter',
      help: 'Refused because a share was used up, by share.',
      samples: SHARES.map((share) => ({ labels: { share }, value: counters.get(`shares.${share}`) })),
    },
    {
      name: 'sealcam_store_errors_total',
      type: 'counter',
      help: 'Failed calls of the store, by part.',
      samples: labelled('part', storeErrors(counters)),
    },
    total(
      'sealcam_retention_deleted_total',
      'Records that this process deleted because they were old enough.',
      'retention.deleted',
    ),
    one(
      'sealcam_deletion_stopped',
      'gauge',
      '1 while clocks disagree and nothing is deleted by its age.',
      clockDoubt === null ? 0 : 1,
    ),
    one('sealcam_store_up', 'gauge', '1 if the store answered this request.', facts === null ? 0 : 1),
    one('sealcam_broker_up', 'gauge', '1 while connected to the broker.', isBrokerConnected ? 1 : 0),
    one('process_resident_memory_bytes', 'gauge', 'Resident memory in bytes.', sources.residentBytes()),
    one('process_start_time_seconds', 'gauge', 'Start of the process, Unix time in seconds.', startedAtMs / 1000),
  ]);
}
