import { asSealcamError, type SealcamError } from '../../common/errors.js';
import type { Order } from '../core/orders.js';
import type { CameraView } from '../core/session-view.js';
import { usePage } from './context.js';
import { useState } from './preact.js';

/** The state of the order to one camera. */
export interface OrderState {
  readonly isBusy: boolean;
  /** The sentence to show after the camera has carried out the order. */
  readonly done: string | null;
  readonly problem: SealcamError | null;
  readonly send: (order: Order, done: string) => Promise<boolean>;
}

/**
 * Sends orders to one camera. `done` is set only when the camera's own record reports that the order was carried out.
 */
export function useOrder({ device, epoch }: CameraView): OrderState {
  const { orders } = usePage();
  const [isBusy, setBusy] = useState(false);
  const [done, setDone] = useState<string | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const send = async (order: Order, sentence: string): Promise<boolean> => {
    setBusy(true);
    setDone(null);
    setProblem(null);
    try {
      await orders.send(device, epoch, order);
      setDone(sentence);
      return true;
    } catch (error) {
      setProblem(asSealcamError(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, done, problem, send };
}
