/**
 * Builds static/dist from static/src and lessons: bundles, fonts, typeset formulas, licences, manifest.
 *
 * Run as `node static/build.mjs [--watch]` after `npm ci --ignore-scripts --omit=dev` (Node 20 or newer).
 * Files are written before the manifest and stale ones removed after it, so a server that is
 * reading the old manifest meanwhile never names a file that is gone for long.
 */
import { build, context } from "esbuild";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { collectLicences } from "./bundling/licences.mjs";
import { renderFormulas } from "./bundling/formulas.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const outdir = path.join(root, "static", "dist");

/** Logical name in the manifest → entry file. */
const entries = {
  main: "static/src/main.ts",
  theme: "static/src/theme.ts",
  style: "static/src/styles/main.css",
  katex: "node_modules/katex/dist/katex.min.css",
  icon: "static/src/icon.svg",
};

/** KaTeX's stylesheet offers each font in three formats; every browser we serve reads woff2. */
const onlyWoff2 = {
  name: "only-woff2",
  setup(bundler) {
    bundler.onLoad({ filter: /katex\.min\.css$/ }, async ({ path: file }) => {
      const css = await readFile(file, "utf8");
      return { contents: css.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, ""), loader: "css" };
    });
  },
};

/** Writes everything that depends on one finished bundle. */
const publish = {
  name: "publish",
  setup(bundler) {
    bundler.onEnd(async (result) => {
      if (result.errors.length === 0) await writeDist(result);
    });
  },
};

/** @type {import("esbuild").BuildOptions} */
const options = {
  absWorkingDir: root,
  entryPoints: Object.entries(entries).map(([out, file]) => ({ in: file, out })),
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome110", "firefox115", "safari16"],
  minify: true,
  sourcemap: false,
  metafile: true,
  write: false,
  outdir,
  entryNames: "[name]-[hash]",
  chunkNames: "chunks/[name]-[hash]",
  assetNames: "fonts/[name]-[hash]",
  loader: { ".woff2": "file", ".svg": "copy" },
  legalComments: "none",
  logLevel: "warning",
  plugins: [onlyWoff2, publish],
};

if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
} else {
  await build(options);
}

async function writeDist({ outputFiles, metafile }) {
  const written = new Set();
  const write = async (name, contents) => {
    written.add(name);
    const target = path.join(outdir, name);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, contents);
  };
  for (const file of outputFiles) await write(path.relative(outdir, file.path).split(path.sep).join("/"), file.contents);

  const { formulas, failures } = await renderFormulas(path.join(root, "lessons"));
  await write("math.json", JSON.stringify(formulas));
  for (const failure of failures) console.warn(`formula: ${failure}`);

  await write("THIRD_PARTY_LICENSES.txt", await collectLicences(root, Object.keys(metafile.inputs), ["katex"]));

  const outputs = outputsOf(metafile);
  await write("manifest.json", JSON.stringify(manifestOf(outputs), null, 2) + "\n");
  await removeStale(written);
  report(outputs, outputFiles, Object.keys(formulas).length);
}

function outputsOf(metafile) {
  return Object.entries(metafile.outputs).map(([file, output]) => ({
    name: path.relative("static/dist", file).split(path.sep).join("/"),
    entry: output.entryPoint,
    imports: output.imports
      .filter((i) => i.kind === "import-statement" && !i.external)
      .map((i) => path.relative("static/dist", i.path).split(path.sep).join("/")),
  }));
}

/** Logical name → file, for entries, lazy chunks and fonts alike: every one of them carries its hash. */
function manifestOf(outputs) {
  const manifest = {};
  for (const { name } of outputs) {
    const plain = name.replace(/-[0-9A-Z]{8}(?=\.\w+$)/, "");
    let logical = plain;
    for (let n = 2; logical in manifest; n += 1) logical = plain.replace(/(?=\.\w+$)/, `-${n}`);
    manifest[logical] = name;
  }
  return manifest;
}

async function removeStale(keep) {
  if (!existsSync(outdir)) return;
  for (const entry of await readdir(outdir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const name = path.relative(outdir, path.join(entry.parentPath ?? entry.path, entry.name)).split(path.sep).join("/");
    if (!keep.has(name)) await rm(path.join(outdir, name), { force: true });
  }
}

/** Prints gzipped sizes against the budgets of the page: 60 KiB before first focus, 300 KiB in all. */
function report(outputs, outputFiles, formulaCount) {
  const gz = new Map(
    outputFiles.map((f) => [path.relative(outdir, f.path).split(path.sep).join("/"), gzipSync(f.contents).length]),
  );
  const first = new Set();
  const visit = (name) => {
    if (first.has(name)) return;
    first.add(name);
    outputs.find((o) => o.name === name)?.imports.forEach(visit);
  };
  outputs.filter((o) => o.entry && o.name.endsWith(".js") && Object.values(entries).includes(o.entry)).forEach((o) => visit(o.name));
  const kib = (n) => (n / 1024).toFixed(1).padStart(7) + " KiB gz";
  const scripts = [...gz].filter(([name]) => name.endsWith(".js")).sort((a, b) => b[1] - a[1]);
  for (const [name, size] of scripts) console.log(`${kib(size)}  ${name}${first.has(name) ? "  (first load)" : ""}`);
  for (const [name, size] of gz) if (name.endsWith(".css")) console.log(`${kib(size)}  ${name}`);
  const sum = (list) => list.reduce((total, [, size]) => total + size, 0);
  console.log(`${kib(sum(scripts.filter(([name]) => first.has(name))))}  JavaScript before first focus (budget 60)`);
  console.log(`${kib(sum(scripts))}  JavaScript in all (budget 300)`);
  console.log(`${formulaCount} formulas typeset`);
}
