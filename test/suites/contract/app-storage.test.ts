import { expect, it } from 'vitest';
import { MemoryStorage } from '../../../app/core/storage.js';
import { appStorageContract } from '../../support/contracts/app-storage-contract.js';

it('app storage: memory (IndexedDB runs the same cases in the browser suite)', async () => {
  const { passed, failed } = await appStorageContract(() => Promise.resolve(new MemoryStorage()));
  expect(failed).toEqual([]);
  expect(passed).toHaveLength(7);
});
