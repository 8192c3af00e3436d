import { realClock } from '../../../common/adapters/real-clock.js';
import { fromHex } from '../../../common/bytes.js';
import type { Order } from '../../../app/core/orders.js';
import type * as persons from '../../support/worlds/person.js';
import { serve } from '../common/remote.js';

/** A page in a process of its own, made of the modules of its own version. */

export interface Place {
  readonly device: string;
  readonly epoch: number;
}

/** What a page shows. */
export interface Shown {
  /** Epochs that it lists, with whether it shows their end. */
  readonly epochs: readonly { readonly epoch: number; readonly hasEnded: boolean }[];
  /** Epochs of which it warns that version 2 is hidden. */
  readonly warned: readonly number[];
  readonly hasHealth: boolean;
  /** Events with a picture, by epoch. */
  readonly pictures: Readonly<Record<number, number>>;
  /** Those of them that it opened. */
  readonly opened: Readonly<Record<number, number>>;
  /** Codes of pictures that did not open. */
  readonly refused: readonly string[];
  /** Alarms and marks of the history. */
  readonly alarms: readonly string[];
  readonly problem: string | null;
}

/** What the cloud has of an epoch. */
export interface Stored {
  readonly records: readonly Uint8Array[];
  /** Pictures that a record names and the cloud has not. */
  readonly mediaMissing: number;
}

/** The method that sends an order had another name once. */
interface OrdersThen {
  readonly send?: persons.Person['orders']['send'];
  readonly give?: persons.Person['orders']['send'];
}

class PageProcess {
  private person: persons.Person | null = null;

  async open({ page, origin, master }: { page: string; origin: string; master: Uint8Array }): Promise<void> {
    // The module of another commit: its fields are used here as far as every version has them.
    const { Person: PersonThen } = (await import(page)) as typeof persons;
    this.person = new PersonThen(origin, new Uint8Array(master), realClock, 2).start();
  }

  claim(code: string): Promise<string> {
    return this.page().claim(code);
  }

  /** Claims a camera of this owner again, with nobody else in the household. */
  claimAgain({ device, epoch }: Place): Promise<number> {
    return this.page().changeMembers(device, epoch, []);
  }

  async order({ device, epoch, order }: Place & { readonly order: Order }): Promise<void> {
    const orders: OrdersThen = this.page().orders;
    if (orders.send !== undefined) await orders.send(device, epoch, order);
    else await orders.give?.(device, epoch, order);
  }

  /** Asks the cloud, opens every picture that is shown, and returns what the page shows of one camera. */
  async show(device: string): Promise<Shown> {
    const { session, owner } = this.page();
    await session.refresh();
    const view = session.view();
    const cameras = view.cameras.filter((camera) => camera.device === device);
    const pictures: Record<number, number> = {};
    const opened: Record<number, number> = {};
    const refused: string[] = [];
    for (const event of view.events) {
      const { epoch, picture } = event;
      if (event.device !== device || picture === null) continue;
      pictures[epoch] = (pictures[epoch] ?? 0) + 1;
      try {
        const { jpeg } = await owner.openPicture(picture);
        if ((jpeg?.length ?? 0) > 500) opened[epoch] = (opened[epoch] ?? 0) + 1;
      } catch (error) {
        refused.push(codeIn(error));
      }
    }
    // Older pages have neither marks nor this warning.
    const { marks = [] } = view as Partial<typeof view>;
    return {
      epochs: cameras.map(({ epoch, hasEnded }) => ({ epoch, hasEnded })),
      warned: cameras.filter((camera) => camera.isVersionHidden).map(({ epoch }) => epoch),
      hasHealth: cameras.some(({ health }) => health !== null),
      pictures,
      opened,
      refused,
      alarms: [...view.alarms.map(({ verdict }) => verdict), ...marks.map(({ kind }) => `mark ${kind}`)],
      problem: view.problem?.code ?? null,
    };
  }

  async stored({ device, epoch }: Place): Promise<Stored> {
    const id = fromHex(device, 32) ?? new Uint8Array(32);
    const { records } = await this.page().client.records(id, epoch, null, 200);
    return {
      records: records.map(({ record }) => record),
      mediaMissing: records.flatMap(({ media }) => media).filter(({ available }) => !available).length,
    };
  }

  private page(): persons.Person {
    if (this.person === null) throw new Error('the page is not open');
    return this.person;
  }
}

/** An error of the page's own version is of a class of its own. */
function codeIn(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

const page = new PageProcess();
const procedures = {
  open: (setup: Parameters<PageProcess['open']>[0]) => page.open(setup),
  claim: (code: string) => page.claim(code),
  claimAgain: (place: Place) => page.claimAgain(place),
  order: (order: Parameters<PageProcess['order']>[0]) => page.order(order),
  show: (device: string) => page.show(device),
  stored: (place: Place) => page.stored(place),
};
export type PageProcedures = typeof procedures;

serve(procedures);
