import type { Counters } from '../../common/counters.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { checkReceiptAgainstClaim, receiptKind, type Receipt } from '../../protocol/objects/receipt.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import { decodeDown } from '../../protocol/transport/messages.js';
import type { Outbox, ReceiptOutcome } from '../outbox/outbox.js';

export interface DownlinkDependencies {
  readonly suite: CryptoSuite;
  readonly outbox: Outbox;
  readonly counters: Counters;
  readonly log: Log;
  readonly onReceipt: (receipt: Receipt, outcome: ReceiptOutcome) => void;
  readonly onClaim: (claim: Uint8Array, mac: Uint8Array | null) => void;
  readonly onOfferRequest: () => void;
  readonly onCommand: (command: Uint8Array) => void;
}

/** What comes down from the cloud: untrusted bytes until their signature and claim are checked. Nothing here throws. */
export class Downlink {
  private readonly deps: DownlinkDependencies;

  constructor(deps: DownlinkDependencies) {
    this.deps = deps;
  }

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
        this.receipt(message.receipt);
        return;
      case 'claim':
        this.deps.onClaim(message.claim, message.mac);
        return;
      case 'offer-request':
        this.deps.onOfferRequest();
        return;
      case 'command':
        this.deps.onCommand(message.command);
        return;
      case 'revocation':
        // It is for who reads records. A camera that is told of its own revocation has nobody to tell it to.
        throw new SealcamError('unsupported', 'a camera takes no revocation');
    }
  }

  private receipt(bytes: Uint8Array): void {
    const { suite, outbox, log, counters } = this.deps;
    const receipt = openSigned(receiptKind, suite, bytes);
    const claim = outbox.claimOf(receipt.value.epoch);
    // The last record of a closed epoch was receipted before: a late duplicate is no fault.
    if (claim === null) return;
    checkReceiptAgainstClaim(receipt, claim);
    const outcome = outbox.applyReceipt(receipt);
    counters.add('receipts');
    if (outcome.otherHistory > 0) {
      counters.add('receipts.other-history');
      log.error(
        { code: 'cloud-lied', epoch: receipt.value.epoch },
        'a receipt of another history; nothing was deleted',
      );
    }
    if (outcome.quarantined > 0) log.warn({ records: outcome.quarantined }, 'the cloud refused records for good');
    if (outcome.stopped) {
      log.error({ code: 'signing-stopped' }, 'the cloud knows records that this camera never made; signing stops');
    }
    this.deps.onReceipt(receipt.value, outcome);
  }
}
