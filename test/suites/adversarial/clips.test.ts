import { attacks } from '../../support/attack.js';
import {
  afterDeletion,
  afterFlood,
  announced,
  besideStalled,
  broughtTo,
  broughtWhen,
  goesOn,
  readBy,
  readCrossed,
  redirects,
  replayed,
  stalls,
  storedBy,
  twiceAtOnce,
} from '../../support/worlds/clip-trials.js';
import {
  answeredAt,
  heldUp,
  receiptedWith,
  refusedWith,
  sentOn,
  toldToWait,
} from '../../support/worlds/upload-trials.js';

const STORED = 'stored, a body stored';
const WAITS = 'the body waits';
const receipted = {
  name: 'its own receipt',
  expected: 'delivered',
  observed: () => receiptedWith('its own'),
} as const;
const itsOwn = { name: 'in its own place', expected: STORED, observed: () => broughtTo('its own') } as const;

attacks('clips', 'Bodies of clips', [
  {
    name: 'a body that no record names is uploaded',
    expected: 'no receipt (404), nothing stored',
    observed: () => broughtTo('no record names it'),
    control: itsOwn,
  },
  {
    name: 'a segment is uploaded for another camera',
    expected: 'no receipt (404), nothing stored',
    observed: () => broughtTo('another camera'),
    control: itsOwn,
  },
  {
    name: 'a segment is uploaded for another epoch of its camera',
    expected: 'no receipt (404), nothing stored',
    observed: () => broughtTo('another epoch'),
    control: itsOwn,
  },
  {
    name: 'a segment is uploaded in the place of another one of its clip',
    expected: 'no receipt (400), nothing stored',
    observed: () => broughtTo('another segment'),
    control: itsOwn,
  },
  {
    name: 'a body is uploaded before its record, by somebody who knows it',
    expected: 'no receipt (404), nothing stored',
    observed: () => broughtWhen('before its record'),
    control: { name: 'after it', expected: STORED, observed: () => broughtWhen('after it') },
  },
  {
    name: 'a body is announced one byte longer than it is signed',
    expected: 'no receipt (404), nothing stored',
    observed: () => announced('longer'),
    control: { name: 'with its length', expected: STORED, observed: () => announced('exact') },
  },
  {
    name: 'a body of a gigabyte is announced',
    expected: 'no receipt (413), nothing stored',
    observed: () => announced('enormous'),
    control: { name: 'with its length', expected: STORED, observed: () => announced('exact') },
  },
  {
    name: 'a body without a length and without an end',
    expected: 'cut off, nothing stored',
    observed: () => announced('none'),
    control: { name: 'with its length', expected: STORED, observed: () => announced('exact') },
  },
  {
    name: 'a body goes on after its announced end',
    expected: 'upload-cut',
    observed: () => goesOn(1),
    control: { name: 'it ends there', expected: 'accepted', observed: () => goesOn(0) },
  },
  {
    name: 'a sender stalls in the middle of a body',
    expected: 'no receipt (408), nothing stored',
    observed: () => stalls('in the middle'),
    control: { name: 'it goes on', expected: STORED, observed: () => stalls('nowhere') },
  },
  {
    name: 'a stranger who saw the path stalls beside the camera',
    expected: STORED,
    observed: () => besideStalled(1),
    control: {
      name: 'two of them, until they are cut off',
      expected: 'no receipt (429), nothing stored',
      observed: () => besideStalled(2),
    },
  },
  {
    name: 'a body is uploaded twice at once, once with other bytes',
    expected: 'stored and no receipt, the body is whole',
    observed: () => twiceAtOnce('other bytes'),
    control: {
      name: 'with the same bytes',
      expected: 'stored and stored, the body is whole',
      observed: () => twiceAtOnce('the same bytes'),
    },
  },
  {
    name: 'record and body come again after their owner deleted them',
    expected: 'deleted, nothing stored',
    observed: () => afterDeletion(true),
    control: { name: 'nothing was deleted', expected: STORED, observed: () => afterDeletion(false) },
  },
  {
    name: 'the S3 engine takes any bytes and stores others',
    expected: 'no receipt (503)',
    observed: () => storedBy('altering'),
    control: { name: 'it stores what it was given', expected: 'stored', observed: () => storedBy('honest') },
  },
  {
    name: 'a signed request to the S3 engine is sent again with other bytes',
    expected: 'refused',
    observed: () => replayed('others'),
    control: { name: 'with the same bytes', expected: 'taken', observed: () => replayed('the same') },
  },
  {
    name: 'a stranger with a camera of their own asks for a segment',
    expected: '404',
    observed: () => readBy('a stranger with a camera'),
    control: { name: 'its owner', expected: 'the body', observed: () => readBy('its owner') },
  },
  {
    name: 'somebody without a session asks for a segment',
    expected: '401',
    observed: () => readBy('nobody'),
    control: { name: 'its owner', expected: 'the body', observed: () => readBy('its owner') },
  },
  {
    name: "another camera's body lies in the place of a segment",
    expected: 'not shown, 1 alarms',
    observed: () => readCrossed(true),
    control: { name: 'its own', expected: 'shown, 0 alarms', observed: () => readCrossed(false) },
  },
  {
    name: 'a camera fills the store',
    expected: 'quota',
    observed: () => afterFlood('the flooding camera'),
    control: { name: 'its neighbour uploads', expected: 'stored', observed: () => afterFlood('a neighbour') },
  },
  {
    name: "an upload is sent on into the owner's network",
    expected: 'never redirected',
    observed: () => redirects('the cloud'),
    control: { name: 'by a server that redirects', expected: 'redirected', observed: () => redirects('a lying one') },
  },
  {
    name: "a server sends the camera on into its owner's network",
    expected: `${WAITS}, nobody else was asked`,
    observed: () => sentOn("the owner's network"),
    control: {
      name: 'it answers itself',
      expected: 'delivered, nobody else was asked',
      observed: () => sentOn('nowhere'),
    },
  },
  {
    name: 'a forged media receipt makes a camera delete a body',
    expected: WAITS,
    observed: () => receiptedWith('another key'),
    control: receipted,
  },
  {
    name: "a media receipt of another camera's, signed by the right cloud",
    expected: WAITS,
    observed: () => receiptedWith('another camera'),
    control: receipted,
  },
  {
    name: 'a media receipt of another epoch',
    expected: WAITS,
    observed: () => receiptedWith('another epoch'),
    control: receipted,
  },
  {
    name: 'a media receipt of another body is sent again',
    expected: WAITS,
    observed: () => receiptedWith('another body'),
    control: receipted,
  },
  {
    name: 'a server says that it has the body, without a signature',
    expected: WAITS,
    observed: () => receiptedWith('a word'),
    control: receipted,
  },
  {
    name: 'a server says that the body is deleted, without a signature',
    expected: WAITS,
    observed: () => refusedWith('a status'),
    control: { name: 'signed', expected: 'a signed loss', observed: () => refusedWith('a signature') },
  },
  {
    name: 'an answer without an end fills the memory of a camera',
    expected: `${WAITS}, nothing read without a bound`,
    observed: () => answeredAt('no end'),
    control: {
      name: 'with an end',
      expected: 'delivered, nothing read without a bound',
      observed: () => answeredAt('its length'),
    },
  },
  {
    name: 'a server takes a body and holds the camera up for ever',
    expected: WAITS,
    observed: () => heldUp(true),
    control: { name: 'it answers', expected: 'delivered', observed: () => heldUp(false) },
  },
  {
    name: 'a server asks the camera to wait for thirty years',
    expected: 'asked again after 12 minutes',
    observed: () => toldToWait(999_999_999),
    control: { name: 'for ten minutes', expected: 'asked again after 10 minutes', observed: () => toldToWait(600) },
  },
]);
