/**
 * Typesets every formula of the lessons at build time, so that no script need reach the page for it.
 *
 * math.json maps "inline:<tex>" and "display:<tex>" to HTML, where <tex> is what stands between
 * the dollars with every run of white space collapsed to one space and the ends trimmed.
 */
import katex from "katex";
import { readdir, readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import path from "node:path";

/** @param {string} tex */
export const normalise = (tex) => tex.replace(/\s+/g, " ").trim();

/**
 * @param {string} folder the lessons folder; may be absent
 * @returns {Promise<{formulas: Record<string, string>, failures: string[]}>}
 */
export async function renderFormulas(folder) {
  const formulas = {};
  const failures = [];
  if (!existsSync(folder)) return { formulas, failures };
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".md")).sort();
  for (const name of files) {
    for (const { tex, display } of findFormulas(await readFile(path.join(folder, name), "utf8"))) {
      const key = `${display ? "display" : "inline"}:${tex}`;
      if (key in formulas) continue;
      try {
        formulas[key] = katex.renderToString(tex, {
          displayMode: display,
          output: "htmlAndMathml",
          strict: "ignore",
          throwOnError: true,
          trust: false,
        });
      } catch (error) {
        failures.push(`${name}: $${tex}$: ${error.message}`);
      }
    }
  }
  return { formulas, failures };
}

/**
 * Finds formulas by the rule of docs/authoring.md, which app/lessons/formulas.py follows too.
 *
 * @param {string} markdown one lesson file
 */
export function findFormulas(markdown) {
  const prose = withoutFences(markdown.replace(/^---\n[\s\S]*?\n---(?:\n|$)/, ""))
    .replace(/(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, "")
    .replaceAll("\\$", "");
  const found = [];
  const rest = prose.replace(/\$\$([\s\S]+?)\$\$/g, (_, tex) => {
    found.push({ tex: normalise(tex), display: true });
    return "";
  });
  for (const match of rest.matchAll(/\$([^$\n]+)\$/g)) found.push({ tex: normalise(match[1]), display: false });
  return found;
}

/** Directives are colon fences and stay; everything between backtick fences is code and goes. */
function withoutFences(text) {
  const kept = [];
  let closing = null;
  for (const line of text.split("\n")) {
    if (closing) {
      if (closing.test(line)) closing = null;
      continue;
    }
    const opening = /^ *(`{3,})/.exec(line);
    if (opening) closing = new RegExp(`^ *\`{${opening[1].length},} *$`);
    else kept.push(line);
  }
  return kept.join("\n");
}
