/** How the agent's process is. It is shown and logged; health records of version 2 have memory and restarts. */
export interface AgentVitals {
  /** Since this process started. */
  readonly uptimeS: number;
  /** Starts of the agent since the board booted, without the first. */
  readonly restarts: number;
  /** Starts ever. */
  readonly starts: number;
  /** Resident memory, of which the kernel can drop and read again what a file backs. */
  readonly memoryBytes: number;
  /** Memory of its own, which no file backs: what a limit has to leave room for. Null where only Linux would tell. */
  readonly ownMemoryBytes: number | null;
  /** Bytes that the process gave to the disk within the last day; null where only Linux would tell. */
  readonly writtenPerDay?: number | null;
}
