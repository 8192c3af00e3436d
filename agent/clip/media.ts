import { SealcamError } from '../../common/errors.js';
import { readJpegSize } from '../../common/jpeg-size.js';
import { NAL, nalsOf, nalType } from '../../hal/h264/nal.js';
import { readSequence } from '../../hal/h264/sequence.js';
import type { VideoCodec } from '../../hal/video-source.js';
import { box, initialisation, number, videoEntry } from './boxes.js';

/** How units of a codec become a file. */
export interface Media {
  /** Returns the initialisation, from the first key unit. @throws SealcamError `video-corrupt` */
  initialise(key: Uint8Array): Uint8Array;
  /** Returns what a unit is as a sample of the file, in parts of the unit. */
  sampleOf(unit: Uint8Array): readonly Uint8Array[];
}

const PROFILE_HIGH = 100;
/** 4:2:0, and 8 bits of each colour: all that `readSequence` lets through. */
const HIGH_FIELDS = Uint8Array.of(0xfd, 0xf8, 0xf8, 0);

/** CMAF, a fragmented MP4 that a browser plays as it comes (ISO 23000-19; the sample entry: ISO 14496-15, 5.3.3). */
const h264: Media = {
  initialise: (key) => {
    const nals = [...nalsOf(key)];
    const sequence = nals.findLast((nal) => nalType(nal) === NAL.sps);
    const picture = nals.findLast((nal) => nalType(nal) === NAL.pps);
    if (sequence === undefined || picture === undefined) {
      throw new SealcamError('video-corrupt', 'a key unit without its parameter sets');
    }
    const size = readSequence(sequence);
    const lengthOfFourBytes = 0xff;
    const configuration = box(
      'avcC',
      number(1, 1),
      sequence.subarray(1, 4),
      number(lengthOfFourBytes, 1),
      number(0xe1, 1),
      number(sequence.length, 2),
      sequence,
      number(1, 1),
      number(picture.length, 2),
      picture,
      size.profile === PROFILE_HIGH ? HIGH_FIELDS : new Uint8Array(0),
    );
    return initialisation({
      ...size,
      brands: ['iso6', 'cmfc', 'mp41'],
      entry: videoEntry('avc1', size, configuration),
    });
  },
  // Parameter sets stand in the initialisation, and lengths in place of start codes.
  sampleOf: (unit) => {
    const kept = [...nalsOf(unit)].filter(
      (nal) => ![NAL.delimiter, NAL.sps, NAL.pps].some((type) => type === nalType(nal)),
    );
    return kept.flatMap((nal) => [number(nal.length, 4), nal]);
  },
};

/** Fragmented QuickTime: each sample is a JPEG file. */
const jpeg: Media = {
  initialise: (key) => {
    const size = readJpegSize(key);
    if (size === null) throw new SealcamError('video-corrupt', 'a unit that is not a JPEG');
    return initialisation({ ...size, brands: ['qt  '], entry: videoEntry('jpeg', size) });
  },
  sampleOf: (unit) => [unit],
};

export const MEDIA: Readonly<Record<VideoCodec, Media>> = { h264, jpeg };
