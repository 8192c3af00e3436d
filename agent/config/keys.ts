import { key, loadConfig, reloadConfig, type ConfigOf, type ConfigSource } from '../../common/config/load.js';
import {
  brokerUrl,
  choice,
  duration,
  flag,
  integer,
  pageUrl,
  path,
  publicKeys,
  size,
  timeZone,
} from '../../common/config/values.js';
import { CAMERA_DRIVER_NAMES } from '../../hal/camera-drivers.js';
import { SCENARIOS, SCENES } from '../../hal/mock-scenarios.js';
import { WATCHDOG_DRIVERS } from '../../hal/peripherals.js';
import { deviceName, masks, rtspUrl, schedule, uploadUrl, zones } from './values.js';

/**
 * Every setting of the agent: parser, default, help, and whether a running agent may reload it. docs/configuration.md is
 * generated from this table, so a new setting needs a row here and `npm run docs`.
 */
export const CONFIG_KEYS = {
  'camera.driver': key(choice(...CAMERA_DRIVER_NAMES), 'mock', 'Where frames come from.'),
  'camera.device': key(
    deviceName,
    '',
    'v4l2: path of the device, by default /dev/video0; libcamera: number or id of the camera, by default the first.',
  ),
  'camera.width': key(integer(64, 8192), 640, 'Width requested from a libcamera or v4l2 camera, in pixels.'),
  'camera.height': key(integer(64, 8192), 480, 'Height requested from a libcamera or v4l2 camera, in pixels.'),
  'camera.framesPerSecond': key(integer(1, 30), 10, 'Frames per second requested from the camera.'),
  'camera.timeZone': key(timeZone, 'UTC', 'Time zone of the camera, for motion.schedule.'),
  'mock.scene': key(choice(...SCENES), 'porch', 'The place that the mock camera shows.'),
  'mock.scenario': key(choice(...SCENARIOS), 'walk', 'What happens in front of the mock camera.'),
  'mock.seed': key(integer(0, 2 ** 31), 1, 'The same seed gives the same frames.'),
  'replay.path': key(path, '', 'A video file, or a folder of JPEG files.'),
  'replay.loop': key(flag, true, 'Restart at the end of the file.'),

  'rtsp.url': key(
    rtspUrl,
    '',
    'Address of an IP camera, without user and password: rtsp://HOST/PATH. camera.height follows its shape.',
  ),
  'rtsp.credentialsFile': key(path, '', 'File with user:password for it, in one line, mode 0600; empty: none.'),
  'clip.codec': key(
    choice('off', 'jpeg', 'h264'),
    'off',
    'Video of which events have clips: off; jpeg, the frames that any camera gives, at most 4 a second, each black under privacy.masks; h264, of a camera with an encoder and no privacy.masks, which it would show. Under a claim of version 2 only.',
  ),
  'clip.prerollSeconds': key(
    integer(1, 30),
    5,
    'Seconds before an event with which its clip begins, as far as clip.ringBytes goes.',
  ),
  'clip.ringBytes': key(
    size('64 KiB', '64 MiB'),
    '1 MiB',
    'Maximum memory for them: 1 MiB is 4 s at 2 Mbit/s. While there is no key to seal with yet, as much again and 1 MiB may wait.',
  ),
  'clip.maxBytes': key(
    size('1 MiB', '64 GiB'),
    '256 MiB',
    'Maximum size of the sealed clips that wait for the cloud, beside outbox.maxBytes. The oldest clips go first, and the loss is recorded.',
  ),
  'clip.uploadUrl': key(
    uploadUrl,
    '',
    'Address to which clips are uploaded, with the certificates of uplink.*; empty: the host of uplink.url, https:// for mqtts://, port 8080 for mqtt://. No answer of a server changes it.',
  ),
  'clip.uploadBytesPerSecond': key(
    integer(0, 125_000_000),
    0,
    'How fast clips leave on average; 0: at half of the speed that is measured. Records and pictures go first.',
  ),

  'gpio.chip': key(deviceName, 'gpiochip0', 'The GPIO chip of the lines below; docs/hardware.md describes the wiring.'),
  'gpio.buttonLine': key(integer(-1, 1023), -1, 'Line of the button, low while pressed; -1: none.'),
  'gpio.motionLine': key(integer(-1, 1023), -1, 'Line of a motion sensor (PIR), high on motion; -1: none.'),
  'gpio.irCutLine': key(
    integer(-1, 1023),
    -1,
    'Line of a light sensor or infrared-cut filter, high at night; -1: none.',
  ),
  'gpio.ledLine': key(integer(-1, 1023), -1, 'Line of the LED, lit when high; -1: none.'),
  'serial.path': key(deviceName, '', 'The tty of the debug console, or stdio; empty: none.'),
  'serial.baudRate': key(
    integer(1200, 4_000_000),
    115_200,
    'Its speed in baud, with 8 data bits, no parity, 1 stop bit.',
  ),
  'console.qaKeys': key(
    publicKeys,
    [],
    "The maker's QA keys, whose tokens unlock the debug console; none: it stays locked. Mock cameras also trust a public one.",
  ),
  'watchdog.driver': key(
    choice(...WATCHDOG_DRIVERS),
    'none',
    'What else restarts the camera when it hangs: the board (/dev/watchdog), or nothing. The watchdog of a systemd unit of Type=notify is always fed; systemd: warn where no unit has one.',
  ),

  'motion.sensitivity': key(integer(0, 100), 50, '0 detects only the coarsest motion, 100 the faintest.', true),
  'motion.width': key(
    integer(96, 320),
    160,
    'Width of the luma plane in which motion is detected, in pixels; a smaller one takes less time.',
    true,
  ),
  'motion.idleFramesPerSecond': key(
    integer(1, 30),
    3,
    'Frames per second inspected while nothing moves. Once something does, every frame is, and those just before it too.',
    true,
  ),
  'motion.minDuration': key(duration('0 ms', '10 s'), '300 ms', 'Shorter motion raises no event.', true),
  'motion.hold': key(
    duration('200 ms', '60 s'),
    '1500 ms',
    'An event ends when nothing has moved for this long.',
    true,
  ),
  'motion.cooldown': key(
    duration('0 ms', '10 min'),
    '1 s',
    'Minimum time from the end of an event to the start of the next.',
    true,
  ),
  'motion.maxDuration': key(duration('5 s', '1 h'), '2 min', 'A longer event ends here; another may follow.', true),
  'motion.maxPerHour': key(
    integer(0, 3600),
    120,
    'Maximum of motion events in any hour; events withheld are counted in a signed record. 0: no limit.',
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
    'Polygons where motion counts, in fractions of the picture; minArea: minimum size there, in percent of the picture. None: everywhere.',
    true,
  ),
  'privacy.masks': key(
    masks,
    [],
    'Polygons that are black in every picture and ignored by the detector, in fractions of the picture.',
    true,
  ),
  'thumbnail.width': key(integer(64, 1920), 320, 'Width of the pictures, in pixels.', true),
  'thumbnail.quality': key(integer(20, 95), 75, 'JPEG quality of the pictures.', true),
  'thumbnail.maxBytes': key(
    size('4 KiB', '88 KiB'),
    '19.5 KiB',
    'Maximum size of the picture of an event; quality, then width, are lowered until it fits.',
    true,
  ),
  'thumbnail.crop': key(
    choice('none', 'subject'),
    'none',
    'What the picture of an event shows: the whole view, or the subject with its surroundings.',
    true,
  ),
  'thumbnail.mini': key(
    flag,
    true,
    'Whether the first picture of an event also has a small copy, 160 pixels wide and 2.5 KiB at most, for a notification; under a claim of version 2 only.',
    true,
  ),

  'data.folder': key(path, './data', 'Holds keys, claim and outbox; created if it is missing.'),
  'outbox.maxBytes': key(size('1 MiB', '64 GiB'), '256 MiB', 'Maximum size of the outbox while the cloud is away.'),
  'outbox.maxAge': key(duration('1 h', '365 d'), '30 d', 'Older records are dropped, and the loss is recorded.'),

  'uplink.url': key(
    brokerUrl('the user name is the device id, and the password is in uplink.passwordFile'),
    'mqtt://127.0.0.1:1883',
    'Address of the broker, without user name and password; mqtts:// for TLS.',
  ),
  'uplink.passwordFile': key(
    path,
    '',
    "File with this device's password for the broker; the user name is the device id.",
  ),
  'uplink.caFile': key(
    path,
    '',
    'Certificates (PEM) of the authorities that may sign the broker; empty: those of the system.',
  ),
  'uplink.certFile': key(path, '', 'Certificate (PEM) that this camera presents to the broker; empty: none.'),
  'uplink.keyFile': key(path, '', 'Its private key (PEM), mode 0600.'),
  'uplink.initialWindow': key(
    duration('100 ms', '900 s'),
    '300 s',
    'Window over which reconnects are spread after a boot or an outage, until the cloud sets another.',
  ),
  'uplink.connectTimeout': key(duration('1 s', '2 min'), '20 s', 'Time limit of an attempt to connect.'),
  'uplink.ackTimeout': key(
    duration('1 s', '2 min'),
    '20 s',
    'A broker that does not acknowledge within this time counts as gone.',
  ),
  'uplink.oversizeHold': key(
    duration('1 s', '30 d'),
    '24 h',
    'How long a picture that is too large for the broker waits for a larger limit, until a signed loss names it.',
  ),
  'uplink.keepAlive': key(duration('5 s', '1 h'), '60 s', 'Interval of MQTT pings on an idle connection.'),

  'claim.pageUrl': key(pageUrl, 'https://app.example/', "The owner's page to which a claim link leads."),
  'health.interval': key(duration('1 s', '15 min'), '15 min', 'Time between two health records.'),
  'log.level': key(choice('debug', 'info', 'warn', 'error'), 'info', 'Lowest level that is logged.', true),
} as const;

export type Config = ConfigOf<typeof CONFIG_KEYS>;

/** `motion.minDuration` is SEALCAM_MOTION_MIN_DURATION in the environment. */
export const ENVIRONMENT_PREFIX = 'SEALCAM_';

/** Loads the agent's configuration. @throws SealcamError that names the wrong line or variable */
export function loadAgentConfig(source: ConfigSource): Config {
  return loadConfig(CONFIG_KEYS, ENVIRONMENT_PREFIX, source);
}

/** Reads the configuration again, all or nothing. @throws SealcamError that names what is wrong or needs a restart */
export function reloadAgentConfig(current: Config, source: ConfigSource): Config {
  return reloadConfig(CONFIG_KEYS, ENVIRONMENT_PREFIX, current, source);
}
