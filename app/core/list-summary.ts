import type { MergedList } from './merged-list.js';

/**
 * What a list is worth as a whole. `intact`: all of it is signed, nothing is missing, or somebody signed that it was deleted or is
 * older than is kept. `coming`: the same, but for places where records may still arrive. `noted`: something below has a note.
 */
export interface ListSummary {
  readonly state: 'intact' | 'coming' | 'noted';
  /** Events with another verdict than the best. */
  readonly events: number;
  /** Places where records are lost, missing, late or refused. */
  readonly places: number;
}

/** Returns the summary of a list: of its events, and of the places between them. */
export function summaryOf({ events, marks }: Pick<MergedList, 'events' | 'marks'>): ListSummary {
  const noted = events.filter(({ verdict }) => verdict !== 'intact').length;
  const isComing = marks.some(({ kind }) => kind === 'waiting');
  const places = marks.filter(({ kind }) => !['waiting', 'deleted', 'expired'].includes(kind)).length;
  const state = noted + places > 0 ? 'noted' : isComing ? 'coming' : 'intact';
  return { state, events: noted, places };
}
