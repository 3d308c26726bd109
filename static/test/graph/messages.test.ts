import assert from "node:assert/strict";
import { test } from "node:test";
import { allMessages, contributions, messageOf } from "../../src/graph/messages";
import { calculation } from "../../src/graph/calculate";
import { play } from "../../src/graph/player";
import { fixture, fixtureNames } from "./fixtures";

const english = (name: Parameters<typeof fixture>[0]) => allMessages(fixture(name), "en");

test("the parabola, step by step", () => {
  const film = english("3.1-c1");
  assert.equal(film[0], "`x` = 0, a leaf that requires a gradient.");
  assert.equal(film[2], "`b` = −2, no gradient needed.");
  assert.ok(film.includes("`b*x` ran: −0. MulBackward0 saved `self` (b) for the way back (4 B)."), film.join("\n"));
  assert.ok(film.includes("Backward pass 1: `backward()` starts at `y` with gradient 1."));
  assert.ok(film.includes("Gradient 1 arrived at MulBackward0 (`b*x`). 1 × (−2) = −2 goes to `x`."));
  assert.ok(film.includes("MulBackward0 (`b*x`) let go of what it had saved: `self`, 4 B."));
  assert.ok(
    film.includes("The gradient reaches the leaf: `x.grad`: None + (−2) = −2. 2 paths lead here: −2 + 0 = −2."),
  );
  assert.equal(film.at(-1), "Backward pass 1 is done.");
});

test("a second pass that fails says where and why", () => {
  assert.equal(
    english("twice").at(-1),
    "Backward pass 3 failed here: MulBackward0 (`x * x`). What it had saved was freed by an earlier pass. `retain_graph=True` in that pass would have kept it.",
  );
});

test("an in-place change that spoils a saved tensor is told with both versions", () => {
  const model = fixture("twice");
  const end = model.document.events.at(-1)!;
  assert.equal(end.type, "backward_end");
  Object.assign(end, {
    error:
      "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor []], which is output 0 of ExpBackward0, is at version 1; expected version 0 instead.",
  });
  assert.match(allMessages(model, "en").at(-1)!, /changed in place afterwards \(saved at version 0, now at 1\)/);
});

test("accumulation over calls reads as a sum", () => {
  const added = english("twice").filter((message) => message.includes("x.grad"));
  assert.match(added[0]!, /None \+ 6 = 6/);
  assert.match(added[1]!, /6 \+ 6 = 12/);
});

test("autograd.grad tells what it returned", () => {
  assert.equal(english("3.2-c1").at(-1), "Backward pass 2 is done. It returned ∂/∂x = 2.");
});

test("training tells zero_grad and the optimizer's step", () => {
  const film = english("sgd");
  assert.ok(film.includes(".grad of `x` was cleared: None again."));
  assert.ok(film.includes("The optimizer (SGD) took a step: `x` 0 → 0.2."));
});

test("every step has its own sentence in Chinese, with the same code in it", () => {
  for (const name of fixtureNames) {
    const model = fixture(name);
    const zh = allMessages(model, "zh");
    const en = allMessages(model, "en");
    zh.forEach((message, i) => {
      assert.match(message, /[\u4e00-\u9fff]/, en[i]!);
      const code = (text: string) =>
        text
          .split("`")
          .filter((_, k) => k % 2 === 1)
          .sort();
      assert.deepEqual(code(message), code(en[i]!));
    });
  }
});

test("before the first step the stage is said to be empty", () => {
  const model = fixture("0-c1");
  assert.equal(messageOf(model, play(model, 0), "en"), "The stage is empty: nothing has run yet.");
});

test("numbers are put into a formula, each with the sign that people write", () => {
  const known = (values: Partial<Record<string, string>>) => new Map(Object.entries(values) as [string, string][]);
  const cases: [string, Partial<Record<string, string>>, string | null][] = [
    ["grad * other", { grad: "1", other: "−2" }, "1 × (−2)"],
    ["-grad", { grad: "−3" }, "−(−3)"],
    [
      "grad * scale(power(self, exponent - 1), exponent)",
      { grad: "1", exponent: "2", self: "3" },
      "1 × (3 ^ (2 − 1) × 2)",
    ],
    ["grad * power(self, exponent - 1.0) * 1.0", { grad: "1", exponent: "2", self: "3" }, "1 × 3 ^ (2 − 1)"],
    ["scale(grad, other)", { grad: "4", other: "2" }, "4 × 2"],
    ["if exponent == 0:\n    return grad * 0\nreturn grad * exponent", { grad: "5", exponent: "2" }, "5 × 2"],
    ["if exponent == 0:\n    return grad * 0\nreturn grad * exponent", { grad: "5", exponent: "0" }, "5 × 0"],
    ["grad if alpha == 1 else scale(grad, alpha)", { grad: "5", alpha: "3" }, "5 × 3"],
  ];
  for (const [formula, values, shown] of cases) assert.equal(calculation(formula, known(values)), shown);
});

test("nothing is written when a number is unknown, a call is left, or only a number would stand there", () => {
  const known = new Map([
    ["grad", "1"],
    ["alpha", "1"],
  ]);
  for (const formula of [
    "grad * other",
    "grad.expand(self.shape)",
    "formula.stacked(grad)",
    "grad",
    "-grad",
    "grad if alpha == 1 else scale(grad, alpha)",
  ]) {
    assert.equal(calculation(formula, known), null, formula);
  }
});

test("contributions of a visited operation name operand, formula and result", () => {
  const model = fixture("B2-c2");
  const made = [...model.functions.values()].find((f) => f.op === "mul")!;
  const at = model.document.events.findIndex((event) => event.type === "visit" && event.node === made.id) + 1;
  assert.deepEqual(
    contributions(model, play(model, at), made).map(({ to, calculation, result }) => [to, calculation, result]),
    [
      ["a", "24 × 5", "120"],
      ["c", "24 × 2", "48"],
    ],
  );
});

test("what an earlier cell had made is listed at the start, at most four by name", () => {
  const model = fixture("1.1-c1");
  const leaves = [...model.tensors.values()].filter((tensor) => tensor.is_leaf).map(({ id }) => id);
  model.document.events.splice(0, 4, { type: "create", nodes: [...leaves, ...model.functions.keys()], span: null });
  assert.equal(
    allMessages(model, "en")[0],
    "From an earlier cell: `x` = [[1, 2]], no gradient needed; `w` = [[3], [4]], a leaf that requires a gradient; `b` = [5], a leaf that requires a gradient; `x @ w`; and 2 more.",
  );
});
