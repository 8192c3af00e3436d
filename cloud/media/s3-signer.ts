import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

export interface S3Access {
  readonly region: string;
  readonly keyId: string;
  readonly secret: string;
}

export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  /** All of them are signed, `content-length` and `x-amz-content-sha256` included. */
  readonly headers: Readonly<Record<string, string>>;
}

type Bytes = Uint8Array | ArrayBuffer | string;

/** SHA-256 and HMAC-SHA-256 of the platform, as the signer takes them. */
class Sha256 {
  private state: Hash | Hmac;
  private readonly begin: () => Hash | Hmac;

  constructor(secret?: Bytes | ArrayBufferView) {
    const key = typeof secret === 'string' || secret === undefined ? secret : bufferOf(secret);
    this.begin = () => (key === undefined ? createHash('sha256') : createHmac('sha256', key));
    this.state = this.begin();
  }

  update(data: Bytes | ArrayBufferView): void {
    this.state.update(typeof data === 'string' ? data : bufferOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.state.digest()));
  }

  reset(): void {
    this.state = this.begin();
  }
}

function bufferOf(data: ArrayBuffer | ArrayBufferView): Buffer {
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}

/** Signs requests to S3 (AWS Signature Version 4). The only file that knows the library. */
export class S3Signer {
  private readonly signer: SignatureV4;

  constructor({ region, keyId, secret }: S3Access) {
    this.signer = new SignatureV4({
      service: 's3',
      region,
      credentials: { accessKeyId: keyId, secretAccessKey: secret },
      sha256: Sha256,
      // S3 signs the path as it is sent.
      uriEscapePath: false,
      applyChecksum: false,
    });
  }

  /** Returns the headers with the signature. */
  async sign({ method, url, headers }: UnsignedRequest, nowMs: number): Promise<Readonly<Record<string, string>>> {
    const { protocol, hostname, host, pathname } = url;
    const signed = await this.signer.sign(
      { method, protocol, hostname, path: pathname, headers: { host, ...headers } },
      { signingDate: new Date(nowMs) },
    );
    return signed.headers;
  }
}
