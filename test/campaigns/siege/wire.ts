/** HTTP and MQTT from a given address of 127.0.0.0/8: to the cloud, each is another client. */
import http from 'node:http';
import { connect } from 'node:net';
import mqtt from 'mqtt';
import { fromHex, toBase64, toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { sessionKind } from '../../../protocol/objects/session.js';
import { signObject } from '../../../protocol/objects/signed-object.js';
import { limitMs } from '../../support/runner/speed.js';

export const PAGE_ORIGIN = 'http://127.0.0.1:1';
/** On an idle machine. */
const REQUEST_TIMEOUT_MS = 60_000;

export interface Ports {
  readonly http: number;
  readonly broker: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface ApiRequest {
  readonly port: number;
  readonly from: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
}

/** Returns the address of one attacker, different for each of the first 60,000. */
export function addressOf(index: number): string {
  return `127.${String(10 + Math.floor(index / 250))}.0.${String(2 + (index % 250))}`;
}

/** Opens a request without reading its answer. */
export function open({ port, from, method, path, token, body }: ApiRequest): http.ClientRequest {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const request = http.request({
    host: '127.0.0.1',
    port,
    method,
    path,
    localAddress: from,
    agent: false,
    headers: {
      origin: PAGE_ORIGIN,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    },
  });
  request.end(text);
  return request;
}

/** Sends a request and reads the answer. @throws Error without one */
export function ask(request: ApiRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = open(request);
    sent.setTimeout(limitMs(REQUEST_TIMEOUT_MS), () => sent.destroy(new Error(`${request.path}: no answer`)));
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
    });
  });
}

/** Signs a challenge. Returns the token; null where the cloud refused. */
export async function openSession(port: number, from: string, signer: Signer): Promise<string | null> {
  const challenge = await ask({ port, from, method: 'POST', path: '/v1/session/challenge', body: {} });
  if (challenge.status !== 200) return null;
  const { cloudOrigin, nonce, expiresAtMs } = JSON.parse(challenge.text) as Challenge;
  const signed = signObject(sessionKind, nodeSuite, signer, {
    cloudOrigin,
    pageOrigin: PAGE_ORIGIN,
    nonce: fromHex(nonce, 32) ?? new Uint8Array(32),
    expiresAtMs,
  });
  const body = { session: toBase64(signed.bytes) };
  const opened = await ask({ port, from, method: 'POST', path: '/v1/session', body });
  return opened.status === 200 ? (JSON.parse(opened.text) as { readonly token: string }).token : null;
}

interface Challenge {
  readonly cloudOrigin: string;
  readonly nonce: string;
  readonly expiresAtMs: number;
}

/** Connects a camera. It does not connect again by itself. */
export async function connectCamera(port: number, from: string, device: Uint8Array): Promise<mqtt.MqttClient> {
  const name = toHex(device);
  const client = new mqtt.MqttClient(() => connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true }), {
    clientId: name,
    username: name,
    protocolVersion: 4,
    reconnectPeriod: 0,
    keepalive: 300,
  });
  client.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => {
      resolve();
    });
    client.once('close', () => {
      reject(new Error('the broker ended the connection of a camera'));
    });
  });
  return client;
}
