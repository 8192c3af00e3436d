/**
 * Every error code of the project with its default hint.
 * A code is never reused for another meaning; docs/errors.md is generated from this table.
 *
 * `exit` is the status with which a command ends when this error reaches the top:
 * 1 fault of ours, 2 wrong usage or configuration, 3 input refused, 4 something outside is missing.
 */
interface ErrorCodeEntry {
  readonly recoverable: boolean;
  readonly exit: 1 | 2 | 3 | 4;
  readonly hint: string;
}

function entry(exit: ErrorCodeEntry['exit'], recoverable: boolean, hint: string): ErrorCodeEntry {
  return { exit, recoverable, hint };
}

export const ERROR_CODES = {
  internal: entry(1, false, 'This is a fault in sealcam; please report it with the log around it.'),

  'usage-invalid': entry(2, false, 'Run the command with --help to see what it takes.'),
  'config-unreadable': entry(2, false, 'Check the path after --config and that this user may read it.'),
  'config-syntax': entry(2, false, 'The file is TOML; mend the line that is named.'),
  'config-unknown-key': entry(2, false, 'docs/configuration.md lists every key.'),
  'config-invalid-value': entry(2, false, 'docs/configuration.md gives the type and range of every key.'),
  'config-needs-restart': entry(2, false, 'Restart the agent to apply this key; nothing was changed.'),

  // What arrives from outside and cannot be trusted. The code of a refused object is its verdict.
  malformed: entry(3, false, 'The bytes are not what the protocol allows; whoever made them is at fault.'),
  unsupported: entry(3, false, 'Made by a newer version: update this side.'),
  foreign: entry(3, false, 'It belongs to another device or account than the place it was found in.'),
  'bad-signature': entry(3, false, 'The bytes were altered or signed by someone else.'),
  'seal-refused': entry(3, false, 'It was not sealed to this key, or it was altered.'),
  'claim-refused': entry(3, false, 'Open a claim window on the camera and use its claim code.'),
  'claim-code-invalid': entry(
    3,
    false,
    'Copy the whole code, from the label or the other screen; a typing error is noticed.',
  ),
  'command-refused': entry(3, false, 'Only the owner orders a camera, under the claim that is in force.'),
  'command-replayed': entry(3, true, 'The camera took a later order already; order again.'),
  'command-stale': entry(3, true, 'The order came too late, or the camera restarted meanwhile; order again.'),
  'command-unanswered': entry(4, true, 'Nobody can keep the order for later; give it again when the camera is online.'),
  'household-unknown': entry(
    3,
    true,
    'Accept the household first, if its number is the one on the screen of whoever invited you.',
  ),
  'privacy-mode': entry(3, true, "The owner closed the camera's eye; switch privacy mode off first."),
  'too-large': entry(3, false, 'The object exceeds the limit that is named.'),
  'frame-corrupt': entry(3, true, 'The frame is skipped and counted; check the camera cable if it persists.'),

  'key-file-invalid': entry(2, false, 'The key file must be the 32-byte seed, mode 0600, owned by this user.'),
  'key-store-unavailable': entry(4, true, 'Check that the data folder exists and that this user may write to it.'),
  'store-unavailable': entry(4, true, 'Check free space and permissions of the data folder.'),
  'store-full': entry(4, true, 'Free some space, or lower outbox.maxBytes.'),
  'store-newer': entry(4, false, 'The database was written by a newer version: install that version again.'),
  'store-corrupt': entry(4, true, 'The damaged file was set aside; nothing was deleted.'),
  'store-locked': entry(4, true, 'Another sealcam runs on this data folder; one camera is one process.'),
  unclaimed: entry(3, true, 'The camera has no owner yet and records nothing; claim it first.'),
  'claim-changed': entry(3, true, 'The owner changed while the picture was sealed; it was discarded and counted.'),
  'signing-stopped': entry(3, false, 'The cloud knows records that this camera does not: claim the camera anew.'),
  'randomness-repeats': entry(1, false, 'The random source returned a key twice; sealing is refused.'),

  'camera-unavailable': entry(4, true, 'Check that the camera is connected and not used by another program.'),
  'camera-ended': entry(4, true, 'The stream ended; the driver starts it again.'),
  'gpio-unavailable': entry(4, true, 'Check gpio.chip and the line numbers, and that nothing else holds the line.'),
  'serial-unavailable': entry(
    4,
    true,
    'Check serial.path, that this user is in the group dialout, and that no getty or other program holds the line.',
  ),
  'watchdog-unavailable': entry(4, true, 'Check watchdog.driver; docs/hardware.md says what each of them needs.'),
  'ffmpeg-missing': entry(4, false, 'Install ffmpeg (Debian: apt install ffmpeg; macOS: brew install ffmpeg).'),
  'video-unreadable': entry(3, false, 'Check the path, and that `ffmpeg -i FILE` can read it.'),
  'video-truncated': entry(3, false, 'The file ends early: copy it again; what was read before was used.'),

  'reboot-refused': entry(4, true, "The agent's user needs the right to restart: a polkit rule, or CAP_SYS_BOOT."),
  'console-locked': entry(3, true, "Unlock the console with a token of the maker's QA key: docs/console.md."),
  'unlock-refused': entry(3, true, 'Make a token for the device and nonce that `unlock` shows now.'),

  'broker-unreachable': entry(4, true, 'Check uplink.url, the network and that the broker runs.'),
  'broker-refused': entry(4, true, 'Check the credentials of this device at the broker.'),
  'broker-untrusted': entry(4, true, 'Check uplink.url, uplink.caFile and the clock: this broker could be anybody.'),
  'uplink-timeout': entry(4, true, 'The broker did not answer in time; the agent tries again by itself.'),

  'port-in-use': entry(4, false, 'Choose another port, or stop the program that uses it.'),
  'session-refused': entry(3, true, 'Open a new session: the challenge is signed again.'),
  'cloud-unreachable': entry(4, true, 'Check the address of the cloud and the network.'),
  'cloud-lied': entry(3, false, 'What the cloud sent contradicts what is signed; nothing of it is shown.'),
  'recovery-refused': entry(3, false, 'Check the passphrase and that the whole recovery file was chosen.'),
  'browser-unsupported': entry(4, false, 'Open the page over https (or on localhost) in a current browser.'),
  'request-invalid': entry(3, false, 'The API description is at /v1/openapi.json.'),
  'not-found': entry(3, false, 'It does not exist, or it is not yours to see.'),
  'rate-limited': entry(3, true, 'Wait and try again.'),
  'revocation-stale': entry(4, true, 'Import a newer list of the maker: sealcam-cloud revoke import FILE.'),
  'revocation-rollback': entry(
    3,
    false,
    'A list of this signer with this or a higher version was taken before: make a newer one.',
  ),
  'reads-paused': entry(4, true, 'Your cameras go on; what they saw meanwhile is shown once reading is resumed.'),
  'tool-missing': entry(4, false, 'Install the tool that is named.'),
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;
