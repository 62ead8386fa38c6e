// Bundles the extension, and the script of its webviews, into dist/; with --tests the unit tests too.
import { build } from 'esbuild';
import { readdirSync, rmSync } from 'node:fs';

const tests = process.argv.includes('--tests');
const common = { bundle: true, logLevel: 'warning', legalComments: 'none' };
const node = { ...common, platform: 'node', format: 'cjs', target: 'node20', external: ['vscode'] };

rmSync('dist', { recursive: true, force: true });
await build({ ...node, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.js', minify: !tests });
await build({ ...common, entryPoints: ['src/view/page.ts'], outfile: 'dist/page.js', platform: 'browser', format: 'iife', target: 'es2022', minify: !tests });
if (tests) {
  const entryPoints = readdirSync('test').filter((name) => name.endsWith('.test.ts')).map((name) => `test/${name}`);
  await build({ ...node, entryPoints, outdir: 'dist/test', sourcemap: 'inline' });
}
