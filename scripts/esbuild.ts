/** The one place that names the bundler: for the owner's page and for the camera's command. */
export { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';
