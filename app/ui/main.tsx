import { type JSX, render, useEffect, useLayoutEffect, useState } from './preact.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { KnownSignatures } from '../../protocol/crypto/known-signatures.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { CLAIM_FRAGMENT, MEMBER_FRAGMENT } from '../../protocol/objects/link-fragments.js';
import { FIRST_ANSWER_RECORDS } from '../core/camera-pages.js';
import { CloudClient } from '../core/cloud-client.js';
import { Deletions } from '../core/deletions.js';
import { HistoryKeeper } from '../core/history-keeper.js';
import { FURTHER_SETTING } from '../core/households.js';
import { Liveness } from '../core/liveness.js';
import { HouseholdHeads } from '../core/household-heads.js';
import { LastVisit } from '../core/last-visit.js';
import { Owner } from '../core/owner.js';
import { MEMBER_FRAGMENT_V2, MemberBook } from '../core/member-keys.js';
import { OwnKem } from '../core/own-kem.js';
import { Opener } from '../core/opener.js';
import { ownerKeys, recipientOf, type OwnerKeys } from '../core/owner-keys.js';
import { Orders } from '../core/orders.js';
import { OwnerSession } from '../core/owner-session.js';
import { Pictures } from '../core/pictures.js';
import { Hearing } from '../core/presence.js';
import { PutAway } from '../core/put-away.js';
import { loadRoot } from '../core/root-at-rest.js';
import { StandingOrders } from '../core/standing-orders.js';
import { ReceiptKeyPins } from '../core/receipt-key-pins.js';
import { ReviewedMarks } from '../core/reviewed-marks.js';
import type { AppStorage } from '../core/storage.js';
import { UndoList } from '../core/undo.js';
import { webCryptoVerifier } from '../core/webcrypto.js';
import { ZonesSeen } from '../core/zones-seen.js';
import { Addresses } from './addresses.js';
import type { PageContext, RootHere } from './context.js';
import { demoStorage } from './demo.js';
import { IndexedDbStorage } from './indexeddb-storage.js';
import { Logo } from './icons.js';
import { startOpenerThread } from './opener-thread.js';
import { Onboarding } from './parts.js';
import { Problem } from './problem.js';
import { Shell, type LinkCodes } from './shell.js';
import { subtleSeals } from './subtle-seals.js';

/** Returns the cloud's origin, which the build wrote into the page; the page's own if that is empty. */
function cloudOrigin(): string {
  const named = document.querySelector('meta[name="sealcam-cloud"]')?.getAttribute('content') ?? '';
  return named === '' ? location.origin : named;
}

const PICTURE_URLS = {
  create: (jpeg: Uint8Array): string => URL.createObjectURL(new Blob([new Uint8Array(jpeg)], { type: 'image/jpeg' })),
  revoke: (url: string): void => {
    URL.revokeObjectURL(url);
  },
};

/** Builds everything the signed-in page needs. */
async function signIn(
  storage: AppStorage,
  keys: OwnerKeys,
  { root, useRoot }: Pick<PageContext, 'root' | 'useRoot'>,
): Promise<PageContext> {
  const signatures = new KnownSignatures(tweetnaclSuite, await webCryptoVerifier(crypto.subtle));
  const { suite } = signatures;
  const clock = realClock;
  const isOpen = root !== null && root.open !== null;
  const liveness = new Liveness(clock);
  const client = new CloudClient({
    liveness,
    suite,
    clock,
    keys,
    cloudOrigin: cloudOrigin(),
    pageOrigin: location.origin,
    fetch: (url, init) => fetch(url, init),
    firstRecords: FIRST_ANSWER_RECORDS,
  });
  const kem = { own: new OwnKem(suite, keys, storage), members: new MemberBook(storage) };
  await kem.members.load();
  const kemHash = (): Promise<Uint8Array> => kem.own.hash();
  const history = new HistoryKeeper(suite, storage, recipientOf(keys), { signatures, kemHash });
  await history.load();
  client.acceptHouseholds(history.acceptedAccounts());
  const { signer } = keys;
  const ownerKey = root?.publicKey ?? signer.publicKey;
  const receiptKeys = new ReceiptKeyPins({ suite, storage, clock, client, ownerKey });
  const subtle = subtleSeals();
  const opener = new Opener({ suite, clock, keys, ...(subtle === undefined ? {} : { subtle }) });
  const owner = new Owner({ suite, clock, keys, client, history, receiptKeys, opener, kem });
  const heads = { client, history, storage, suite, signer, clock, random: realRandom, isSilent: isOpen };
  const household = new HouseholdHeads(heads);
  await household.load();
  const session = new OwnerSession({ client, history, clock, random: realRandom, liveness, household });
  const hearing = new Hearing(session, liveness);
  const deletions = new Deletions({ suite, clock, keys, client, history });
  const putAway = new PutAway(storage);
  await putAway.load();
  const refresh = (): Promise<void> => session.refresh();
  const standing = new StandingOrders(storage);
  await standing.load();
  session.answers.observe((record) => {
    standing.addRecord(record);
  });
  const orders = new Orders({ suite, clock, keys, client, history, answers: session.answers, standing, refresh });
  const reviewed = new ReviewedMarks(storage);
  await reviewed.load();
  const lastVisit = new LastVisit(storage, clock);
  await lastVisit.load();
  const zonesSeen = new ZonesSeen();
  const pictures = new Pictures({
    open: async (picture) => {
      const content = await owner.openPicture(picture);
      zonesSeen.note(picture, content);
      return content;
    },
    keyStateOf: (picture) => owner.periodStateOf(picture),
    session,
    clock,
    urls: PICTURE_URLS,
  });
  const page = {
    keys,
    root,
    useRoot,
    isFurther: root === null && (await storage.setting(FURTHER_SETTING)) === 'yes',
    storage,
    liveness,
    client,
    history,
    household,
    receiptKeys,
    owner,
    kem,
    session,
    hearing,
    orders,
    standing,
    deletions,
    putAway,
    pictures,
    addresses: new Addresses(),
    reviewed,
    lastVisit,
    zonesSeen,
    undo: new UndoList(),
  };
  const settings = async (): ReturnType<PageContext['settings']> =>
    (await import('./start-settings.js')).startSettings(suite, page);
  const started = session.subscribe(({ isLoaded }) => {
    if (!isLoaded) return;
    // Not before: the first events are waited for.
    started();
    // What is overwritten when the root key is locked is in this thread.
    if (!isOpen) startOpenerThread(opener, keys);
  });
  return { ...page, settings };
}

