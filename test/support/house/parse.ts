import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

/** Content by path from the checkout's root, with forward slashes. */
export type Sources = Readonly<Record<string, string>>;

export interface Import {
  /** As written: `../outbox/outbox.js`, `node:fs`, `@noble/hashes/sha2.js`. */
  readonly specifier: string;
  /** Exported names that are taken; `*` stands for all of them. */
  readonly names: readonly string[];
}

export interface ParsedFile {
  readonly imports: readonly Import[];
  readonly exports: readonly string[];
  /** Exported types that this file itself uses, in an exported signature say: those need no importer. */
  readonly signatureTypes: readonly string[];
  /** Text of string literals and templates without the imports' own. */
  readonly strings: readonly string[];
  /** Lines, counted from 1, of literals that are spread where they stand. */
  readonly spreadLiterals: readonly number[];
  /** Names of methods and of function properties. */
  readonly methods: readonly string[];
}

const cache = new Map<string, { readonly text: string; readonly parsed: ParsedFile }>();

/** Parses one source file; a file that did not change is parsed once in a process. */
export function parseFile(path: string, text: string): ParsedFile {
  const known = cache.get(path);
  if (known?.text === text) return known.parsed;
  const parsed = parse(path, text);
  cache.set(path, { text, parsed });
  return parsed;
}

/** Resolves a relative specifier to a tracked file, or to the path alone where no file is tracked. */
export function resolveImport(from: string, specifier: string, sources: Sources): string {
  // A script in plain JavaScript imports what was built; the source of that is meant.
  const target = normalize(join(dirname(from), specifier))
    .replaceAll('\\', '/')
    .replace(/^dist\//, '');
  const base = target.replace(/\.js$/, '');
  return [target, `${base}.ts`, `${base}.tsx`].find((path) => path in sources) ?? target;
}

/** Package name of a specifier: `@noble/hashes` of `@noble/hashes/sha2.js`. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

export function isRelative(specifier: string): boolean {
  return specifier.startsWith('.');
}

function parse(path: string, text: string): ParsedFile {
  const kind = path.endsWith('x') ? ts.ScriptKind.TSX : /\.m?js$/.test(path) ? ts.ScriptKind.JS : ts.ScriptKind.TS;
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, kind);
  const imports: Import[] = [];
  const exports: string[] = [];
  const types: string[] = [];
  const strings: string[] = [];
  const spreadLiterals: number[] = [];
  const methods: string[] = [];
  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found !== null) imports.push(found);
    exports.push(...exportsOf(node));
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) types.push(node.name.text);
    if (ts.isStringLiteralLike(node) && isModuleSpecifier(node)) return;
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      strings.push(node.text);
    }
    if (spreadsLiteral(node)) spreadLiterals.push(file.getLineAndCharacterOfPosition(node.getStart()).line + 1);
    const method = methodName(node);
    if (method !== null) methods.push(method);
    ts.forEachChild(node, visit);
  };
  visit(file);
  const isUsedHere = (name: string): boolean => text.split(new RegExp(String.raw`\b${name}\b`)).length > 2;
  return { imports, exports, signatureTypes: types.filter(isUsedHere), strings, spreadLiterals, methods };
}

function isModuleSpecifier(node: ts.StringLiteralLike): boolean {
  const { parent } = node;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isLiteralTypeNode(parent)) return true;
  return ts.isCallExpression(parent) && parent.expression.kind === ts.SyntaxKind.ImportKeyword;
}

function importOf(node: ts.Node): Import | null {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    const clause = node.importClause;
    const names: string[] = clause?.name === undefined ? [] : ['default'];
    const bindings = clause?.namedBindings;
    if (bindings !== undefined) {
      if (ts.isNamespaceImport(bindings)) names.push('*');
      else names.push(...bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text));
    }
    return { specifier: node.moduleSpecifier.text, names };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
    const clause = node.exportClause;
    const isNamed = clause !== undefined && ts.isNamedExports(clause);
    const names = isNamed ? clause.elements.map(({ name, propertyName }) => (propertyName ?? name).text) : ['*'];
    return { specifier: node.moduleSpecifier.text, names };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, names: ['*'] };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    if (argument !== undefined && ts.isStringLiteralLike(argument)) return { specifier: argument.text, names: ['*'] };
  }
  return null;
}

function exportsOf(node: ts.Node): string[] {
  if (ts.isExportDeclaration(node) && node.moduleSpecifier === undefined && node.exportClause !== undefined) {
    return ts.isNamedExports(node.exportClause) ? node.exportClause.elements.map(({ name }) => name.text) : [];
  }
  const isExported =
    ts.canHaveModifiers(node) &&
    ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
  if (!isExported) return [];
  if (ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) === true) return ['default'];
  if (ts.isVariableStatement(node)) {
    return node.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  }
  const named = node as ts.Node & { readonly name?: ts.Node };
  return named.name !== undefined && ts.isIdentifier(named.name) ? [named.name.text] : [];
}

/** `...{ a, b }` and `...([a, b] as const)`: a literal that is spread where its parts could stand. */
function spreadsLiteral(node: ts.Node): boolean {
  if (ts.isSpreadAssignment(node)) return ts.isObjectLiteralExpression(unwrapped(node.expression));
  return ts.isSpreadElement(node) && ts.isArrayLiteralExpression(unwrapped(node.expression));
}

function unwrapped(expression: ts.Expression): ts.Expression {
  let inner = expression;
  while (ts.isParenthesizedExpression(inner) || ts.isAsExpression(inner) || ts.isSatisfiesExpression(inner)) {
    inner = inner.expression;
  }
  return inner;
}

function methodName(node: ts.Node): string | null {
  const isMethod = ts.isMethodDeclaration(node) || ts.isMethodSignature(node) || ts.isFunctionDeclaration(node);
  return isMethod && node.name !== undefined && ts.isIdentifier(node.name) ? node.name.text : null;
}
