import { asSealcamError, type SealcamError } from '../../common/errors.js';
import type { Order } from '../core/orders.js';
import type { CameraView } from '../core/session-view.js';
import { usePage, usePresence } from './context.js';
import { useState } from './preact.js';

/** The state of the order to one camera. */
export interface OrderState {
  readonly isBusy: boolean;
  /** Whether the camera is not there to receive the order that is being sent. */
  readonly isAway: boolean;
  /** The sentence to show after the camera has carried out the order. */
  readonly done: string | null;
  readonly problem: SealcamError | null;
  /** Resolves with the seq of the record that answers the order, null after a release; undefined if it was not done. */
  readonly send: (order: Order, done: string) => Promise<number | null | undefined>;
}

/**
 * Sends orders to one camera. `done` is set only when the camera's own record reports that the order was carried out.
 */
export function useOrder(camera: CameraView): OrderState {
  const { orders } = usePage();
  const { device, epoch } = camera;
  const presence = usePresence(camera);
  const [isBusy, setBusy] = useState(false);
  const [isAway, setAway] = useState(false);
  const [done, setDone] = useState<string | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const send = async (order: Order, sentence: string): Promise<number | null | undefined> => {
    const seemsAway = presence === 'silent' || presence === 'offline';
    setBusy(true);
    setAway(seemsAway);
    setDone(null);
    setProblem(null);
    try {
      const seq = await orders.send(device, epoch, order, {
        onPassedOn: (online) => {
          setAway(seemsAway || online === false);
        },
      });
      setDone(sentence);
      return seq;
    } catch (error) {
      setProblem(asSealcamError(error));
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, isAway, done, problem, send };
}
