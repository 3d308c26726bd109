/** Numbers and previews as short text. A minus is the real minus sign, as wide as a plus. */

import type { Preview } from "./document";

type Value = Preview["numbers"][number];

/** At most `digits` significant digits: `0.3333`, `1.2e7`, `−2`, `nan`; `1.000` is almost 1, and `1` is 1. */
export function shortNumber(value: Value, digits = 4): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return value.startsWith("-") ? "−" + value.slice(1) : value;
  if (value === 0) return Object.is(value, -0) ? "−0" : "0";
  const size = Math.abs(value);
  const plain = size >= 1e-4 && size < 1e6;
  let text: string;
  if (Number.isInteger(value) && size < 1e6) text = String(value);
  else if (plain) text = rounded(value, digits);
  else text = String(Number(value.toPrecision(Math.min(digits, 3))).toExponential()).replace("e+", "e");
  return text.replaceAll("-", "−");
}

/** Zeros at the end go, unless all of them do: then they tell that a fraction was rounded away. */
function rounded(value: number, digits: number): string {
  const text = value.toPrecision(digits);
  return text.includes(".") && !text.includes("e") && Number.isInteger(Number(text)) ? text : String(Number(text));
}

/** In a product a negative factor needs brackets: `1 × (−2)`. */
export function factor(text: string): string {
  return text.startsWith("−") ? `(${text})` : text;
}

export function isScalar(preview: Preview): boolean {
  return preview.shape.length === 0;
}

/** `[2, 3]`, and `[]` for a scalar: as PyTorch writes a size. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** A value in a few characters: the number of a scalar, the numbers of a tiny tensor, else its shape. */
export function shortValue(preview: Preview, limit = 22): string {
  if (isScalar(preview)) return preview.numbers.length > 0 ? shortNumber(preview.numbers[0]!) : preview.text;
  if (preview.complete && preview.numbers.length <= 6) {
    const text = nested(
      preview.numbers.map((n) => shortNumber(n, 3)),
      preview.shape,
    );
    if (text.length <= limit) return text;
  }
  return shapeText(preview.shape);
}

function nested(parts: string[], shape: readonly number[]): string {
  if (shape.length === 0) return parts[0] ?? "";
  const rows = shape[0]!;
  const size = parts.length / Math.max(rows, 1);
  const inner = Array.from({ length: rows }, (_, i) => nested(parts.slice(i * size, (i + 1) * size), shape.slice(1)));
  return `[${inner.join(", ")}]`;
}

/** Rows and columns of what can be drawn as a grid: 1-d as one row, 2-d as it is; null when it does not fit `most`. */
export function gridOf(preview: Preview, most = 8): { rows: number; columns: number } | null {
  const { shape } = preview;
  if (!preview.complete || shape.length === 0 || shape.length > 2 || preview.numbers.length === 0) return null;
  const [rows, columns] = shape.length === 1 ? [1, shape[0]!] : [shape[0]!, shape[1]!];
  return rows <= most && columns <= most && preview.numbers.length === rows * columns ? { rows, columns } : null;
}

/** A cell's weight in a picture, −1 … 1, against the largest finite magnitude; null for what is no finite number. */
export function weights(preview: Preview): (number | null)[] {
  const finite = preview.numbers.map((n) => (typeof n === "boolean" ? Number(n) : n));
  const largest = Math.max(0, ...finite.filter((n): n is number => typeof n === "number").map(Math.abs));
  return finite.map((n) => (typeof n === "number" ? (largest > 0 ? n / largest : 0) : null));
}

/** `4 B`, `1.5 KiB`. */
export function bytesText(nbytes: number): string {
  if (nbytes < 1024) return `${nbytes} B`;
  const units = ["KiB", "MiB", "GiB"];
  const power = Math.min(units.length, Math.floor(Math.log2(nbytes) / 10));
  return `${Number((nbytes / 1024 ** power).toPrecision(3))} ${units[power - 1]}`;
}
