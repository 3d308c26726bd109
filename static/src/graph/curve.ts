/** Smooth lines through points that run along one axis, without overshoot. */

export interface Point {
  x: number;
  y: number;
}

/**
 * An SVG path through `points`: a cubic that leaves and arrives along the main axis (downwards when `vertical`)
 * and keeps the direction of its points between them (Fritsch and Carlson's monotone slopes).
 */
export function curve(points: readonly Point[], vertical: boolean): string {
  const along = points.map((p) => (vertical ? p.y : p.x));
  const across = points.map((p) => (vertical ? p.x : p.y));
  const slopes = points.map((_, i) => slopeAt(along, across, i));
  const write = (a: number, c: number) => (vertical ? `${round(c)} ${round(a)}` : `${round(a)} ${round(c)}`);
  let path = `M${write(along[0]!, across[0]!)}`;
  for (let i = 1; i < points.length; i++) {
    const third = (along[i]! - along[i - 1]!) / (points.length === 2 ? 2 : 3);
    const first = write(along[i - 1]! + third, across[i - 1]! + third * slopes[i - 1]!);
    const second = write(along[i]! - third, across[i]! - third * slopes[i]!);
    path += `C${first} ${second} ${write(along[i]!, across[i]!)}`;
  }
  return path;
}

function slopeAt(along: number[], across: number[], i: number): number {
  if (i === 0 || i === along.length - 1) return 0;
  const before = secant(along, across, i - 1);
  const after = secant(along, across, i);
  return before * after <= 0 ? 0 : (2 * before * after) / (before + after);
}

function secant(along: number[], across: number[], i: number): number {
  const run = along[i + 1]! - along[i]!;
  return run === 0 ? 0 : (across[i + 1]! - across[i]!) / run;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
