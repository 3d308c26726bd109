import assert from "node:assert/strict";
import { test } from "node:test";
import { EventParser } from "../../src/client";
import { tokenize } from "../../src/highlight";
import { byExtent, codePoints, contains, fromOffset, toOffset, toStretch, unitsOf } from "../../src/position";

const source = "# 张量 𝒙\ny = a * x**2\n\nprint('𝒙', y)";

test("offsets and Python positions are inverse, beyond the basic plane too", () => {
  for (let offset = 0; offset <= source.length; offset += 1) {
    const code = source.charCodeAt(offset);
    if (code >= 0xdc00 && code <= 0xdfff) continue; // Inside a pair there is no position.
    const { line, column } = fromOffset(source, offset);
    assert.equal(toOffset(source, line, column), offset);
  }
  assert.deepEqual(fromOffset(source, source.indexOf("y =")), { line: 2, column: 0 });
  assert.deepEqual(fromOffset(source, source.indexOf("', y")), { line: 4, column: 8 });
});

test("positions beyond the text are cut to its end", () => {
  assert.equal(toOffset("ab\nc", 1, 99), 2);
  assert.equal(toOffset("ab\nc", 99, 99), 4);
  assert.equal(toOffset("", 1, 0), 0);
});

test("code points and UTF-16 units convert", () => {
  assert.equal(codePoints("a𝒙b"), 3);
  assert.equal(unitsOf("a𝒙b", 2), 3);
});

test("a span is half open, and the innermost comes first", () => {
  const inner = { cell: "c", line: 2, end_line: 2, column: 8, end_column: 12 };
  const outer = { cell: "c", line: 2, end_line: 2, column: 4, end_column: 12 };
  assert.equal(source.slice(toStretch(source, inner).from, toStretch(source, inner).to), "x**2");
  assert.ok(contains(inner, 2, 8) && contains(inner, 2, 11) && !contains(inner, 2, 12) && !contains(inner, 2, 7));
  assert.deepEqual([outer, inner].sort(byExtent), [inner, outer]);
});

test("tokens are the source again, whatever it is", () => {
  for (const text of [source, "'''open", 'f"{x!r}" # é', "1.5e-3 .5 0xff 1_000", "a@b|~c", "\n\n", "'unclosed\nnext", ""]) {
    assert.equal(
      tokenize(text)
        .map((token) => token.text)
        .join(""),
      text,
    );
  }
});

test("tokens are what Python says they are", () => {
  const kinds = (text: string) =>
    tokenize(text)
      .filter((token) => token.kind)
      .map((token) => `${token.kind.slice(4)} ${token.text}`);
  assert.deepEqual(kinds("def f(x): return None"), ["keyword def", "definition f", "operator :", "keyword return", "bool None"]);
  assert.deepEqual(kinds("x1 = 2.5"), ["operator =", "number 2.5"]);
  assert.deepEqual(kinds("'a # b' # c"), ["string 'a # b'", "comment # c"]);
  assert.deepEqual(kinds("True_ = 'x'"), ["operator =", "string 'x'"]);
});

test("an event stream may come in any pieces", () => {
  const output = { output_type: "stream", name: "stdout", text: "a\n\nb 张" };
  const status = { status: "ok", reason: null, elapsed_ms: 3, execution_count: 1 };
  const wire = `: still running\n\nevent: output\ndata: ${JSON.stringify(output)}\n\nevent: unknown\ndata: {}\n\nevent: status\ndata: ${JSON.stringify(status)}\n\n`;
  for (const size of [1, 2, 7, wire.length]) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < wire.length; at += size) events.push(...parser.feed(wire.slice(at, at + size)));
    assert.deepEqual(events, [
      { event: "output", output },
      { event: "status", status },
    ]);
  }
});
