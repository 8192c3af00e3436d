export interface EpochKey {
  readonly device: Uint8Array;
  readonly epoch: number;
}
