/** The engine's derivative formulas with the numbers of a run put in, for people to read. Nothing is evaluated. */

import { factor } from "./numbers";

/**
 * `grad * other` becomes `1 × (−2)`. `known` holds the numbers, already short, by the names that formulas use. Null
 * when a name is unknown, a call is left that has no sign of its own, or there would be nothing to read but a number.
 */
export function calculation(formula: string, known: ReadonlyMap<string, string>): string | null {
  const expression = withSigns(withoutFloats(chosen(formula, known)));
  if (expression.length > 80) return null;
  let complete = true;
  const written = expression.replace(/[A-Za-z_][\w.]*(\()?/g, (name, call: string | undefined) => {
    const value = known.get(name);
    if (value === undefined || call) complete = false;
    return factor(value ?? "");
  });
  const shown = written.replaceAll("**", "^").replaceAll("*", "×").replaceAll("-", "−");
  const onlyNumber = /^\(?−?[\d.e−]+\)?$/.test(shown.trim());
  return complete && !onlyNumber ? shown.trim() : null;
}

/** The branch that this run took: of an early return in an `if`, of `A if name == number else B`. */
function chosen(formula: string, known: ReadonlyMap<string, string>): string {
  let rest = formula.trim();
  for (;;) {
    const guard = /^if (\w+) == (-?[\d.]+):\n\s+return ([^\n]+)\n/.exec(rest);
    if (!guard) break;
    const [whole, name, number, early] = guard;
    if (known.get(name!) === shortened(number!)) return early!.trim();
    rest = rest.slice(whole.length);
  }
  rest = rest.replace(/^return /, "");
  const either = /^(.+?) if (\w+) == (-?[\d.]+) else (.+)$/.exec(rest);
  if (!either) return rest;
  const [, first, name, number, second] = either;
  return known.get(name!) === shortened(number!) ? first! : second!;
}

/** The engine writes `1.0` to stay among floats; a reader needs neither that nor a product with it. */
function withoutFloats(expression: string): string {
  return expression.replace(/\b(\d+)\.0\b/g, "$1").replace(/ \* 1\b/g, "");
}

function shortened(number: string): string {
  return String(Number(number)).replace("-", "−");
}

/** `power(a, b)` and `scale(a, b)` as signs, from the inside out. */
function withSigns(expression: string): string {
  const argument = String.raw`((?:[^(),]|\((?:[^()]|\([^()]*\))*\))+)`;
  const call = new RegExp(String.raw`\b(power|scale)\(${argument}, ${argument}\)`);
  let text = expression;
  for (let match = call.exec(text); match; match = call.exec(text)) {
    const [whole, name, left, right] = match;
    const written =
      name === "power" ? `${bracketed(left!)} ** ${bracketed(right!)}` : `(${left} * ${bracketed(right!)})`;
    text = text.replace(whole, () => (written.startsWith("(") && whole === text ? written.slice(1, -1) : written));
  }
  return text;
}

function bracketed(operand: string): string {
  return /^[\w.]+$/.test(operand) || /^\([^()]*\)$/.test(operand) ? operand : `(${operand})`;
}
