/**
 * Runs the unit tests of the pages' code: `npm test`. Each `*.test.ts` is bundled by esbuild (TypeScript, JSON) into a
 * temporary folder and given to Node's own test runner.
 */
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const found = await readdir(here, { recursive: true });
const tests = found.filter((name) => name.endsWith(".test.ts")).map((name) => path.join(here, name));
if (tests.length === 0) throw new Error("no *.test.ts under static/test");

const outdir = await mkdtemp(path.join(os.tmpdir(), "pages-test-"));
try {
  await build({
    absWorkingDir: path.resolve(here, "..", ".."),
    entryPoints: tests,
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
    logLevel: "warning",
  });
  const built = (await readdir(outdir, { recursive: true })).filter((name) => name.endsWith(".test.mjs"));
  const files = built.map((name) => path.join(outdir, name));
  const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { stdio: "inherit" });
  process.exitCode = status ?? 1;
} finally {
  await rm(outdir, { recursive: true, force: true });
}
