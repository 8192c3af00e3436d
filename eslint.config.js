import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Time, randomness, environment and process are parameters; only composition roots and small adapters touch them. */
const ambient = [
  { object: 'Date', property: 'now', message: 'Take a Clock.' },
  { object: 'Math', property: 'random', message: 'Take a Random.' },
  { object: 'process', property: 'env', message: 'Take the environment as a parameter.' },
];
const ambientGlobals = ['setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
  name,
  message: 'Take a Clock.',
}));

/** A service worker has other globals than a page. */
const LINT_PROJECTS = ['tsconfig.lint.json', 'app/worker/tsconfig.json'];

export default tseslint.config(
  // AssemblyScript, whose types and operators are not TypeScript's, is compiled by its own compiler.
  { ignores: ['dist/', 'node_modules/', '.cache/', 'coverage/', 'agent/capture/detect/kernel/assembly/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: LINT_PROJECTS, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-restricted-properties': ['error', ...ambient],
      'no-restricted-globals': ['error', ...ambientGlobals],
      // Slow, and about enums and deprecations that this code does not have.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-deprecated': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    // Composition roots, adapters of the real clock and environment, and tools that people run.
    files: [
      'scripts/**',
      'test/**',
      'vitest.config.ts',
      '**/adapters/**',
      'agent/cli/common.ts',
      'agent/cli/write-code-cache.ts',
      'cloud/cli/cli.ts',
    ],
    rules: { 'no-restricted-properties': 'off', 'no-restricted-globals': 'off' },
  },
  {
    // Schemas and prepared statements: the inferred type is the point of them. Tables of commands: typed by their table.
    files: [
      'common/schema.ts',
      'common/config/values.ts',
      'cloud/api/wire.ts',
      'agent/outbox/queries.ts',
      'agent/outbox/segment-queries.ts',
      'agent/console/commands/*.ts',
    ],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  { files: ['scripts/**', 'test/**'], rules: { 'no-console': 'off' } },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', performance: 'readonly', Buffer: 'readonly' },
    },
  },
);
