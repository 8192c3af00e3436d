import { asSealcamError, type SealcamError } from '../../common/errors.js';
import type { Order } from '../core/orders.js';
import type { CameraView } from '../core/session-view.js';
import { usePage } from './context.js';
import { useState } from './preact.js';

export interface OrderState {
  readonly isBusy: boolean;
  readonly done: string | null;
  readonly problem: SealcamError | null;
  readonly give: (order: Order, done: string) => Promise<boolean>;
}

/** Gives orders to one camera, one at a time; `done` is said when the camera has said so. */
export function useOrder({ device, epoch }: CameraView): OrderState {
  const { orders } = usePage();
  const [isBusy, setBusy] = useState(false);
  const [done, setDone] = useState<string | null>(null);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const give = async (order: Order, sentence: string): Promise<boolean> => {
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
  return { isBusy, done, problem, give };
}
