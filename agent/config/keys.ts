import { key, loadConfig, reloadConfig, type ConfigOf, type ConfigSource } from '../../common/config/load.js';
import {
  choice,
  duration,
  flag,
  integer,
  pageUrl,
  path,
  publicKeys,
  size,
  timeZone,
  url,
} from '../../common/config/values.js';
import { CAMERA_DRIVER_NAMES } from '../../hal/camera-drivers.js';
import { SCENARIOS, SCENES } from '../../hal/mock-scenarios.js';
import { WATCHDOG_DRIVERS } from '../../hal/peripherals.js';
import { deviceName, masks, schedule, zones } from './values.js';

/** Every setting: type, default, help. docs/configuration.md is generated from this table. */
export const CONFIG_KEYS = {
  'camera.driver': key(choice(...CAMERA_DRIVER_NAMES), 'mock', 'Where frames come from.'),
  'camera.device': key(
    deviceName,
    '',
    'v4l2: path of the device, empty for /dev/video0; libcamera: number or id of the camera, empty for the first.',
  ),
  'camera.width': key(integer(64, 8192), 640, 'Width asked of a libcamera or v4l2 camera, in pixels.'),
  'camera.height': key(integer(64, 8192), 480, 'Height asked of a libcamera or v4l2 camera, in pixels.'),
  'camera.framesPerSecond': key(integer(1, 30), 10, 'Frames a second asked of the camera.'),
  'camera.timeZone': key(timeZone, 'UTC', 'Time zone of the camera, for motion.schedule.'),
  'mock.scene': key(choice(...SCENES), 'porch', 'What the mock camera looks at.'),
  'mock.scenario': key(choice(...SCENARIOS), 'walk', 'What happens in front of the mock camera.'),
  'mock.seed': key(integer(0, 2 ** 31), 1, 'The same seed gives the same frames.'),
  'replay.path': key(path, '', 'A video file, or a folder of JPEG files.'),
  'replay.loop': key(flag, true, 'Start again at the end of the file.'),

  'gpio.chip': key(
    deviceName,
    'gpiochip0',
    'The chip whose lines are meant below; docs/hardware.md says how to wire them.',
  ),
  'gpio.buttonLine': key(integer(-1, 1023), -1, 'Line of the button, pressed when low; -1: none.'),
  'gpio.motionLine': key(
    integer(-1, 1023),
    -1,
    'Line of a motion sensor (PIR), high when it sees something; -1: none.',
  ),
  'gpio.irCutLine': key(
    integer(-1, 1023),
    -1,
    'Line of a light sensor or infrared-cut filter, high by night; -1: none.',
  ),
  'gpio.ledLine': key(integer(-1, 1023), -1, 'Line of the LED, lit when high; -1: none.'),
  'serial.path': key(deviceName, '', 'The tty of the debug console, or stdio; empty: none.'),
  'serial.baudRate': key(integer(1200, 4_000_000), 115_200, 'Its speed, with 8 data bits, no parity, 1 stop bit.'),
  'console.qaKeys': key(
    publicKeys,
    [],
    "The maker's QA keys, whose tokens unlock the debug console; none: it stays locked (mock cameras trust a known one).",
  ),
  'watchdog.driver': key(
    choice(...WATCHDOG_DRIVERS),
    'none',
    'Who restarts the camera when it hangs: systemd (Type=notify), the board (/dev/watchdog), or nobody.',
  ),

  'motion.sensitivity': key(integer(0, 100), 50, '0 sees only the coarsest motion, 100 the faintest.', true),
  'motion.width': key(
    integer(96, 320),
    160,
    'Width of the grey picture in which motion is looked for, in pixels; a smaller one is less work.',
    true,
  ),
  'motion.idleFramesPerSecond': key(
    integer(1, 30),
    3,
    'Frames a second that are looked at while nothing moves; once something does, all are, those just before it too.',
    true,
  ),
  'motion.minDuration': key(duration('0 ms', '10 s'), '300 ms', 'Motion shorter than this is none.', true),
  'motion.hold': key(duration('200 ms', '60 s'), '1500 ms', 'An event ends when nothing moved for this long.', true),
  'motion.cooldown': key(duration('0 ms', '10 min'), '1 s', 'Least time from the end of an event to the next.', true),
  'motion.maxDuration': key(duration('5 s', '1 h'), '2 min', 'A longer event is ended and another may start.', true),
  'motion.maxPerHour': key(
    integer(0, 3600),
    120,
    'Most motion events in any hour; what is withheld is counted, and said in a signed record. 0: no limit.',
    true,
  ),
  'motion.schedule': key(
    schedule,
    [],
    'When motion raises events, in camera.timeZone: windows like "mon-fri 22:00-06:30"; none: always.',
    true,
  ),
  'motion.zones': key(
    zones,
    [],
    'Polygons where motion counts, in fractions of the picture; minArea: least size there, in per cent of it. None: everywhere.',
    true,
  ),
  'privacy.masks': key(
    masks,
    [],
    'Polygons that are black in every picture, and in which nothing is looked for; in fractions of the picture.',
    true,
  ),
  'thumbnail.width': key(integer(64, 1920), 320, 'Width of the pictures in pixels.', true),
  'thumbnail.quality': key(integer(20, 95), 75, 'JPEG quality of the pictures.', true),
  'thumbnail.maxBytes': key(
    size('4 KiB', '88 KiB'),
    '19.5 KiB',
    'Most that the picture of an event takes: quality, then width, are lowered until it fits.',
    true,
  ),
  'thumbnail.crop': key(
    choice('none', 'subject'),
    'none',
    'What the picture of an event shows: the whole view, or the subject with what is around it.',
    true,
  ),

  'data.folder': key(path, './data', 'Keys, claim and queue are kept here; the folder is made if it is missing.'),
  'outbox.maxBytes': key(size('1 MiB', '64 GiB'), '256 MiB', 'Most that waits here while the cloud is away.'),
  'outbox.maxAge': key(duration('1 h', '365 d'), '30 d', 'Older records are dropped, and the loss is said.'),

  'uplink.url': key(url, 'mqtt://127.0.0.1:1883', 'The broker; mqtts:// for TLS.'),
  'uplink.passwordFile': key(
    path,
    '',
    "File with this device's password at the broker; the user name is the device id.",
  ),
  'uplink.caFile': key(path, '', 'Certificates (PEM) that the broker must be signed by; empty: those of the system.'),
  'uplink.certFile': key(path, '', 'Certificate (PEM) that this camera shows the broker; empty: none.'),
  'uplink.keyFile': key(path, '', 'Its private key (PEM), mode 0600.'),
  'uplink.initialWindow': key(
    duration('100 ms', '900 s'),
    '300 s',
    'Over how long connects are spread after a boot or an outage, until the cloud says better.',
  ),
  'uplink.connectTimeout': key(duration('1 s', '2 min'), '20 s', 'A connect that takes longer has failed.'),
  'uplink.ackTimeout': key(
    duration('1 s', '2 min'),
    '20 s',
    'A broker that does not acknowledge for this long is gone.',
  ),
  'uplink.keepAlive': key(duration('5 s', '1 h'), '60 s', 'How often the connection is proved to live.'),

  'claim.pageUrl': key(pageUrl, 'https://app.example/', "The owner's page that a claim link leads to."),
  'health.interval': key(duration('1 s', '15 min'), '15 min', 'Time between two health records.'),
  'log.level': key(choice('debug', 'info', 'warn', 'error'), 'info', 'Least important line that is logged.', true),
} as const;

export type Config = ConfigOf<typeof CONFIG_KEYS>;

/** `motion.minDuration` is SEALCAM_MOTION_MIN_DURATION in the environment. */
export const ENVIRONMENT_PREFIX = 'SEALCAM_';

/** @throws SealcamError with the line or variable that is wrong */
export function loadAgentConfig(source: ConfigSource): Config {
  return loadConfig(CONFIG_KEYS, ENVIRONMENT_PREFIX, source);
}

/** All or nothing. @throws SealcamError with what is wrong, or that needs a restart */
export function reloadAgentConfig(current: Config, source: ConfigSource): Config {
  return reloadConfig(CONFIG_KEYS, ENVIRONMENT_PREFIX, current, source);
}
