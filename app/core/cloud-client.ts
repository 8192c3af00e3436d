import type * as v from '../../common/schema.js';
import { equal, toBase64, toHex } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { decodeCbor } from '../../protocol/wire/cbor.js';
import { bytesUpTo, tuple } from '../../protocol/wire/codec.js';
import {
  accessAnswer,
  accountAnswer,
  camerasAnswer,
  claimAnswer,
  commandAnswer,
  deletionAnswer,
  headsAnswer,
  infoAnswer,
  kemKeyAnswer,
  offerAnswer,
  periodAnswer,
  recordsAnswer,
  revocationAnswer,
  type AccessAnswer,
  type AccountAnswer,
  type CameraItem,
  type OfferAnswer,
  type PeriodAnswer,
  type RecordsAnswer,
} from './cloud-answers.js';
import { CloudConnection } from './cloud-connection.js';
import { readUpTo, type AlarmReport, type ApiRequest } from './cloud-requests.js';
import { serverEvents, type ServerEvent } from './sse.js';

const sealedPair = tuple(bytesUpTo(LIMITS.sealedMaxBytes), bytesUpTo(LIMITS.sealedMaxBytes));

/** Calls the cloud's HTTP API. What its methods throw, {@link CloudConnection} says. */
export class CloudClient extends CloudConnection {
  /** Asks whether the cloud answers. @throws SealcamError `cloud-unreachable` */
  async probe(): Promise<void> {
    await this.request({ method: 'GET', path: '/v1/info', isAnonymous: true }, nothing);
  }

  get cloudOrigin(): string {
    return this.options.cloudOrigin;
  }

  /** Returns the keys with which this cloud says it signs receipts, 32 bytes each. The answer is not signed. */
  async receiptKeys(): Promise<readonly Uint8Array[]> {
    return (await this.info()).receiptKeys;
  }

  /** Returns how long this cloud says it keeps records, in milliseconds; 0 where it does not say. */
  async keepsForMs(): Promise<number> {
    return (await this.info()).keepsForMs ?? 0;
  }

  private info(): Promise<v.InferOutput<typeof infoAnswer>> {
    return this.call({ method: 'GET', path: '/v1/info', isAnonymous: true }, infoAnswer);
  }

  /** Returns all cameras that this person may see. */
  async cameras(): Promise<readonly CameraItem[]> {
    return (await this.call({ method: 'GET', path: '/v1/cameras' }, camerasAnswer)).cameras;
  }

  /** Returns a camera's signed offer. @throws SealcamError `not-found` while it has none */
  offer(device: Uint8Array): Promise<OfferAnswer> {
    return this.call({ method: 'GET', path: `/v1/devices/${toHex(device)}/offer` }, offerAnswer);
  }

  /**
   * Sends a signed claim; `mac` proves knowledge of the claim code and is null for a camera that is ours already. `kemKeys` are
   * those of a claim of version 2, in its order.
   */
  async sendClaim(
    claim: Uint8Array,
    mac: Uint8Array | null,
    kemKeys: readonly Uint8Array[] | null = null,
  ): Promise<'pending' | 'accepted'> {
    const body = { claim: toBase64(claim), mac: mac === null ? null : toHex(mac), ...beside(kemKeys) };
    return (await this.call({ method: 'POST', path: '/v1/claims', body }, claimAnswer)).state;
  }

  /** Sends a claim that its camera accepted, with the camera's signed accept record, to a cloud that lost both. */
  async sendAccept(claim: Uint8Array, accept: Uint8Array, kemKeys: readonly Uint8Array[] | null = null): Promise<void> {
    const body = { claim: toBase64(claim), accept: toBase64(accept), ...beside(kemKeys) };
    await this.request({ method: 'POST', path: '/v1/claims/accepted', body }, nothing);
  }

  /** Deposits a KEM key, which anyone may then ask for by its hash. @throws SealcamError `unsupported` by an older cloud */
  async sendKemKey(hash: Uint8Array, kemKey: Uint8Array): Promise<void> {
    const { takesKemKeys = false } = await this.info();
    if (!takesKemKeys) throw new SealcamError('unsupported', 'the cloud does not take KEM keys');
    const body = { kemKey: toBase64(kemKey) };
    try {
      await this.request({ method: 'PUT', path: `/v1/kem-keys/${toHex(hash)}`, body }, nothing);
    } catch (error) {
      // It takes only a few in a minute. Where it has this one since an earlier of them, nothing is missing.
      const hasIt = asSealcamError(error).code === 'rate-limited' && (await this.hasKemKey(hash));
      if (!hasIt) throw error;
    }
  }

