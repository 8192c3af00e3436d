import type { Clock } from '../../../common/clock.js';
import { ClipLoader } from '../../../app/core/clip-loader.js';
import { judgeClip, playable } from '../../../app/core/clip-verdict.js';
import { clipsOf, type Clip } from '../../../app/core/clips.js';
import type { Owner } from '../../../app/core/owner.js';
import type { OwnerSession } from '../../../app/core/owner-session.js';
import { segmentPlace } from './segment-place.js';

/** What a page made of the clips of its events. */
export interface ShownClips {
  /** Segments that it plays: where, and what. */
  readonly played: readonly { readonly place: string; readonly bytes: Uint8Array }[];
  /** Clips of which it says that something is missing. */
  readonly named: number;
}

/** Loads every clip of an open page, as the page's player does, until nothing is on its way. */
export async function openClips(page: {
  readonly session: OwnerSession;
  readonly owner: Owner;
  readonly clock: Clock;
}): Promise<ShownClips> {
  const { session, clock } = page;
  const played: { place: string; bytes: Uint8Array }[] = [];
  let named = 0;
  for (const clip of session.view().events.flatMap((event) => clipsOf(event))) {
    const loader = await loaded(clip, page);
    const parts = loader.parts();
    const { cameras, marks } = session.view();
    const lastWordMs = cameras.find(({ device }) => device === clip.device)?.lastWordMs ?? null;
    if (judgeClip(clip, parts, { lastWordMs, marks, nowMs: clock.wallMs() }).verdict !== 'intact') named++;
    for (const { index, bytes } of playable(parts)) {
      const record = clip.segments[index]?.record.value;
      if (record !== undefined && bytes !== null) played.push({ place: segmentPlace(record, index), bytes });
    }
    loader.stop();
  }
  return { played, named };
}

async function loaded(
  clip: Clip,
  { session, owner, clock }: { readonly session: OwnerSession; readonly owner: Owner; readonly clock: Clock },
): Promise<ClipLoader> {
  const loader = new ClipLoader(
    {
      open: (segment) => owner.openSegment(segment),
      keyStateOf: (segment) => owner.keyStateOfSegment(segment),
      refuse: (message, code, about) => {
        session.refusePicture(message, code, about);
      },
      clock,
    },
    clip,
  );
  await new Promise<void>((resolve) => {
    const check = (): void => {
      if (loader.parts().every(({ state }) => state !== 'asked' && state !== 'named')) resolve();
    };
    loader.subscribe(check);
    loader.start();
    check();
  });
  return loader;
}
