/** A document comes from a confined but untrusted kernel: whatever the schema lets through must be drawn or left out. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { GraphDocument } from "../../src/graph/document";
import { describe } from "../../src/graph/describe";
import { layoutScene } from "../../src/graph/layout";
import { allMessages } from "../../src/graph/messages";
import { buildModel } from "../../src/graph/model";
import { play } from "../../src/graph/player";
import { buildScene } from "../../src/graph/scene";
import { fixture, fixtureNames } from "./fixtures";

/** Numbers between 0 and 1 that are the same in every run. */
function* random(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state * 1664525 + 1013904223) % 4294967296;
    yield state / 4294967296;
  }
}

function damaged(document: GraphDocument, seed: number): GraphDocument {
  const dice = random(seed);
  const roll = () => dice.next().value;
  const ids = document.nodes.map((node) => node.id);
  const other = () => ids[Math.floor(roll() * ids.length)]!;
  return {
    ...document,
    sources: roll() < 0.3 ? {} : document.sources,
    nodes: document.nodes.filter(() => roll() > 0.15),
    edges: document.edges.map((edge) => ({
      from: roll() < 0.15 ? other() : edge.from,
      to: roll() < 0.15 ? other() : edge.to,
      slot: roll() < 0.1 ? 63 : edge.slot,
    })),
    events: document.events.filter(() => roll() > 0.2),
    truncated: roll() < 0.3 ? { reason: "damaged", nodes_left_out: 1, events_left_out: 2 } : null,
  };
}

for (const name of fixtureNames) {
  test(`${name}: a damaged document never breaks the player, the words or the layout`, () => {
    for (let seed = 1; seed <= 40; seed++) {
      const model = buildModel(damaged(fixture(name).document, seed));
      const { events, nodes } = model.document;
      assert.equal(allMessages(model, "en").length, events.length);
      const end = play(model, events.length);
      for (const { id } of nodes) assert.equal(typeof describe(model, end, id, "zh"), "string");
      const layout = layoutScene(model, buildScene(model), { vertical: seed % 2 === 0, width: 700 });
      for (const { x, y } of layout.units) assert.ok(Number.isFinite(x) && Number.isFinite(y));
    }
  });
}

test("a preview that promises more numbers than it holds is not drawn as a grid", () => {
  const model = fixture("1.1-c1");
  for (const node of model.tensors.values()) node.value.numbers = node.value.numbers.slice(0, 1);
  assert.ok(layoutScene(model, buildScene(model), { vertical: false, width: 700 }).units.length > 0);
});
