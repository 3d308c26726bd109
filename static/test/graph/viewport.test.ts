import assert from "node:assert/strict";
import { test } from "node:test";
import { Viewport } from "../../src/graph/viewport";

/** A stage of 400 × 300 before a graph of the given size, at scale 1. */
function viewport(width: number, height: number): Viewport {
  const made = new Viewport(() => undefined);
  made.resize({ width: 400, height: 300 }, { width, height }, { fitted: 1, readable: 1 });
  return made;
}

test("a graph that fits stays where it is, whatever is revealed", () => {
  const view = viewport(400, 300);
  view.reveal({ x: 10, y: 10, width: 40, height: 40 });
  view.reveal({ x: 350, y: 250, width: 40, height: 40 });
  assert.deepEqual(view.camera, { x: 0, y: 0, scale: 1 });
  assert.deepEqual(view.beyond, { left: 0, right: 0, top: 0, bottom: 0 });
});

test("what is revealed stands clear of a side beyond which the graph goes on", () => {
  const view = viewport(1000, 300);
  assert.deepEqual(view.beyond, { left: 0, right: 600, top: 0, bottom: 0 });
  view.reveal({ x: 500, y: 10, width: 40, height: 40 });
  assert.equal(500 + 40 + view.camera.x, 400 - 48);
  view.reveal({ x: 200, y: 10, width: 40, height: 40 });
  assert.equal(200 + view.camera.x, 48);
});

test("the ends of a graph are never pulled further in than they need", () => {
  const view = viewport(1000, 300);
  view.reveal({ x: 950, y: 10, width: 40, height: 40 });
  assert.equal(view.camera.x, -600);
  assert.deepEqual(view.beyond, { left: 600, right: 0, top: 0, bottom: 0 });
  view.reveal({ x: 10, y: 10, width: 40, height: 40 });
  assert.equal(view.camera.x, 0);
});
