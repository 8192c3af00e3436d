#!/usr/bin/env node
/** The build stage of Dockerfile.armv7: makes dist/image/program on a machine that has only the cross compiler. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bootstrap.mjs';
import { must } from './machine.mjs';
import { makeProgram } from './program.mjs';

// For the compiler and the bundler: the native modules of this processor are never run.
await must('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root });
await must(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root], { cwd: root });
const { folder } = await makeProgram();
cpSync(folder, join(root, 'dist', 'image', 'program'), { recursive: true });