  private async hasKemKey(hash: Uint8Array): Promise<boolean> {
    return this.kemKey(hash).then(
      () => true,
      () => false,
    );
  }

  /**
   * Returns the KEM key of this hash.
   * @throws SealcamError `not-found` where the cloud has none; `cloud-lied` for another key
   */
  async kemKey(hash: Uint8Array): Promise<Uint8Array> {
    const { kemKey } = await this.call({ method: 'GET', path: `/v1/kem-keys/${toHex(hash)}` }, kemKeyAnswer);
    if (equal(kemHash(this.options.suite, kemKey), hash)) return kemKey;
    throw new SealcamError('cloud-lied', 'the cloud sent another KEM key than was asked for');
  }

  /** Asks a camera for an offer that admits only its current owner's next claim. */
  async requestOffer(device: Uint8Array): Promise<void> {
    await this.request({ method: 'POST', path: `/v1/devices/${toHex(device)}/offer-request`, body: {} }, nothing);
  }

  /** Returns this person's newest revocation list, as the cloud has it; null before the first. */
  async revocation(): Promise<Uint8Array | null> {
    return (await this.call({ method: 'GET', path: '/v1/revocations' }, revocationAnswer)).list;
  }

  /** Sends a signed revocation list. @throws SealcamError `revocation-rollback` unless its version is above the last */
  async sendRevocation(list: Uint8Array): Promise<void> {
    await this.request({ method: 'POST', path: '/v1/revocations', body: { list: toBase64(list) } }, nothing);
  }

  /** Sends a signed order to a camera. `online` is the broker's hint, or null without one. */
  sendCommand(device: Uint8Array, command: Uint8Array): Promise<{ readonly online: boolean | null }> {
    const body = { command: toBase64(command) };
    return this.call({ method: 'POST', path: `/v1/devices/${toHex(device)}/commands`, body }, commandAnswer);
  }

  /**
   * Sends a signed order to look, and returns what the cloud passes on of the answer, as it comes. The headers come once the cloud
   * listens to the camera.
   */
  async openLook(device: Uint8Array, order: Uint8Array, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const request = { ...lookRequest(device, order, ''), signal };
    const body = await this.request(request, (response) => Promise.resolve(response.body));
    if (body === null) throw new SealcamError('cloud-unreachable', 'a look without a body');
    return body;
  }

  /** Sends a signed order that renews a look. `online` is the broker's hint, or null without one. */
  renewLook(device: Uint8Array, order: Uint8Array): Promise<{ readonly online: boolean | null }> {
    return this.call(lookRequest(device, order, '/renewals'), commandAnswer);
  }

  /** Returns up to `limit` of the newest records with a seq below `before`; without `before`, the newest of all. */
  records(device: Uint8Array, epoch: number, before: number | null, limit: number): Promise<RecordsAnswer> {
    const query = `limit=${String(limit)}${before === null ? '' : `&before=${String(before)}`}`;
    const path = `/v1/cameras/${toHex(device)}/${String(epoch)}/records?${query}`;
    return this.call({ method: 'GET', path }, recordsAnswer);
  }

  /** Returns the statements of heads of the household's browsers, not yet verified. */
  async heads(): Promise<readonly Uint8Array[]> {
    return (await this.call({ method: 'GET', path: '/v1/heads' }, headsAnswer)).statements;
  }

  /** Sends this browser's statement of heads. */
  async sendHeads(heads: Uint8Array): Promise<void> {
    await this.request({ method: 'POST', path: '/v1/heads', body: { heads: toBase64(heads) } }, nothing);
  }

  /** Returns a sealed media object, not yet compared with the record that names it. */
  async media(device: Uint8Array, epoch: number, id: Uint8Array): Promise<SealedObject> {
    const path = `/v1/cameras/${toHex(device)}/${String(epoch)}/media/${toHex(id)}`;
    const bytes = await this.request({ method: 'GET', path }, (response) => response.arrayBuffer());
    const raw = decodeCbor(new Uint8Array(bytes), {
      maxBytes: LIMITS.messageMaxBytes,
      maxDepth: 2,
      maxItems: 4,
    });
    const [header, body] = sealedPair.fromCbor(raw, 'media');
    return { header, body };
  }

