/** Python source as coloured pieces: enough for a page of the engine's code, nothing is executed or parsed as markup. */

export interface Piece {
  kind: "plain" | "keyword" | "string" | "comment" | "number" | "name";
  text: string;
}

const TOKEN =
  /(?<comment>#[^\n]*)|(?<string>[rbfRBF]{0,2}(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|(?<word>[A-Za-z_]\w*)|(?<number>\d[\d_.]*(?:e[+-]?\d+)?)/g;

const KEYWORDS = new Set(
  "and as assert async await break class continue def del elif else except False finally for from global if import in is lambda None nonlocal not or pass raise return True try while with yield".split(
    " ",
  ),
);

export function highlightPython(source: string): Piece[] {
  const pieces: Piece[] = [];
  const push = (kind: Piece["kind"], text: string) => {
    const last = pieces.at(-1);
    if (last?.kind === kind) last.text += text;
    else if (text) pieces.push({ kind, text });
  };
  let end = 0;
  let defines = false;
  for (const match of source.matchAll(TOKEN)) {
    push("plain", source.slice(end, match.index));
    end = match.index + match[0].length;
    const { comment, string, word } = match.groups!;
    if (comment !== undefined) push("comment", comment);
    else if (string !== undefined) push("string", string);
    else if (word !== undefined) {
      push(KEYWORDS.has(word) ? "keyword" : defines ? "name" : "plain", word);
      defines = word === "def" || word === "class";
    } else push("number", match[0]);
  }
  push("plain", source.slice(end));
  return pieces;
}
