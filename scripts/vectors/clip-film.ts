/** Two films as a camera makes them, as small as the codecs go: 32 × 32 pixels, a picture a second. */
import { Segmenter, type Segment } from '../../agent/clip/segmenter.js';
import type { VideoCodec, VideoUnit } from '../../hal/video-source.js';

/** Access units of x264 (Annex B): the first and the fifth are key units with their parameter sets. */
const KEY_START =
  '000000010910' + '000000016742c00ada25b011000003000100000300028f1226a0' + '0000000168ce0fc8' + '000001';
const OTHER_START = '000000010930' + '00000001';
const H264 = [
  KEY_START + '6588843a260380008320000824800080680d73c1c00043a8000433f160e00021d4000219fd78',
  OTHER_START + '419a20268b',
  OTHER_START + '419a40328b',
  OTHER_START + '419a603a8b',
  KEY_START + '6588820328980e00022c4000228e000221600020e9cf0700012e400012c9c58380009720000964f5e0',
  OTHER_START + '419a202a8b',
];

/** JPEG files of one colour each, which differ in their last bytes. */
const JPEG_START =
  'ffd8ffe000104a46494600010200000100010000' +
  'ffdb0043000828282f282f373737373737413c414343434141414143434343484855555548484843434848505055555c5f5c575755575f5f646464787873738c8c91acaccf' +
  `ffc4004b00010100000000000000000000000000000007010100000000000000000000000000000000100100000000000000000000000000000000110100000000000000000000000000000000` +
  'ffc00011080020002003012200021100031100' +
  'ffda000c03010002110311003f00';
const JPEG_DARK = `${JPEG_START}97800000000000ffd9`;
const JPEG_LIGHT = `${JPEG_START}a0000000000000ffd9`;

const PICTURE_MS = 1000;

/** Returns the segments of a film, the initialisation first. */
export function filmOf(codec: VideoCodec): readonly Segment[] {
  const pictures = codec === 'h264' ? H264 : [JPEG_DARK, JPEG_LIGHT, JPEG_LIGHT, JPEG_DARK];
  const units = pictures.map((picture, i): VideoUnit => {
    const bytes = new Uint8Array(Buffer.from(picture, 'hex'));
    return { bytes, isKey: !picture.startsWith(OTHER_START), monotonicMs: i * PICTURE_MS };
  });
  const segmenter = new Segmenter(codec, 1);
  return [...units.flatMap((unit) => segmenter.add(unit)), ...segmenter.flush()];
}