/** Returns the codes of a person in the link's fragment, or null, and removes them from the address. */
function consumeMemberCodes(): string | null {
  const codes = [MEMBER_FRAGMENT, MEMBER_FRAGMENT_V2].flatMap((name) => consumeCode(name) ?? []);
  return codes.length === 0 ? null : codes.join('\n');
}

/** Returns the code in the link's fragment and removes it from the address. */
function consumeCode(name: string): string | null {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const code = parameters.get(name);
  if (code === null) return null;
  parameters.delete(name);
  const rest = parameters.toString();
  history.replaceState(null, '', `${location.pathname}${location.search}${rest === '' ? '' : `#${rest}`}`);
  return code;
}

type State =
  | { readonly type: 'starting' }
  | { readonly type: 'new'; readonly storage: AppStorage }
  | { readonly type: 'ready'; readonly page: PageContext }
  | { readonly type: 'failed'; readonly error: SealcamError };

/** Takes the codes out of the link's fragment, so that no address and no history keeps them. */
function consumeCodes(): LinkCodes {
  return { claimCode: consumeCode(CLAIM_FRAGMENT), memberCode: consumeMemberCodes() };
}

function App({ first }: { readonly first: LinkCodes }): JSX.Element {
  const [codes, setCodes] = useState(first);
  const [state, setState] = useState<State>({ type: 'starting' });
  const fail = (error: unknown): void => {
    setState({ type: 'failed', error: asSealcamError(error) });
  };
  const enter = async (storage: AppStorage, keys: OwnerKeys, root: RootHere | null): Promise<void> => {
    const useRoot: PageContext['useRoot'] = (atRest, open) => {
      enter(storage, open.keys, { ...atRest, open }).catch(fail);
      // Nothing of the key outlives the page that had it.
      open.onLock(() => {
        // What is drawn signs with it, such as the code of its own.
        setState({ type: 'starting' });
        location.reload();
      });
    };
    setState({ type: 'ready', page: await signIn(storage, keys, { root, useRoot }) });
  };
  const start = async (storage: AppStorage): Promise<void> => {
    const master = await storage.loadMaster();
    if (master === null) {
      setState({ type: 'new', storage });
      return;
    }
    const keys = ownerKeys(tweetnaclSuite, master);
    const root = await loadRoot(storage, keys.signer.publicKey);
    await enter(storage, keys, root === null ? null : { ...root, open: null });
  };
  const open = async (): Promise<AppStorage> =>
    (__DEMO__ ? await demoStorage() : null) ?? (await IndexedDbStorage.open());
  // A link with a code may be opened while the page is.
  useEffect(() => {
    const follow = (): void => {
      const next = consumeCodes();
      if (next.claimCode !== null || next.memberCode !== null) setCodes(next);
    };
    addEventListener('hashchange', follow);
    return () => {
      removeEventListener('hashchange', follow);
    };
  }, []);
  // Before the first frame is drawn, which says nothing yet.
  useLayoutEffect(() => {
    open().then(start).catch(fail);
  }, []);
  switch (state.type) {
    case 'starting':
      return (
        <main class="onboarding">
          <Logo />
        </main>
      );
    case 'new':
      return (
        <Onboarding.View
          storage={state.storage}
          onReady={() => {
            start(state.storage).catch(fail);
          }}
        />
      );
    case 'ready':
      return (
        <Shell
          page={state.page}
          codes={codes}
          onForget={() => {
            location.reload();
          }}
        />
      );
    case 'failed':
      return (
        <main class="onboarding">
          <div class="panel onboarding-panel">
            <h1>This page cannot start</h1>
            <Problem error={state.error} />
          </div>
        </main>
      );
  }
}

const root = document.getElementById('page');
if (root !== null) {
  render(<App first={consumeCodes()} />, root);
}
