import { readFileSync, writeFileSync } from 'node:fs';
import { must } from './machine.mjs';

/** Needed to compile better-sqlite3 and not to run it; they depend on 25 more packages. */
const BUILD_ONLY = new Set(['prebuild-install', 'node-addon-api']);

/** Returns the named packages and all that they need at run time: they must lie beside the bundle. */
export function packageClosure({ packages }, names) {
  const found = new Set();
  const add = (name) => {
    const entry = packages[`node_modules/${name}`];
    if (entry === undefined || found.has(name) || BUILD_ONLY.has(name)) return;
    found.add(name);
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }).forEach(add);
  };
  names.forEach(add);
  return [...found].sort();
}

/** Writes npm's CycloneDX list, cut down to the packages that are in the program. `paths` are paths of the lock file. */
export async function writeSbom(modules, { packages }, paths, file) {
  // No --omit dev: npm 11 then leaves out packages that both a tool and the program need.
  const options = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  const { output } = await must('npm', [...options, '--package-lock-only', '--loglevel', 'error'], { cwd: modules });
  const sbom = JSON.parse(output.slice(output.indexOf('{')));
  // npm names the project after its folder.
  Object.assign(sbom.metadata.component, { name: 'sealcam', type: 'application' });
  const nested = Object.keys(packages).filter((path) => paths.some((parent) => path.startsWith(`${parent}/`)));
  const wanted = new Set([...paths, ...nested].map((path) => `${nameOf(path)}@${packages[path]?.version}`));
  sbom.components = sbom.components.filter((part) => wanted.has(part['bom-ref'].split('|').at(-1)));
  const kept = new Set([sbom.metadata.component['bom-ref'], ...sbom.components.map((part) => part['bom-ref'])]);
  sbom.dependencies = sbom.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
  writeFileSync(file, `${JSON.stringify(sbom, null, 1)}\n`);
}

function nameOf(path) {
  return path.split('node_modules/').at(-1);
}

/** Returns the SBOM with the Debian packages of an image added. */
export function withDebian(sbom, statusFile) {
  const components = readFileSync(statusFile, 'utf8')
    .split('\n\n')
    .map((block) =>
      Object.fromEntries([...block.matchAll(/^([A-Za-z-]+): (.*)$/gm)].map(([, key, value]) => [key, value])),
    )
    .filter(({ Package }) => Package !== undefined)
    .map(({ Package: name, Version: version, Architecture: arch }) => {
      const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${arch}`;
      return { type: 'library', name, version, purl, 'bom-ref': purl };
    });
  return { ...sbom, components: [...sbom.components, ...components] };
}
