import { toHex } from '../../../common/bytes.js';
import type { AgentVitals } from '../../health/vitals.js';
import type { UploadStatus } from '../../upload/upload-loop.js';
import type { ConsoleCommand } from '../command.js';
import { duration, memoryText, rows } from '../layout.js';

/**
 * Commands that print the camera's state, allowed while the console is locked: nothing that they print gives access or
 * shows a picture.
 */
export const STATE_COMMANDS: readonly ConsoleCommand[] = [
  {
    name: 'status',
    usage: 'status',
    scope: null,
    examples: ['status', 'status --json'],
    help: 'the state of the camera on one page',
    run: ({ agent, lock, clock }, _words, output) => {
      const { records, bytes } = agent.outbox.queued();
      const clips = agent.outbox.segmentTotals();
      const uploads = agent.uploads.status();
      const facts = agent.ownership.facts();
      const windowLeftMs = agent.ownership.windowLeftMs();
      const { phase } = agent.uplink.status();
      const unlocked = lock.state();
      const { vitals } = agent;
      const lies = agent.counters.get('receipts.ahead') + agent.counters.get('receipts.other-history');
      const fields = {
        version: agent.version,
        camera: agent.camera.state,
        privacy: agent.isPrivate,
        owned: facts.ownerKey !== null,
        epoch: facts.lastEpoch,
        cloud_lied: lies,
        queued: records,
        queued_bytes: bytes,
        uplink: phase,
        connected: agent.uplink.isConnected,
        segments_queued: clips.queued,
        segments_queued_bytes: clips.queuedBytes,
        uploads: uploads.state,
        unlocked: unlocked?.scopes ?? [],
        claim_window_s: windowLeftMs === null ? null : Math.round(windowLeftMs / 1000),
        uptime_ms: Math.round(clock.monotonicMs()),
        agent_uptime_s: vitals?.uptimeS ?? null,
        restarts: vitals?.restarts ?? null,
        starts: vitals?.starts ?? null,
        memory_bytes: vitals?.memoryBytes ?? null,
        own_memory_bytes: vitals?.ownMemoryBytes ?? null,
      };
      output.print(
        fields,
        rows([
          ['sealcam', agent.version],
          ['agent', vitals === null ? null : runningText(vitals)],
          ['memory', vitals === null ? null : memoryText(vitals)],
          ['camera', agent.isPrivate ? 'off: the owner ordered privacy' : agent.camera.state],
          ['owner', facts.ownerKey === null ? 'none' : `claimed, epoch ${String(facts.lastEpoch)}`],
          ['claim window', windowLeftMs === null ? 'closed' : `open for ${duration(windowLeftMs)}`],
          ['queue', `${String(records)} records, ${String(bytes)} bytes`],
          ['uplink', `${phase}${agent.uplink.isConnected ? ', connected' : ''}`],
          ['clips', `${String(clips.queued)} segments, ${String(clips.queuedBytes)} bytes`],
          ['uploads', uploadText(uploads)],
          ['console', unlocked === null ? 'locked' : `${unlocked.scopes.join(', ')} for ${String(unlocked.leftS)} s`],
          ...(lies === 0 ? [] : [['cloud', `lied: ${String(lies)} receipts contradict this camera, ignored`] as const]),
        ]),
      );
    },
  },
  {
    name: 'id',
    usage: 'id',
    scope: null,
    examples: ['id'],
    help: "this camera's id, which is the hash of its key",
    run: ({ agent }, _words, output) => {
      output.print({ device: toHex(agent.device) }, rows([['device', toHex(agent.device)]]));
    },
  },
  {
    name: 'camera',
    usage: 'camera',
    scope: null,
    examples: ['camera'],
    help: 'camera driver, picture size and frame counts',
    run: ({ agent }, _words, output) => {
      const { state, info } = agent.camera;
      const seen = agent.counters.get('frames.seen');
      const dropped = agent.counters.get('frames.dropped');
      const corrupt = agent.counters.get('frames.corrupt');
      output.print(
        { state, ...(info ?? {}), frames_seen: seen, frames_dropped: dropped, frames_corrupt: corrupt },
        rows([
          ['state', state],
          ['driver', info === null ? null : `${info.driver}: ${info.model}`],
          ['picture', info === null ? null : `${String(info.width)} × ${String(info.height)}`],
          ['frames', info === null ? null : `${String(info.framesPerSecond)} per second requested`],
          ['seen', `${String(seen)}, dropped ${String(dropped)}, corrupt ${String(corrupt)}`],
        ]),
      );
    },
  },
  {
    name: 'queue',
    usage: 'queue',
    scope: null,
    examples: ['queue'],
    help: 'records produced, receipted, queued, quarantined and lost',
    run: ({ agent }, _words, output) => {
      const totals = agent.outbox.totals();
      const { bytes } = agent.outbox.queued();
      const isConserved = totals.produced === totals.receipted + totals.queued + totals.quarantined + totals.lost;
      output.print({ ...totals, queued_bytes: bytes, conserved: isConserved }, [
        ...rows([
          ['produced', totals.produced],
          ['receipted', totals.receipted],
          ['queued', `${String(totals.queued)} (${String(bytes)} bytes)`],
          ['quarantined', totals.quarantined],
          ['lost', totals.lost],
          ['sum', isConserved ? 'adds up' : 'DOES NOT ADD UP'],
        ]),
      ]);
    },
  },
  {
    name: 'uplink status',
    usage: 'uplink status',
    scope: null,
    examples: ['uplink status'],
    help: 'connection to the broker, and the next attempt',
    run: ({ agent }, _words, output) => {
      const { phase, windowMs, attempts, protocol, nextAttemptMs, waitingForReceipt } = agent.uplink.status();
      const fields = {
        phase,
        connected: agent.uplink.isConnected,
        mqtt: protocol === 5 ? '5' : '3.1.1',
        attempts,
        window_ms: windowMs,
        next_attempt_ms: nextAttemptMs,
        waiting_for_receipt: waitingForReceipt,
      };
      output.print(
        fields,
        rows([
          ['phase', phase],
          ['connected', agent.uplink.isConnected ? 'yes' : 'no'],
          ['next attempt', nextAttemptMs === null ? null : `in ${duration(nextAttemptMs)}`],
          ['attempts', attempts],
          ['window', duration(windowMs)],
          ['protocol', `MQTT ${fields.mqtt}`],
          ['no receipt yet', waitingForReceipt],
        ]),
      );
    },
  },
  {
    name: 'clock',
    usage: 'clock',
    scope: null,
    examples: ['clock'],
    help: 'wall clock, and how it was set',
    run: ({ hal }, _words, output) => {
      const { ms, quality } = hal.clock.wall();
      const wall = ms === null ? null : new Date(ms).toISOString();
      const boot = toHex(hal.clock.bootId);
      output.print(
        { wall, quality, monotonic_ms: hal.clock.monotonicMs(), boot },
        rows([
          ['UTC', wall],
          ['set by', quality],
          ['since boot', duration(hal.clock.monotonicMs())],
          ['boot', boot],
        ]),
      );
    },
  },
  {
    name: 'health',
    usage: 'health',
    scope: null,
    examples: ['health'],
    help: 'the values of the next health record',
    run: async ({ agent }, _words, output) => {
      const health = await agent.health();
      output.print(
        health,
        rows(
          Object.entries(health).map(([name, value]) => [
            name,
            typeof value === 'object' ? JSON.stringify(value) : String(value),
          ]),
        ),
      );
    },
  },
];

function uploadText({ state, nextAttemptMs, held }: UploadStatus): string {
  const waiting = nextAttemptMs === null ? '' : `, next attempt in ${duration(nextAttemptMs)}`;
  const unexpected = held === 0 ? '' : `, ${String(held)} not expected by the cloud`;
  return `${state}${waiting}${unexpected}`;
}

function runningText({ uptimeS, restarts }: AgentVitals): string {
  const since = restarts === 1 ? '1 restart' : `${String(restarts)} restarts`;
  return `up for ${duration(uptimeS * 1000)}, ${since} since the boot`;
}
