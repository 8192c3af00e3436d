import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Incident } from './incident.js';
const t = performance.now();
const r = await Incident.replay({ folder: mkdtempSync(join(tmpdir(), 'drill-')), cameras: Number(process.argv[2]), accounts: Number(process.argv[3]), processes: Number(process.argv[4] ?? 2), seed: 1, say: (x) => process.stderr.write(`${((performance.now() - t) / 1000).toFixed(1)} ${x}\n`) });
console.log(JSON.stringify(r, null, 1), (performance.now() - t) / 1000);
