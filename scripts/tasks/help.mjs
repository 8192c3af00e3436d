/** Prints the text and ends the process where `--help` or `-h` was given: help does nothing else, whatever else was given. */
export function helpOnly(text) {
  const asked = process.argv.slice(2);
  if (!asked.includes('--help') && !asked.includes('-h')) return;
  process.stdout.write(text);
  process.exit(0);
}
