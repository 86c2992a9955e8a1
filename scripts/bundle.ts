/**
 * Bundles the command line into one file, packages/cli/dist/spillway.js, that starts fast and needs nothing but Node.
 * `npm run build`.
 */
import { chmodSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { build } from "esbuild";
import { lazyIced } from "./lazy-iced.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "packages", "cli", "dist");
const output = join(dist, "spillway.js");

rmSync(dist, { recursive: true, force: true });
await build({
  entryPoints: [join(root, "packages", "cli", "src", "main.ts")],
  outfile: output,
  bundle: true,
  platform: "node",
  // The first release that runs an ES module with `require` beside it and has the compile cache.
  target: "node22.12",
  format: "esm",
  minify: true,
  legalComments: "none",
  // Packages written as CommonJS (commander, iced-x86) call `require`.
  banner: { js: 'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);' },
  plugins: [lazyIced(join(root, "packages", "core", "src", "code", "iced.ts"))],
});
chmodSync(output, 0o755);
console.log(`${relative(root, output)}: ${Math.round(statSync(output).size / 1024)} KiB`);
