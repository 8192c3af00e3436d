/** Every error code with its default hint. A code is never reused; docs/errors.md is generated from this table. */
interface ErrorCodeEntry {
  /** Whether a retry can help. */
  readonly recoverable: boolean;
  /**
   * Exit status of a command that ends with this error: 1 a bug in sealcam, 2 wrong usage or configuration, 3 refused
   * input, 4 something outside is missing.
   */
  readonly exit: 1 | 2 | 3 | 4;
  /** What the reader can do about it. */
  readonly hint: string;
}

function entry(exit: ErrorCodeEntry['exit'], recoverable: boolean, hint: string): ErrorCodeEntry {
  return { exit, recoverable, hint };
}

export const ERROR_CODES = {
  internal: entry(1, false, 'This is a bug in sealcam. Please report it with the log around it.'),

  'heap-full': entry(
    1,
    true,
    'The service starts it again, and nothing is lost. If it comes back, report it with the log.',
  ),

  'usage-invalid': entry(2, false, 'Run the command with --help to see its options.'),
  'config-unreadable': entry(2, false, 'Check the path after --config and whether this user may read the file.'),
  'config-syntax': entry(2, false, 'The file is TOML. Fix the line that is named.'),
  'config-unknown-key': entry(2, false, 'docs/configuration.md lists every key.'),
  'config-invalid-value': entry(2, false, 'docs/configuration.md gives the type and range of every key.'),
  'config-needs-restart': entry(2, false, 'Restart the agent to apply this key. Nothing was changed.'),

  // Refusals of input from outside. The code of a refused object is also its verdict.
  malformed: entry(3, false, 'The protocol does not allow these bytes. The fault is with the program that made them.'),
  unsupported: entry(3, false, 'A newer version made it. Update this side.'),
  foreign: entry(3, false, 'It belongs to another device or account than the place where it was found.'),
  'bad-signature': entry(3, false, 'The bytes were altered or signed by someone else.'),
  'seal-refused': entry(3, false, 'It was sealed to another key, or altered.'),
  'evidence-incomplete': entry(
    3,
    false,
    'The export does not hold all of this event. Make a new export; what was deleted or lost cannot become evidence.',
  ),
  'not-sealed-to-you': entry(
    3,
    false,
    'The camera signed a key record without your key. Ask its owner to claim it again, with your code.',
  ),
  'key-pending': entry(4, true, "It opens by itself once the key record of the camera's period is here."),
  'claim-refused': entry(3, false, 'Open a claim window on the camera and use its claim code.'),
  'claim-downgrade': entry(
    3,
    false,
    'This camera is already sealed for decades. Update the page or program that signed this claim.',
  ),
  'kem-key': entry(3, false, 'A key beside the claim is not the one that it names. Sign the claim again.'),
  'claim-code-invalid': entry(
    3,
    false,
    'Copy the whole code from the label or the other screen. Its checksum detects typing errors.',
  ),
  'command-refused': entry(3, false, 'Only the owner can give orders, under the current claim.'),
  'command-replayed': entry(3, true, 'The camera has already carried out a later order. Give this one again.'),
  'command-ahead': entry(3, true, 'Set the clock of the device that gave the order, then give it again.'),
  'command-stale': entry(3, true, 'The order arrived too late, or the camera restarted in between. Give it again.'),
  'command-unanswered': entry(4, true, 'Orders are not stored. Give it again when the camera is online.'),
  'household-unknown': entry(
    3,
    true,
    'Accept the household first, if its number matches the one on the screen of the person who invited you.',
  ),
  'recipient-swapped': entry(
    3,
    false,
    'Someone replaced the encryption key in your code. Show the code again, and let the owner compare its number.',
  ),
  'receipt-keys-changed': entry(
    3,
    true,
    'Compare the new numbers with those that the operator publishes, and accept them only if they are the same.',
  ),
  'off-schedule': entry(
    3,
    true,
    'The camera does not record at this time. Change its schedule, or wait for its next start.',
  ),
  'look-busy': entry(3, true, 'Two members of the household look already. Wait until one of them ends.'),
  'look-budget': entry(
    3,
    true,
    'A member may look ten minutes an hour, all together twenty. Wait, or look at the recorded events.',
  ),
  'privacy-mode': entry(3, true, 'The owner has switched privacy mode on. Switch it off first.'),
  'too-large': entry(3, false, 'The object exceeds the limit that is named.'),
  'frame-corrupt': entry(3, true, 'The frame was skipped and counted. If this persists, check the camera cable.'),

  'key-file-invalid': entry(2, false, 'The key file must hold a 32-byte seed, with mode 0600, owned by this user.'),
  'key-check-failed': entry(
    4,
    false,
    'Two programs made different signatures with the same key: the memory or the processor is faulty. Nothing is signed.',
  ),
  'key-store-unavailable': entry(4, true, 'Check that the data folder exists and that this user may write to it.'),
  'store-unavailable': entry(4, true, 'Check the free space and the permissions of the data folder.'),
  'store-full': entry(4, true, 'Free some space, or lower outbox.maxBytes.'),
  'store-newer': entry(4, false, 'A newer version wrote this database. Install that version again.'),
  'store-corrupt': entry(4, true, 'The damaged file was set aside. Nothing was deleted.'),
  'store-locked': entry(4, true, 'Another sealcam process uses this data folder. Run one process per camera.'),
  'period-unavailable': entry(
    4,
    true,
    'There is no key to seal with, so nothing is sealed. It is made again; the log before this says what failed.',
  ),
  unclaimed: entry(3, true, 'The camera has no owner yet and records nothing. Claim it first.'),
  'claim-changed': entry(
    3,
    true,
    'The owner changed while the picture was being sealed. It was discarded and counted.',
  ),
  'signing-stopped': entry(3, false, 'No longer used: a camera goes on by itself after what it lost.'),
  'randomness-repeats': entry(1, false, 'The random source returned the same key twice. Sealing is refused.'),

  'camera-unavailable': entry(4, true, 'Check that the camera is connected and that no other program uses it.'),
  'camera-ended': entry(4, true, 'The stream ended. The driver restarts it.'),
  'gpio-unavailable': entry(4, true, 'Check gpio.chip and the line numbers, and that no other program holds the line.'),
  'serial-unavailable': entry(
    4,
    true,
    'Check serial.path, that this user is in the group dialout, and that no getty or other program uses the port.',
  ),
  'watchdog-unavailable': entry(4, true, 'Check watchdog.driver. docs/hardware.md lists what each driver needs.'),
  'ffmpeg-missing': entry(4, true, 'Install ffmpeg (Debian: apt install ffmpeg; macOS: brew install ffmpeg).'),
  'video-unreadable': entry(3, true, 'Check the path, and that `ffmpeg -i FILE` can read it.'),
  'video-truncated': entry(3, true, 'The file ends early. Copy it again. The frames before its end were used.'),

  'video-unsupported': entry(3, true, 'The camera gives no video of this codec. Set clip.codec to jpeg.'),
  'video-ended': entry(
    4,
    true,
    'The video ended or fell silent. It is started again; pictures and events go on without it.',
  ),
  'video-changed': entry(4, true, 'The video continues with its new size or parameters at the next key unit.'),
  'video-corrupt': entry(4, true, 'What is torn was dropped. The video continues at the next key unit.'),
  'video-keys-rare': entry(
    4,
    true,
    'A clip begins at a key unit, so these must be at most 4 s apart. Set the key frame interval (GOP) of the camera or encoder to 2 s.',
  ),

  'reboot-refused': entry(
    4,
    true,
    "The agent's user needs permission to reboot: the package's polkit rule and polkitd, or CAP_SYS_BOOT.",
  ),
  'selftest-timeout': entry(4, true, 'The step took longer than the self-test allows. Look at what it waits for.'),
  'console-locked': entry(
    3,
    true,
    "Unlock the console with a token signed by the maker's QA key; see docs/console.md.",
  ),
  'unlock-refused': entry(3, true, 'Make a token for the device and nonce that `unlock` shows now.'),

  'broker-unreachable': entry(4, true, 'Check uplink.url and the network, and that the broker is running.'),
  'broker-refused': entry(4, true, 'Check the credentials of this device at the broker.'),
  'broker-limit': entry(
    4,
    true,
    'Raise the limit of the broker to 135168 bytes: max_packet_size and message_size_limit (Mosquitto), max_payload (NATS).',
  ),
  'broker-untrusted': entry(
    4,
    true,
    'Check uplink.url, uplink.caFile and the clock. The broker could not prove its identity.',
  ),
  'uplink-timeout': entry(4, true, 'The broker did not answer in time. The agent retries by itself.'),

  'port-in-use': entry(4, false, 'Choose another port, or stop the program that uses it.'),
  'session-refused': entry(3, true, 'Open a new session by signing a new challenge.'),
  'cloud-unreachable': entry(4, true, 'Check the address of the cloud and the network.'),
  'cloud-untrusted': entry(
    4,
    true,
    'Check clip.uploadUrl, uplink.caFile and the clock. The server of the clips could not prove its identity.',
  ),
  'cloud-lied': entry(3, false, 'What the cloud sent contradicts what is signed. It is not shown.'),
  'recovery-refused': entry(3, false, 'Check the passphrase, and that you chose the complete recovery file.'),
  'browser-unsupported': entry(4, false, 'Open the page over https (or on localhost) in a current browser.'),
  'request-invalid': entry(3, false, 'The API description is at /v1/openapi.json.'),
  'not-found': entry(3, false, 'It does not exist, or you may not see it.'),
  'length-required': entry(3, false, 'Send Content-Length, without a transfer coding.'),
  'upload-cut': entry(3, true, 'Send the whole body again, at 4 KiB a second or more.'),
  'rate-limited': entry(3, true, 'Wait and try again.'),
  'revocation-stale': entry(4, true, 'Import a newer list from the maker: sealcam-cloud revoke import FILE.'),
  'revocation-rollback': entry(
    3,
    false,
    'A list from this signer with this or a higher version is already in use. Make one with a higher version.',
  ),
  'reads-paused': entry(4, true, 'Your cameras keep recording. Their events will be shown when reading resumes.'),
  'account-marked': entry(3, true, 'Undo the deletion of the account before its time, or wait until it is erased.'),
  'statement-refused': entry(
    3,
    false,
    'Read the records again and sign a statement of what is there. A statement of heads needs a higher counter.',
  ),
  'tool-missing': entry(4, false, 'Install the tool that is named.'),
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;
