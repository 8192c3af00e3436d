import type { PutBody, Upload, UploadAnswer } from './put.js';

/** Loads what brings bodies with the first one: a camera without clips does not hold HTTP in its memory. */
export class LazyPut implements PutBody {
  private readonly load: () => Promise<PutBody>;
  private loaded: Promise<PutBody> | null = null;
  private isClosed = false;

  constructor(load: () => Promise<PutBody>) {
    this.load = load;
  }

  async put(upload: Upload): Promise<UploadAnswer | null> {
    this.loaded ??= this.load();
    const put = await this.loaded;
    if (this.isClosed) put.close();
    return put.put(upload);
  }

  close(): void {
    this.isClosed = true;
    void this.loaded?.then((put) => {
      put.close();
    });
  }
}
