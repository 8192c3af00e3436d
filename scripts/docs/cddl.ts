import { claimKind, claimKindV2 } from '../../protocol/objects/claim.js';
import { commandKind, commandKindV2 } from '../../protocol/objects/command.js';
import { deletionKind } from '../../protocol/objects/deletion.js';
import { floorKind } from '../../protocol/objects/floor.js';
import { headsKind, headsKindV2 } from '../../protocol/objects/heads.js';
import { lookKind } from '../../protocol/objects/look.js';
import { mediaReceiptKind } from '../../protocol/objects/media-receipt.js';
import { memberKind, memberKindV2 } from '../../protocol/objects/member.js';
import { offerKind, offerKindV2 } from '../../protocol/objects/offer.js';
import { receiptKind, receiptKindV2 } from '../../protocol/objects/receipt.js';
import { recordKind, recordKindV2 } from '../../protocol/objects/record.js';
import { revocationKind } from '../../protocol/objects/revocation.js';
import { sessionKind } from '../../protocol/objects/session.js';
import { settingsKind } from '../../protocol/objects/settings.js';
import { unlockKind } from '../../protocol/objects/unlock.js';
import { householdContent } from '../../protocol/household/content.js';
import { settingsHeader } from '../../protocol/household/seal.js';
import { EVIDENCE_HEAD, EVIDENCE_ITEMS } from '../../protocol/evidence/evidence-file.js';
import { SPAN_HEAD } from '../../protocol/evidence/span-file.js';
import { sealedContent } from '../../protocol/seal/content.js';
import { inForce } from '../../protocol/seal/in-force.js';
import { keyRecordBody } from '../../protocol/seal/key-record.js';
import { sealHeader2 } from '../../protocol/seal/object.js';
import { sealHeader } from '../../protocol/seal/seal.js';
import { LIVE_SCHEMAS, LIVE_TYPES } from '../../protocol/transport/live.js';
import { NOTICE_SCHEMAS } from '../../protocol/transport/notice.js';
import { DOWN, MESSAGE_SCHEMAS, MESSAGE_SCHEMAS_V2, STATUS, UP } from '../../protocol/transport/messages.js';
import type { Schema, SchemaField } from '../../protocol/wire/schema.js';

/** Renders the codecs' rules as CDDL (RFC 8610): docs/protocol.cddl cannot drift from the code. */
class CddlWriter {
  private readonly rules = new Map<string, string>();
  private readonly taken = new Set<string>();
  private readonly namesKeys: boolean;

  /** @param namesKeys whether the name of a map's key is CDDL, which tools read, or a comment */
  constructor(namesKeys: boolean) {
    this.namesKeys = namesKeys;
  }

  add(name: string, schema: Schema): void {
    // Nested maps become rules before the one that names them; the name itself is taken first.
    this.taken.add(name);
    this.rules.set(name, this.expression(schema, name));
  }

  addRule(name: string, rule: string): void {
    this.rules.set(name, rule);
  }

  toString(): string {
    return [...this.rules].map(([name, rule]) => `${name} = ${rule}\n`).join('\n');
  }

  expression(schema: Schema, name: string): string {
    switch (schema.type) {
      case 'int':
        if (schema.min === schema.max) return String(schema.min);
        if (schema.min === 0 && schema.max === Number.MAX_SAFE_INTEGER) return 'uint53';
        if (schema.min === 1 && schema.max === Number.MAX_SAFE_INTEGER) return 'epoch-number';
        return `${String(schema.min)}..${String(schema.max)}`;
      case 'bytes':
        if (schema.min === schema.max) return `bytes .size ${String(schema.min)}`;
        return `bytes .size (${String(schema.min)}..${String(schema.max)})`;
      case 'text':
        return `text .size (0..${String(schema.max)})`;
      case 'bool':
        return 'bool';
      case 'nullable':
        return `${this.expression(schema.inner, name)} / null`;
      case 'array':
        return `[${String(schema.min)}*${String(schema.max)} ${this.group(schema.inner, name)}]`;
      case 'tuple':
        return `[${this.items(schema, name).join(', ')}]`;
      case 'names':
        return `&(${Object.entries(schema.table)
          .map(([key, value]) => `${key}: ${String(value)}`)
          .join(', ')})`;
      case 'struct':
        return this.map(schema.fields, name);
    }
  }

  /** The places of an array, each with its name where it has one. */
  items({ inner, labels }: Extract<Schema, { type: 'tuple' }>, name: string): string[] {
    return inner.map((item, i) => {
      const label = labels?.[i];
      if (label === undefined) return this.group(item, name);
      const child = `${name}-${label}`;
      return `${label}: ${item.type === 'struct' ? this.named(item, child) : this.expression(item, child)}`;
    });
  }

  /** Inside an array a choice needs parentheses and a map a name of its own. */
  private group(schema: Schema, name: string): string {
    if (schema.type === 'struct') return this.named(schema, name);
    const expression = this.expression(schema, name);
    return schema.type === 'nullable' ? `(${expression})` : expression;
  }

  private named(schema: Schema, name: string): string {
    const own = this.taken.has(name) ? `${name}-map` : name;
    this.add(own, schema);
    return own;
  }

  private map(fields: readonly SchemaField[], name: string): string {
    const lines = fields.map(({ name: fieldName, key, optional, schema }) => {
      const kebab = fieldName.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      const child = `${name}-${kebab}`;
      const value = schema.type === 'struct' ? this.named(schema, child) : this.expression(schema, child);
      const start = optional ? '  ? ' : '  ';
      if (this.namesKeys) return `${start}&(${fieldName}: ${String(key)}) => ${value},`;
      return `${start}${String(key)}: ${value}, ; ${fieldName}`;
    });
    return `{\n${lines.join('\n')}\n}`;
  }
}

