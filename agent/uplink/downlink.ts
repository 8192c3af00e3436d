import type { Counters } from '../../common/counters.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { anyReceiptKind, checkReceiptAgainstClaim, type AnyReceipt } from '../../protocol/objects/receipt.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import { decodeDown } from '../../protocol/transport/messages.js';
import type { Outbox, ReceiptOutcome } from '../outbox/outbox.js';

export interface DownlinkDependencies {
  readonly suite: CryptoSuite;
  readonly outbox: Outbox;
  readonly counters: Counters;
  readonly log: Log;
  /** Time of the records that a receipt makes the camera sign. */
  readonly now: () => RecordTime;
  readonly onReceipt: (receipt: AnyReceipt, outcome: ReceiptOutcome) => void;
  /** `kemKeys`: of a claim of version 2. */
  readonly onClaim: (claim: Uint8Array, mac: Uint8Array | null, kemKeys: readonly Uint8Array[] | undefined) => void;
  readonly onOfferRequest: () => void;
  readonly onCommand: (command: Uint8Array) => void;
  /** Without it an order to look is `unsupported`. */
  readonly onLook?: (order: Uint8Array) => void;
  /** The cloud of this connection says which versions it takes. */
  readonly onHello?: (versions: readonly number[]) => void;
}

/** Handles messages from the cloud: untrusted bytes until their signature and claim are verified. Never throws. */
export class Downlink {
  private readonly deps: DownlinkDependencies;
  private isLieLogged = false;

  constructor(deps: DownlinkDependencies) {
    this.deps = deps;
  }

  /** Applies a message, or counts and logs its refusal. */
  handleMessage(payload: Uint8Array): void {
    try {
      this.dispatch(payload);
    } catch (error) {
      const { code, message } = asSealcamError(error);
      this.deps.counters.add(`down.${code}`);
      this.deps.log.warn({ code, bytes: payload.length }, `a message from the cloud was refused: ${message}`);
    }
  }

  private dispatch(payload: Uint8Array): void {
    const message = decodeDown(payload);
    switch (message.type) {
      case 'receipt':
        this.applyReceipt(message.receipt);
        return;
      case 'claim':
        this.deps.onClaim(message.claim, message.mac, message.kemKeys);
        return;
      case 'offer-request':
        this.deps.onOfferRequest();
        return;
      case 'command':
        this.deps.onCommand(message.command);
        return;
      case 'hello':
        this.deps.onHello?.(message.versions);
        return;
      case 'look':
        if (this.deps.onLook === undefined)
          throw new SealcamError('unsupported', 'nobody can look through this camera');
        this.deps.onLook(message.order);
        return;
      case 'revocation':
        // Revocations are for readers of records. A camera that learned of its own would have nothing to do with it.
        throw new SealcamError('unsupported', 'a camera takes no revocation');
    }
  }

  private applyReceipt(bytes: Uint8Array): void {
    const { suite, outbox, log, counters, now } = this.deps;
    const receipt = openSigned(anyReceiptKind, suite, bytes);
    const { epoch } = receipt.value;
    const claim = outbox.claimOf(epoch);
    // A late duplicate, for an epoch whose last record was receipted earlier and which is closed: not a fault.
    if (claim === null) return;
    checkReceiptAgainstClaim(receipt, claim);
    const outcome = outbox.applyReceipt(receipt, now());
    counters.add('receipts');
    const { otherHistory, ahead, quarantined, keysRejected, movedTo } = outcome;
    if (otherHistory > 0) {
      counters.add('receipts.other-history');
      log.error({ code: 'cloud-lied', epoch }, 'a receipt of another history; nothing was deleted');
    }
    if (ahead > 0) {
      counters.add('receipts.ahead');
      // Once: a cloud can repeat it as often as it likes.
      if (!this.isLieLogged) log.error({ code: 'cloud-lied', epoch }, 'a receipt of records never made here; ignored');
      this.isLieLogged = true;
    }
    if (quarantined > 0) log.warn({ records: quarantined }, 'the cloud refused records for good; a gap names them');
    if (keysRejected > 0) {
      counters.add('receipts.keys-rejected');
      log.warn(
        { records: keysRejected, epoch },
        'the cloud refused a key record for good; it stays while it is needed',
      );
    }
    if (movedTo !== null) {
      counters.add('receipts.moved');
      log.warn(
        { code: 'store-corrupt', epoch, seq: movedTo },
        'the cloud has other records of this camera; continuing after them with a gap',
      );
    }
    this.deps.onReceipt(receipt.value, outcome);
  }
}
