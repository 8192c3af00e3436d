/** The rules of a codec as data; docs/protocol.cddl is generated from them. Integers and lengths are inclusive. */
export type Schema =
  | { readonly type: 'int'; readonly min: number; readonly max: number }
  | { readonly type: 'bytes'; readonly min: number; readonly max: number }
  | { readonly type: 'text'; readonly max: number }
  | { readonly type: 'bool' }
  | { readonly type: 'nullable'; readonly inner: Schema }
  | { readonly type: 'array'; readonly inner: Schema; readonly min: number; readonly max: number }
  | { readonly type: 'tuple'; readonly inner: readonly Schema[]; readonly labels?: readonly string[] }
  | { readonly type: 'names'; readonly table: Readonly<Record<string, number>> }
  | { readonly type: 'struct'; readonly fields: readonly SchemaField[] };

export interface SchemaField {
  readonly name: string;
  readonly key: number;
  readonly optional: boolean;
  readonly schema: Schema;
}
