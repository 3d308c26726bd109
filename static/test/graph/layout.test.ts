import assert from "node:assert/strict";
import { test } from "node:test";
import { layoutScene, type Layout, type PlacedUnit } from "../../src/graph/layout";
import { neighbour, type Arrow } from "../../src/graph/keyboard";
import { CIRCLE, filmExtent } from "../../src/graph/metrics";
import { buildScene } from "../../src/graph/scene";
import type { GraphModel } from "../../src/graph/model";
import { chainOf, fixture, fixtureNames } from "./fixtures";

function lay(model: GraphModel, vertical: boolean): Layout {
  return layoutScene(model, buildScene(model), { vertical, width: vertical ? 350 : 800 });
}

type Box = Pick<PlacedUnit, "x" | "y" | "width" | "height">;
const overlap = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const graphs: [string, GraphModel][] = [
  ...fixtureNames.map((name): [string, GraphModel] => [name, fixture(name)]),
  ["chain of 12", chainOf(12)],
];

for (const [name, model] of graphs) {
  for (const vertical of [false, true]) {
    const layout = lay(model, vertical);
    const way = vertical ? "down" : "across";

    test(`${name} ${way}: no two units overlap, and all lie inside`, () => {
      layout.units.forEach((a, i) => {
        assert.ok(
          a.x >= 0 && a.y >= 0 && a.x + a.width <= layout.width + 0.5 && a.y + a.height <= layout.height + 0.5,
          a.unit.id,
        );
        for (const b of layout.units.slice(i + 1)) assert.ok(!overlap(a, b), `${a.unit.id} and ${b.unit.id}`);
      });
    });

    test(`${name} ${way}: every edge leads forward`, () => {
      const along = vertical ? "y" : "x";
      for (const { start, end, link } of layout.links) assert.ok(start[along] < end[along], link.id);
      for (const { start, end, edge } of layout.stems) assert.ok(start[along] < end[along], String(edge));
    });

    test(`${name} ${way}: parts of a unit lie inside it`, () => {
      for (const unit of layout.units) {
        for (const { x, y, box } of unit.tensors) {
          assert.ok(x >= unit.x - 0.5 && y >= unit.y - 0.5, unit.unit.id);
          assert.ok(
            x + box.width <= unit.x + unit.width + 0.5 && y + box.height <= unit.y + unit.height + 0.5,
            unit.unit.id,
          );
        }
      }
    });

    test(`${name} ${way}: gradients on edges cover neither one another nor a tensor or an operation`, () => {
      const extent = filmExtent(model);
      const labels = layout.links
        .filter(({ link }) => extent.edgeText.has(link.edge))
        .map(({ link, label }) => ({
          id: link.id,
          x: label.x - extent.edgeText.get(link.edge)! / 2,
          y: label.y - 8,
          width: extent.edgeText.get(link.edge)!,
          height: 16,
        }));
      const solid = layout.units.flatMap((unit) =>
        unit.unit.kind === "function"
          ? [
              { x: unit.cx - CIRCLE, y: unit.cy - CIRCLE, width: 2 * CIRCLE, height: 2 * CIRCLE },
              ...unit.tensors.map(({ x, y, box }) => ({ x, y, ...box })),
            ]
          : [unit],
      );
      labels.forEach((label, i) => {
        for (const other of [...labels.slice(i + 1), ...solid]) assert.ok(!overlap(label, other), label.id);
      });
    });

    test(`${name} ${way}: the same document gives the same picture`, () => {
      assert.deepEqual(JSON.stringify(lay(model, vertical)), JSON.stringify(layout));
    });
  }
}

test("every tensor and operation of a small graph is drawn once, and every use is a link", () => {
  for (const name of ["3.1-c1", "B2-c2", "mlp"] as const) {
    const model = fixture(name);
    const layout = lay(model, false);
    const drawn = layout.units.flatMap(({ unit }) => [
      ...(unit.function ? [unit.function] : []),
      ...(unit.kind === "alias" ? [] : unit.tensors),
    ]);
    assert.deepEqual([...drawn].sort(), [...model.tensors.keys(), ...model.functions.keys()].sort());
    const edges = [...layout.links.map(({ link }) => link.edge), ...layout.stems.map(({ edge }) => edge)];
    const real = model.document.edges.flatMap((edge, i) => (edge.from.startsWith("a") ? [] : [i]));
    assert.deepEqual(
      edges.sort((a, b) => a - b),
      real,
    );
  }
});

test("x * x is two lines that do not run over each other", () => {
  const { links } = lay(fixture("twice"), false);
  assert.equal(links.length, 2);
  assert.notEqual(links[0]!.path, links[1]!.path);
  assert.ok(Math.abs(links[0]!.label.y - links[1]!.label.y) >= 17, "room for both gradients");
  assert.ok(Math.abs(links[0]!.end.y - links[1]!.end.y) >= 8);
});

test("arrow keys walk from the operand through the operation to its result and back", () => {
  const layout = lay(fixture("0-c1"), false);
  const walkAlong = (from: string, key: Arrow) => neighbour(layout, from, key, () => true);
  const [x, pow, y] = ["t1", "f1", "t2"];
  assert.deepEqual(
    [walkAlong(x!, "ArrowRight"), walkAlong(pow!, "ArrowRight"), walkAlong(y!, "ArrowRight")],
    [pow, y, null],
  );
  assert.deepEqual([walkAlong(y!, "ArrowLeft"), walkAlong(pow!, "ArrowLeft")], [pow, x]);
});

test("going down, the same walk is on the up and down keys", () => {
  const layout = lay(fixture("0-c1"), true);
  assert.equal(
    neighbour(layout, "t1", "ArrowDown", () => true),
    "f1",
  );
  assert.equal(
    neighbour(layout, "t2", "ArrowUp", () => true),
    "f1",
  );
});

test("keys never lead to a node that is not on stage", () => {
  const layout = lay(fixture("0-c1"), false);
  assert.equal(
    neighbour(layout, "t1", "ArrowRight", (stop) => stop === "t1"),
    null,
  );
});