  /** Returns the body of a segment, not yet compared with the record that names it. @throws SealcamError `not-found` */
  segment(device: Uint8Array, epoch: number, hash: Uint8Array): Promise<Uint8Array> {
    const path = `/v1/media/${toHex(device)}/${String(epoch)}/${toHex(hash)}`;
    return this.request({ method: 'GET', path }, (answer) => readUpTo(answer, LIMITS.segmentSealedMaxBytes));
  }

  /** Returns the key record of a period and the body of its object, neither verified. @throws SealcamError `not-found` */
  keyRecord(device: Uint8Array, epoch: number, periodId: Uint8Array): Promise<PeriodAnswer> {
    const path = `/v1/devices/${toHex(device)}/epochs/${String(epoch)}/periods/${toHex(periodId)}`;
    return this.call({ method: 'GET', path }, periodAnswer);
  }

  /** Returns the access log of this person's cameras. */
  access(): Promise<AccessAnswer> {
    return this.call({ method: 'GET', path: '/v1/access' }, accessAnswer);
  }

  /** Reports to the operator that this page refused something. */
  async reportAlarm(report: AlarmReport): Promise<void> {
    await this.request({ method: 'POST', path: '/v1/alarms', body: report }, nothing);
  }

  /** Returns everything the cloud holds of this account, as one file. */
  export(): Promise<Blob> {
    const request: ApiRequest = { method: 'GET', path: '/v1/account/export', isLong: true };
    return this.request(request, (response) => response.blob());
  }

  /** Deletes records: hides them at once, and erases them at the time that the answer names. */
  deleteRecords(statements: readonly Uint8Array[]): Promise<{ readonly eraseAtMs: number }> {
    const body = { statements: statements.map(toBase64) };
    return this.call({ method: 'POST', path: '/v1/deletions', body }, deletionAnswer);
  }

  /** Takes a deletion of records back. @throws SealcamError `not-found` once they are erased */
  async undoDeletion(statements: readonly Uint8Array[]): Promise<void> {
    const body = { statements: statements.map(toBase64) };
    await this.request({ method: 'POST', path: '/v1/deletions/undo', body }, nothing);
  }

  /** Returns whether the account is deleted, and when it is erased. */
  account(): Promise<AccountAnswer> {
    return this.call({ method: 'GET', path: '/v1/account' }, accountAnswer);
  }

  /** Deletes the account: nothing of it can be read from now on, and at the time in the answer it is erased. */
  deleteAccount(statements: readonly Uint8Array[]): Promise<{ readonly eraseAtMs: number }> {
    const body = { account: toHex(this.options.keys.account), statements: statements.map(toBase64) };
    return this.call({ method: 'DELETE', path: '/v1/account', body }, deletionAnswer);
  }

  /** Takes the deletion of the account back. @throws SealcamError `not-found` once it is erased */
  async restoreAccount(): Promise<void> {
    const body = { account: toHex(this.options.keys.account) };
    await this.request({ method: 'POST', path: '/v1/account/restore', body }, nothing);
  }

  /** Yields live events, those after `lastId` first, until the connection ends or the signal fires. */
  async *stream(lastId: number | null, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const headers = lastId === null ? {} : { 'last-event-id': String(lastId) };
    const request: ApiRequest = { method: 'GET', path: '/v1/stream', headers, signal };
    const body = await this.request(request, (response) => Promise.resolve(response.body));
    if (body === null) throw new SealcamError('cloud-unreachable', 'a stream without a body');
    yield* serverEvents(body, (chunk) => this.liveness.within(chunk), signal);
  }
}

/** A cloud of version 0.1 refuses a claim with anything beside it. */
function beside(kemKeys: readonly Uint8Array[] | null): { readonly kemKeys?: readonly string[] } {
  return kemKeys === null ? {} : { kemKeys: kemKeys.map(toBase64) };
}

function lookRequest(device: Uint8Array, order: Uint8Array, what: string): ApiRequest {
  return { method: 'POST', path: `/v1/devices/${toHex(device)}/looks${what}`, body: { order: toBase64(order) } };
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