const HEADER = `; sealcam protocol v1, generated by \`npm run docs\` from protocol/. See protocol.md for what CDDL cannot express:
; deterministic encoding, rules between fields, hashes and signatures.

`;
const HEADER_V2 = `; What protocol v2 changes and adds, complete in itself; generated by \`npm run docs\` from protocol/. See protocol.md, section 17,
; for what CDDL cannot express. Sessions, revocations, unlock tokens, deletions and floors stay as they are in protocol.cddl.

`;

/** Returns docs/protocol.cddl: version 1. */
export function protocolCddl(): string {
  const writer = new CddlWriter(false);
  const kinds = {
    record: recordKind,
    offer: offerKind,
    claim: claimKind,
    receipt: receiptKind,
    command: commandKind,
    session: sessionKind,
    revocation: revocationKind,
    unlock: unlockKind,
    member: memberKind,
    heads: headsKind,
    deletion: deletionKind,
    floor: floorKind,
  };
  addObjects(writer, kinds);
  writer.add('seal-header', sealHeader.schema);
  writer.add('sealed-content', sealedContent.schema);
  addMessages(writer, MESSAGE_SCHEMAS, { up: UP, down: DOWN, status: { status: STATUS } });
  return HEADER + writer.toString();
}

/** Returns docs/protocol-v2.cddl: what version 2 changes and adds. */
export function protocolCddlV2(): string {
  const writer = new CddlWriter(true);
  addObjects(writer, {
    record: recordKindV2,
    offer: offerKindV2,
    claim: claimKindV2,
    receipt: receiptKindV2,
    command: commandKindV2,
    member: memberKindV2,
    heads: headsKindV2,
    look: lookKind,
    'media-receipt': mediaReceiptKind,
    settings: settingsKind,
  });
  writer.add('seal-header', sealHeader2.schema);
  writer.add('key-record-body', keyRecordBody.schema);
  writer.add('sealed-content', sealedContent.schema);
  writer.add('in-force', inForce.schema);
  writer.add('settings-header', settingsHeader.schema);
  writer.add('household', householdContent.schema);
  const numbers = { up: UP, down: DOWN, status: { status: STATUS }, live: LIVE_TYPES };
  addMessages(writer, { ...MESSAGE_SCHEMAS_V2, live: LIVE_SCHEMAS }, numbers);
  for (const [kind, schema] of Object.entries(NOTICE_SCHEMAS)) writer.add(`notice-${kind}`, schema);
  addEvidence(writer);
  return HEADER_V2 + writer.toString();
}

/** Adds the envelope, and the payload of each kind. */
function addObjects(
  writer: CddlWriter,
  kinds: Readonly<Record<string, { readonly codec: { readonly schema: Schema } }>>,
): void {
  writer.addRule('uint53', '0..9007199254740991');
  writer.addRule('epoch-number', '1..9007199254740991');
  writer.addRule(
    'signed-object',
    `#6.18([
  protected: bytes .cbor protected-header,
  unprotected: {},
  payload: bytes .cbor payload,
  signature: bytes .size 64,
])`,
  );
  writer.addRule('protected-header', '{\n  1: -19, ; alg Ed25519\n  4: bytes .size 32, ; kid\n}');
  writer.addRule('payload', Object.keys(kinds).join(' / '));
  for (const [name, kind] of Object.entries(kinds)) {
    writer.add(name, kind.codec.schema);
  }
}

/** Adds the messages of each topic, by the last part of its name. */
function addMessages(
  writer: CddlWriter,
  schemas: Readonly<Record<string, Readonly<Record<string, Schema>>>>,
  numbers: Readonly<Record<string, Readonly<Record<string, number>>>>,
): void {
  for (const [leaf, messages] of Object.entries(schemas)) {
    const choices = Object.entries(messages).map(([name, schema]) => {
      const items = schema.type === 'tuple' ? writer.items(schema, `${leaf}-${name}`) : [];
      const rest = items.map((item) => `, ${item}`).join('');
      return { name, array: `[${String(numbers[leaf]?.[name])}${rest}]` };
    });
    const last = choices.length - 1;
    writer.addRule(
      `${leaf}-message`,
      choices.map(({ name, array }, i) => `\n  ${array}${i === last ? '' : ' /'} ; ${name}`).join(''),
    );
  }
}

/** Adds the items of an evidence file, which is a CBOR sequence: the head, then items of one kind after the other. */
function addEvidence(writer: CddlWriter): void {
  writer.addRule(
    'evidence-head',
    `[name: "${EVIDENCE_HEAD.magic}", version: ${String(EVIDENCE_HEAD.version)}, items: uint53]`,
  );
  writer.addRule(
    'evidence-span-head',
    `[name: "${SPAN_HEAD.magic}", version: ${String(SPAN_HEAD.version)}, events: uint53]`,
  );
  const choices = Object.entries(EVIDENCE_ITEMS).map(([name, { number, codec }]) => {
    const items = codec.schema.type === 'tuple' ? writer.items(codec.schema, `evidence-${name}`) : [];
    const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return { name: kebab, array: `[${String(number)}, ${items.join(', ')}]` };
  });
  const last = choices.length - 1;
  writer.addRule(
    'evidence-item',
    choices.map(({ name, array }, i) => `\n  ${array}${i === last ? '' : ' /'} ; ${name}`).join(''),
  );
}
