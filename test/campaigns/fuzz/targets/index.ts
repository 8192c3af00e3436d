import type { Target } from '../harness.js';
import { DECODER_TARGETS } from './decoders.js';
import { EVIDENCE_TARGETS } from './evidence.js';
import { FILE_TARGETS } from './files.js';
import { OPENER_TARGETS } from './openers.js';
import { SEAL2_TARGETS } from './seal2.js';
import { SERVICE_TARGETS } from './services.js';
import { SIGNED_TARGETS } from './signed.js';
import { TEXT_TARGETS } from './text.js';
import { VIDEO_TARGETS } from './video.js';
import { WIRE_TARGETS } from './wire.js';

/** Every decoder of bytes that come from outside. */
export const TARGETS: readonly Target[] = [
  ...SIGNED_TARGETS,
  ...WIRE_TARGETS,
  ...SEAL2_TARGETS,
  ...OPENER_TARGETS,
  ...EVIDENCE_TARGETS,
  ...DECODER_TARGETS,
  ...TEXT_TARGETS,
  ...FILE_TARGETS,
  ...SERVICE_TARGETS,
  ...VIDEO_TARGETS,
];
