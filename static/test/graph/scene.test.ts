import assert from "node:assert/strict";
import { test } from "node:test";
import { buildScene, FOLD_ID } from "../../src/graph/scene";
import { layoutScene } from "../../src/graph/layout";
import { buildModel } from "../../src/graph/model";
import { chainOf, fixture } from "./fixtures";

test("a leaf used up to three times is drawn with direct lines; used more, with a stand-in for each use", () => {
  const straight = (uses: number) => {
    const model = chainOf(uses);
    for (const made of model.functions.values()) made.instance = 1;
    return buildScene(model);
  };
  assert.equal(straight(3).units.filter((unit) => unit.kind === "alias").length, 0);
  const four = straight(4);
  const aliases = four.units.filter((unit) => unit.kind === "alias");
  assert.equal(aliases.length, 4);
  assert.ok(aliases.every((unit) => unit.tensors[0] === "t1"));
  assert.ok(four.links.every((link) => link.tensor !== "t1" || link.from.startsWith("alias-")));
});

test("a leaf used in two runs of a loop has a stand-in in each, so that the runs stay apart", () => {
  const scene = buildScene(chainOf(2));
  assert.equal(scene.units.filter((unit) => unit.kind === "alias").length, 2);
});

test("a long loop is folded to at most 300 nodes: its first and last runs stay, the box tells the rest", () => {
  const scene = buildScene(chainOf(500));
  const nodes = scene.units.reduce((sum, unit) => sum + unit.tensors.length + (unit.function ? 1 : 0), 0);
  assert.ok(nodes <= 300, `${nodes}`);
  assert.equal(scene.units.filter((unit) => unit.kind === "fold").length, 1);
  const functions = scene.units.filter((unit) => unit.function !== null).length;
  assert.equal(functions + scene.folded.length, 500);
  assert.deepEqual(scene.units.find((unit) => unit.kind === "fold")!.runs, [4, 499]);
  assert.ok(scene.links.some((link) => link.to === FOLD_ID) && scene.links.some((link) => link.from === FOLD_ID));
});

test("straight code that is too long keeps its beginning and its end", () => {
  const model = chainOf(500);
  for (const made of model.functions.values()) made.instance = 1;
  const scene = buildScene(model, { limit: 60 });
  const kept = scene.units.filter((unit) => unit.function !== null).map((unit) => Number(unit.function!.slice(1)));
  assert.ok(kept.includes(3) && kept.includes(1001));
  assert.ok(kept.length >= 15 && kept.length <= 30, `${kept.length}`);
  assert.equal(kept.length + scene.folded.length, 500);
});

test("a graph within the limit is not folded", () => {
  assert.deepEqual(buildScene(chainOf(20)).folded, []);
});

test("the gradient's own graph stands on its own storey, above, and can be switched off", () => {
  const model = fixture("3.2-c1");
  const scene = buildScene(model);
  assert.deepEqual(scene.storeys, [1, 2]);
  const layout = layoutScene(model, scene, { vertical: false, width: 800 });
  const [upper, ground] = layout.bands;
  assert.deepEqual([upper!.storey, ground!.storey], [2, 1]);
  for (const placed of layout.units) {
    const band = placed.unit.storey === 2 ? upper! : ground!;
    assert.ok(placed.y >= band.y && placed.y + placed.height <= band.y + band.height, placed.unit.id);
  }
  const seconds = [...model.functions.values()].filter((made) => made.order === 2);
  assert.equal(scene.units.filter((unit) => unit.kind === "function" && unit.storey === 2).length, seconds.length);
  const without = buildScene(model, { hidden: new Set([2]) });
  assert.ok(without.units.every((unit) => unit.storey === 1));
  assert.deepEqual(without.storeys, [1, 2]);
});

test("no line crosses storeys: a tensor from below is drawn there by a stand-in", () => {
  const scene = buildScene(fixture("3.2-c1"));
  const storeyOf = new Map(scene.units.map((unit) => [unit.id, unit.storey]));
  for (const link of scene.links) assert.equal(storeyOf.get(link.from), storeyOf.get(link.to));
  assert.ok(scene.units.some((unit) => unit.kind === "alias" && unit.storey === 2));
});

test("operations that were only counted are in the box, between what they used and what they made", () => {
  const model = chainOf(6);
  // The recorder filmed four runs; of the last two it keeps nodes and next_functions, and the result has no maker.
  const { document } = model;
  const later = document.nodes.filter((node) => node.kind === "function").slice(4);
  const ids = new Set(later.map((node) => node.id));
  document.edges = document.edges.filter((edge) => !ids.has(edge.from) && !ids.has(edge.to));
  document.nodes = document.nodes.filter((node) => node.id !== "t12");
  document.events = document.events.filter(
    (event) => event.type !== "create" || !event.nodes.some((id) => ids.has(id)),
  );
  later.forEach((node, i) => {
    const next = i === 0 ? "f9" : later[0]!.id;
    if (node.kind === "function") node.inputs = [{ name: "0", tensor: null, text: null, next, next_slot: 0 }];
  });
  document.events.push({
    type: "backward_begin",
    pass: 1,
    call: "backward",
    roots: ["t14"],
    gradients: [null],
    retain_graph: false,
    create_graph: false,
    span: null,
  });
  document.events.push({ type: "visit", pass: 1, node: "f13", grad_in: [null], grad_out: [] });
  document.truncated = { reason: "later runs are counted", nodes_left_out: 0, events_left_out: 2 };
  const scene = buildScene(buildModel(document));
  assert.deepEqual([...scene.folded].sort(), ["f11", "f13"]);
  const ends = scene.links.filter((link) => link.edge === -1).map(({ from, to }) => [from, to]);
  const box = scene.boxOf.get("f11")!;
  assert.deepEqual(ends, [
    ["f9", box],
    [box, "t14"],
  ]);
});
