/**
 * Bundles the command line into one file, packages/cli/dist/spillway.js, that starts fast and needs nothing but Node.
 * `npm run build`.
 *
 * V8's compile cache was tried: with the plugins below it gains nothing that could be measured, so the file stays one.
 */
import { chmodSync, cpSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { build } from "esbuild";
import { inlineUplot } from "./inline-uplot.ts";
import { lazyBuiltins } from "./lazy-builtins.ts";
import { lazyIced } from "./lazy-iced.ts";
import { lazyPackages } from "./lazy-packages.ts";

const root = join(import.meta.dirname, "..");
const core = join(root, "packages", "core");
const cli = join(root, "packages", "cli");

/** Writes the bundle. */
export async function bundle(output: string): Promise<void> {
  // Written aside and renamed: whoever runs the old bundle meanwhile never meets half of the new one.
  const fresh = `${output}.${process.pid}`;
  await build({
    entryPoints: [join(cli, "src", "main.ts")],
    outfile: fresh,
    bundle: true,
    platform: "node",
    // The first release with process.getBuiltinModule.
    target: "node22.3",
    format: "esm",
    minify: true,
    legalComments: "none",
    plugins: [
      lazyBuiltins,
      lazyPackages(["fflate", "fzstd"], join(core, "package.json")),
      lazyIced(join(core, "src", "code", "iced.ts")),
      inlineUplot(join(cli, "package.json")),
    ],
  });
  chmodSync(fresh, 0o755);
  renameSync(fresh, output);
}

/** Puts the sources of spillway.ko into a folder beside the bundle, where `guard build` and `guard install` find them. */
export function copyModuleSources(folder: string): void {
  const from = join(root, "kernel-module");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(from)) {
    if (/^(Kbuild|dkms\.conf|.*\.[chS])$/.test(name)) cpSync(join(from, name), join(folder, name));
  }
}

if (import.meta.main) {
  const output = join(cli, "dist", "spillway.js");
  await bundle(output);
  copyModuleSources(join(cli, "dist", "kernel-module"));
  console.log(`${relative(root, output)}: ${Math.round(statSync(output).size / 1024)} KiB`);
}
