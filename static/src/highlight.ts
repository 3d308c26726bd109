/**
 * Colours Python source before CodeMirror is loaded, with CodeMirror's class names, so that
 * nothing changes its look when the editor takes over.
 */

export interface Token {
  text: string;
  /** `tok-keyword`, …; empty for plain text. */
  kind: string;
}

const keywords = new Set(
  ("and as assert async await break class continue def del elif else except finally for from global if import in is " +
    "lambda nonlocal not or pass raise return try while with yield").split(" "),
);
const constants = new Set(["True", "False", "None"]);

const pattern = new RegExp(
  [
    "(?<comment>#[^\\n]*)",
    "(?<string>(?:[rbfuRBFU]{0,2})(?:\"\"\"[\\s\\S]*?(?:\"\"\"|$)|'''[\\s\\S]*?(?:'''|$)|\"(?:\\\\.|[^\"\\\\\\n])*\"?|'(?:\\\\.|[^'\\\\\\n])*'?))",
    "(?<number>(?<![\\w.])(?:0[xob][\\da-f_]+|(?:\\d[\\d_]*\\.?[\\d_]*|\\.\\d[\\d_]*)(?:e[+-]?\\d+)?j?))",
    "(?<word>[\\p{L}_][\\p{L}\\p{N}_]*)",
    "(?<operator>[-+*/%@&|^~<>=!:]+)",
  ].join("|"),
  "giu",
);

/** Splits source into tokens that together are the source again. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let end = 0;
  let previousWord = "";
  for (const match of source.matchAll(pattern)) {
    if (match.index > end) tokens.push({ text: source.slice(end, match.index), kind: "" });
    end = match.index + match[0].length;
    tokens.push({ text: match[0], kind: kindOf(match, previousWord) });
    if (match.groups?.["word"]) previousWord = match[0];
  }
  if (end < source.length) tokens.push({ text: source.slice(end), kind: "" });
  return tokens;
}

function kindOf(match: RegExpExecArray, previousWord: string): string {
  const groups = match.groups ?? {};
  if (groups["comment"] !== undefined) return "tok-comment";
  if (groups["string"] !== undefined) return "tok-string";
  if (groups["number"] !== undefined) return "tok-number";
  if (groups["operator"] !== undefined) return "tok-operator";
  if (keywords.has(match[0])) return "tok-keyword";
  if (constants.has(match[0])) return "tok-bool";
  return previousWord === "def" || previousWord === "class" ? "tok-definition" : "";
}

/** A stretch to mark, in UTF-16 offsets of the source. */
export interface Stretch {
  from: number;
  to: number;
}

/** One element per line, tokens inside, the stretch (if any) wrapped in <mark>. */
export function renderLines(source: string, stretch: Stretch | null): HTMLElement[] {
  const lines = [newLine()];
  let offset = 0;
  for (const token of tokenize(source)) {
    for (const [index, piece] of token.text.split("\n").entries()) {
      if (index > 0) {
        lines.push(newLine());
        offset += 1;
      }
      for (const part of cut(piece, offset, stretch)) lines.at(-1)!.append(node(part.text, token.kind, part.marked));
      offset += piece.length;
    }
  }
  return lines;
}

function newLine(): HTMLElement {
  const line = document.createElement("span");
  line.className = "code-line";
  return line;
}

function cut(piece: string, offset: number, stretch: Stretch | null): { text: string; marked: boolean }[] {
  if (piece === "") return [];
  const from = stretch ? Math.min(Math.max(stretch.from - offset, 0), piece.length) : 0;
  const to = stretch ? Math.min(Math.max(stretch.to - offset, 0), piece.length) : 0;
  if (from >= to) return [{ text: piece, marked: false }];
  return [
    { text: piece.slice(0, from), marked: false },
    { text: piece.slice(from, to), marked: true },
    { text: piece.slice(to), marked: false },
  ].filter((part) => part.text !== "");
}

function node(content: string, kind: string, marked: boolean): Node {
  if (!kind && !marked) return document.createTextNode(content);
  const element = document.createElement(marked ? "mark" : "span");
  element.className = marked ? `span-mark ${kind}`.trim() : kind;
  element.textContent = content;
  return element;
}
