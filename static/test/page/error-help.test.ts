import assert from "node:assert/strict";
import { test } from "node:test";
import { helpFor, plainSign, reasonIn } from "../../src/error-help";
import type { ErrorOutput } from "../../src/protocol";

const error = (ename: string, evalue: string): ErrorOutput => ({ output_type: "error", ename, evalue, traceback: [] });
const nameless = error("NameError", "name 'y' is not defined");

test("a sign of a Chinese keyboard is named with the one that Python wants", () => {
  const help = helpFor(error("SyntaxError", "invalid character '（' (U+FF08)"), [], "zh")!;
  assert.match(help.message, /“（”.*半角.* \(。/);
  assert.equal(help.runAbove, false);
  assert.match(helpFor(error("SyntaxError", "invalid character '，' (U+FF0C)"), [], "en")!.message, /what you want is ,/);
  assert.match(helpFor(error("SyntaxError", "invalid non-printable character U+3000"), [], "zh")!.message, /空格/);
  assert.equal(helpFor(error("SyntaxError", "invalid character '€' (U+20AC)"), [], "zh"), null);
});

test("full-width forms follow Unicode's own rule", () => {
  assert.deepEqual(["＝", "：", "１", "“", "→"].map(plainSign), ["=", ":", "1", '"', null]);
});

test("a missing name that a cell above makes is told so, and no other", () => {
  assert.equal(helpFor(nameless, ["x = 1", "y = x"], "en")!.runAbove, true);
  assert.equal(helpFor(nameless, [], "en"), null);
  assert.equal(helpFor(nameless, ["dy_dx = my + y2 + obj.y"], "en"), null);
  assert.equal(helpFor(error("TypeError", "name 'y' is not defined"), ["y = 1"], "en"), null);
});

test("the server's reasons are told in the page's language", () => {
  const reason = "The cell has computed for 10 s, the most a cell may. The cell did not stop when it was asked to, so its kernel was ended.";
  assert.equal(reasonIn("en", reason), reason);
  assert.equal(reasonIn("zh", reason), "它已经算了 10 秒，这是一个单元格的上限。它没有响应停止的请求。");
  assert.equal(reasonIn("zh", "Something new."), "Something new.");
});
