/** What is written inside an operation's circle. */

import type { FunctionNode } from "./document";

/** By the name of the operation in lower case without underscores, and without what `plain` takes off. */
const SYMBOLS: Record<string, string> = {
  add: "+",
  sub: "−",
  rsub: "−",
  mul: "×",
  scaled: "×",
  div: "÷",
  neg: "−x",
  powscalarbase: "aˣ",
  mm: "@",
  bmm: "@",
  mv: "@",
  dot: "·",
  matmul: "@",
  addmm: "@+",
  addmv: "@+",
  baddbmm: "@+",
  sum: "Σ",
  cumsum: "Σ",
  mean: "x̄",
  prod: "Π",
  var: "σ²",
  vectornorm: "‖x‖",
  exp: "eˣ",
  exp2: "2ˣ",
  log: "ln",
  log2: "log₂",
  log10: "lg",
  sqrt: "√",
  rsqrt: "1/√",
  abs: "|x|",
  reciprocal: "1/x",
  square: "x²",
  sigmoid: "sigm",
  floor: "⌊x⌋",
  ceil: "⌈x⌉",
  det: "|A|",
  inv: "A⁻¹",
  t: "xᵀ",
  transpose: "xᵀ",
  permute: "⇄",
  view: "▭",
  unsafeview: "▭",
  reshape: "▭",
  expand: "↔",
  squeeze: "▭",
  unsqueeze: "▭",
  clone: "⧉",
  copy: "⧉",
  tocopy: "→",
  cat: "⧺",
  stack: "☰",
  unbind: "⋔",
  split: "⋔",
  select: "[i]",
  slice: "[:]",
  index: "[…]",
  where: "?:",
  maximum: "max",
  amax: "max",
  minimum: "min",
  amin: "min",
  convolution: "∗",
  embedding: "row",
  binarycrossentropy: "bce",
  binarycrossentropywithlogits: "bce",
  softmax: "smax",
  logsoftmax: "lsm",
  batchnorm: "norm",
  fixedbatchnorm: "norm",
  layernorm: "norm",
};

/** Variants of one operation share its sign: `sum_dim`, `where.tensor`, `mse_loss`, `linalg_det`. */
function plain(op: string): string {
  const name = op.toLowerCase().replaceAll("_", "");
  if (name in SYMBOLS) return name;
  return name.replace(/^(linalg|native)/, "").replace(/(dims?|tensors?|loss|ex)$/, "");
}

const SUPERSCRIPTS: Record<string, string> = {
  "-": "⁻",
  "0": "⁰",
  "1": "¹",
  "2": "²",
  "3": "³",
  "4": "⁴",
  "5": "⁵",
  "6": "⁶",
  "7": "⁷",
  "8": "⁸",
  "9": "⁹",
};

/** `×`, `+1`, `x²`, `Σ`: at most six characters, a plain-number operand included where it is short. */
export function symbolOf(node: FunctionNode): string {
  const op = plain(node.op);
  if (op === "pow") return power(node.inputs[1]?.text ?? node.attributes["exponent"] ?? null);
  const base = SYMBOLS[op] ?? op;
  if (["add", "sub", "mul", "div", "scaled"].includes(op)) {
    const text = node.inputs[1]?.text ?? node.attributes["other"];
    const number = text?.replace(/\.0$/, "").replaceAll("-", "−");
    if (number !== undefined && number.length <= 4 && !number.startsWith("−")) return base + number;
  }
  const letters = [...base];
  return letters.length <= 6 ? base : letters.slice(0, 5).join("") + "…";
}

function power(exponent: string | null): string {
  const text = exponent?.replace(/\.0$/, "") ?? "";
  const raised = [...text].map((c) => SUPERSCRIPTS[c]);
  if (text.length === 0 || text.length > 3) return "xⁿ";
  if (raised.every((c) => c !== undefined)) return "x" + raised.join("");
  return "xⁿ";
}
