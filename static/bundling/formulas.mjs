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

/** Directives whose body is code, not Markdown. */
const verbatim = new Set(["code-cell", "code-block", "code", "raw"]);

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
    for (const { tex, display, optional } of findFormulas(await readFile(path.join(folder, name), "utf8"))) {
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
        if (!optional) failures.push(`${name}: $${tex}$: ${error.message}`);
      }
    }
  }
  return { formulas, failures };
}

/**
 * Finds formulas by the rule of the lesson parser (dollarmath: no space inside single dollars,
 * no digit right outside them, backslash escapes). Where it cannot be sure it takes one too many.
 *
 * @param {string} markdown
 */
export function findFormulas(markdown) {
  const text = withoutCode(markdown);
  const found = [];
  const rest = text.replace(/(?<!\\)\$\$([\s\S]+?)(?<!\\)\$\$/g, (_, tex) => {
    // Inside a quotation or a list each line carries a prefix that is not part of the formula.
    found.push({ tex: normalise(tex), display: true });
    const unquoted = tex.replace(/^[ \t]*>[ \t]?/gm, "");
    if (unquoted !== tex) found.push({ tex: normalise(unquoted), display: true, optional: true });
    return "\n\n";
  });
  for (const paragraph of rest.split(/\n\s*\n/)) {
    for (const match of paragraph.matchAll(/(?<![\\\d])\$(?!\s)((?:\\[\s\S]|[^\\$])+?)(?<!\s)\$(?!\d)/g)) {
      const tex = match[1];
      found.push({ tex: normalise(tex), display: false });
      // A table cell reaches the parser with its escaped bars unescaped.
      if (tex.includes("\\|")) found.push({ tex: normalise(tex.replaceAll("\\|", "|")), display: false, optional: true });
    }
  }
  return found;
}

/** Blanks fenced code (but not the bodies of prose directives) and code spans. */
function withoutCode(markdown) {
  const lines = [];
  let fence = null;
  for (const line of markdown.split("\n")) {
    const mark = /^\s*(?:>\s?)*(`{3,}|~{3,})\s*(?:\{([\w-]+)\})?/.exec(line);
    if (fence) {
      if (mark && mark[1].startsWith(fence) && !mark[2]) fence = null;
      lines.push("");
    } else if (mark) {
      const closes = !mark[2] && /^\s*(?:>\s?)*[`~]+\s*$/.test(line) && openDirectives(lines, mark[1]);
      if (!closes && (!mark[2] || verbatim.has(mark[2]))) fence = mark[1];
      lines.push(mark[2] && !verbatim.has(mark[2]) ? `\u0000${mark[1]}\n` + line.slice(line.indexOf("}") + 1) : "");
    } else {
      lines.push(line);
    }
  }
  return lines
    .join("\n")
    .replace(/\u0000[`~]+/g, "")
    .replace(/(?<!`)(`+)(?!`)([^\n]|\n(?!\s*\n))*?(?<!`)\1(?!`)/g, " ");
}

/** Whether a bare fence closes a prose directive opened with the same mark; forgets that directive then. */
function openDirectives(lines, mark) {
  for (let i = lines.length - 1; i >= 0; i -= 1) {
    if (lines[i].startsWith(`\u0000${mark}\n`)) {
      lines[i] = lines[i].slice(lines[i].indexOf("\n"));
      return true;
    }
  }
  return false;
}
