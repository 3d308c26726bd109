/** Gathers the licences of the third-party packages that travel inside the bundle. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

const rule = "=".repeat(80);

/**
 * @param {string} root repository root, which holds node_modules
 * @param {string[]} inputs files that went into the bundle, relative to root
 * @param {string[]} always packages whose product is in dist without being bundled
 * @returns {Promise<string>} one text with every licence in full
 * @throws when a package carries no licence text: it must not be shipped then
 */
export async function collectLicences(root, inputs, always) {
  const names = new Set(always);
  for (const input of inputs) {
    const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) names.add(match[1]);
  }
  const parts = [];
  for (const name of [...names].sort()) {
    const folder = path.join(root, "node_modules", name);
    const about = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} carries no licence file`);
    const text = (await readFile(path.join(folder, file), "utf8")).trim();
    parts.push(`${rule}\n${name} ${about.version} (${about.license})\n${rule}\n\n${text}\n`);
  }
  return `The scripts, styles and fonts served by gradlens contain the following works.\n\n${parts.join("\n")}`;
}
