import assert from "node:assert/strict";
import { test } from "node:test";
import type { Preview } from "../../src/graph/document";
import { bytesText, gridOf, shortNumber, shortValue, weights } from "../../src/graph/numbers";
import { highlightPython } from "../../src/graph/highlight";
import { curve } from "../../src/graph/curve";
import { askedAt, contains, labelOf, nodesAt, spansIn, spanText } from "../../src/graph/model";
import { symbolOf } from "../../src/graph/symbols";
import { fixture } from "./fixtures";

const preview = (shape: number[], numbers: Preview["numbers"], complete = true): Preview => ({
  shape,
  numbers,
  complete,
  dtype: "torch.float32",
  text: "…",
  min: null,
  max: null,
  mean: null,
});

test("numbers are short, with a real minus", () => {
  const cases: [Preview["numbers"][number], string][] = [
    [1, "1"],
    [-2, "−2"],
    [-0, "−0"],
    [1 / 3, "0.3333"],
    [123456.789, "123500"],
    [0.99996, "1.000"],
    [-2.00001, "−2.000"],
    [0.50001, "0.5"],
    [1.5e7, "1.5e7"],
    [-2.5e-9, "−2.5e−9"],
    ["nan", "nan"],
    ["-inf", "−inf"],
    [true, "True"],
  ];
  for (const [value, text] of cases) assert.equal(shortNumber(value), text);
});

test("a value is its number, its few numbers, or its shape", () => {
  assert.equal(shortValue(preview([], [4.5])), "4.5");
  assert.equal(shortValue(preview([2, 2], [1, 2, 3, -4])), "[[1, 2], [3, −4]]");
  assert.equal(shortValue(preview([32, 784], [], false)), "[32, 784]");
});

test("only what is complete and small is a grid", () => {
  assert.deepEqual(gridOf(preview([3], [1, 2, 3])), { rows: 1, columns: 3 });
  assert.deepEqual(gridOf(preview([2, 1], [1, 2])), { rows: 2, columns: 1 });
  assert.equal(gridOf(preview([9], Array(9).fill(0))), null);
  assert.equal(gridOf(preview([2, 2], [1], false)), null);
  assert.equal(gridOf(preview([0], [])), null);
  assert.equal(gridOf(preview([], [1])), null);
});

test("weights are relative to the largest finite magnitude", () => {
  assert.deepEqual(weights(preview([4], [2, -1, "nan", 0])), [1, -0.5, null, 0]);
  assert.deepEqual(weights(preview([2], [0, 0])), [0, 0]);
});

test("bytes", () => {
  assert.deepEqual([bytesText(4), bytesText(1536), bytesText(3 * 2 ** 20)], ["4 B", "1.5 KiB", "3 MiB"]);
});

test("curves leave and arrive along the main axis", () => {
  assert.equal(
    curve(
      [
        { x: 0, y: 0 },
        { x: 10, y: 6 },
      ],
      false,
    ),
    "M0 0C5 0 5 6 10 6",
  );
  assert.equal(
    curve(
      [
        { x: 0, y: 0 },
        { x: 6, y: 10 },
      ],
      true,
    ),
    "M0 0C0 5 6 5 6 10",
  );
  assert.equal(
    curve(
      [
        { x: 0, y: 0 },
        { x: 3, y: 3 },
        { x: 6, y: 0 },
      ],
      false,
    ),
    "M0 0C1 0 2 3 3 3C4 3 5 0 6 0",
  );
});

test("source is cut into pieces without losing a character", () => {
  const source =
    'class Mul(Op):\n    """`a * b`"""\n    def forward(self, other):  # twice 2\n        return self * 2.5\n';
  const pieces = highlightPython(source);
  assert.equal(pieces.map(({ text }) => text).join(""), source);
  const of = (kind: string) => pieces.filter((piece) => piece.kind === kind).map(({ text }) => text);
  assert.deepEqual(of("name"), ["Mul", "forward"]);
  assert.deepEqual(of("comment"), ["# twice 2"]);
  assert.deepEqual(of("string"), ['"""`a * b`"""']);
  assert.deepEqual(of("number"), ["2.5"]);
  assert.deepEqual(of("keyword"), ["class", "def", "return"]);
});

test("symbols carry a plain-number operand", () => {
  const symbols = (name: Parameters<typeof fixture>[0]) => [...fixture(name).functions.values()].map(symbolOf);
  assert.deepEqual(symbols("4.1-c1"), ["x²", "×2", "−", "+1"]);
  assert.deepEqual(symbols("1.1-c1"), ["@", "+", "Σ"]);
  const [made] = fixture("0-c1").functions.values();
  const called = (op: string) => symbolOf({ ...made!, op });
  assert.deepEqual(["sumdim", "mse_loss", "BinaryCrossEntropy", "linalgdet", "maxdim"].map(called), [
    "Σ",
    "mse",
    "bce",
    "|A|",
    "max",
  ]);
  assert.equal(called("grid_sampler_2d"), "grids…");
});

test("a node is called by its variable, else by the expression that made it", () => {
  const model = fixture("3.1-c1");
  const label = (op: string) => labelOf(model, [...model.functions.values()].find((made) => made.op === op)!.id);
  assert.equal(label("pow"), "torch.pow(x,2)");
  const [x] = [...model.tensors.values()].filter((tensor) => tensor.name === "x");
  assert.equal(labelOf(model, x!.id), "x");
});

test("columns count code points, not UTF-16 units", () => {
  const document = { ...fixture("0-c1").document, sources: { c: "😀 = a * b" } };
  assert.equal(spanText(document, { cell: "c", line: 1, end_line: 1, column: 4, end_column: 9 }), "a * b");
});

test("the innermost expression around a position wins", () => {
  const model = fixture("3.1-c1");
  const line = model.document.sources["3.1-c1"]!.split("\n")[4]!;
  const at = (column: number) =>
    [...nodesAt(model, { cell: "3.1-c1", line: 5, column })].map((id) => labelOf(model, id));
  assert.deepEqual(at(line.indexOf("b*x") + 1), ["b*x", "b*x"]);
  assert.deepEqual(at(line.indexOf("pow") + 1), ["torch.pow(x,2)", "torch.pow(x,2)"]);
  assert.deepEqual(at(line.indexOf("a*") + 1), ["a*torch.pow(x,2)", "a*torch.pow(x,2)"]);
  assert.deepEqual([...nodesAt(model, { cell: "elsewhere", line: 5, column: 6 })], []);
});

test("a span over several lines contains what lies between", () => {
  const span = { cell: "c", line: 2, end_line: 4, column: 6, end_column: 3 };
  const inside = (line: number, column: number) => contains(span, { cell: "c", line, column });
  assert.deepEqual(
    [inside(2, 5), inside(2, 6), inside(3, 0), inside(4, 3), inside(4, 4), inside(5, 0)],
    [false, true, true, true, false, false],
  );
});

test("the spans of a document are given once each, and a pass knows the line that asked for it", () => {
  const { document } = fixture("twice");
  const spans = spansIn(document).map((span) => spanText(document, span));
  assert.deepEqual(spans, ["torch.tensor(3.0, requires_…", "x * x"]);
  assert.equal(spanText(document, askedAt(document, 3)), "y.backward()");
  assert.equal(askedAt(document, 9), null);
});
