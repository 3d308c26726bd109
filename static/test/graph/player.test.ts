import assert from "node:assert/strict";
import { test } from "node:test";
import type { Preview } from "../../src/graph/document";
import { firstBackward, phases, play, walk, type ViewState } from "../../src/graph/player";
import { buildModel, type GraphModel } from "../../src/graph/model";
import { fixture, fixtureNames, type FixtureName } from "./fixtures";
import golden from "./golden.json";

const numbers = (preview: Preview | null | undefined) => (preview ? preview.numbers : null);
const flat = (value: unknown) => (value === null ? null : [value].flat(4));

function byName(model: GraphModel, name: string): string {
  return [...model.tensors.values()].find((tensor) => tensor.name === name)!.id;
}

function last(model: GraphModel): ViewState {
  return play(model, model.document.events.length);
}

/** How often the film writes into a tensor in place, its making not counted. */
function changes(model: GraphModel, id: string): number {
  return model.document.events.filter((event) => {
    if (event.type === "mutate") return event.node === id && (event.was === null || event.was === id);
    return event.type === "step" && event.changes.some((change) => change.tensor === id);
  }).length;
}

for (const [cell, expected] of Object.entries(golden)) {
  test(`${cell}: nodes light up in PyTorch's backward order, with its gradients`, () => {
    const model = fixture(cell as FixtureName);
    const target = cell === "3.2-c1" ? 2 : 1;
    const seen: { name: string; leaf?: string; in: unknown; out: unknown }[] = [];
    walk(model, (state) => {
      if (state.phase.kind !== "backward" || state.pass?.number !== target || state.event === null) return;
      const [active] = state.active;
      if (state.event.type === "visit") {
        const incoming = model.results.get(active!)!.map((edge) => numbers(state.edges[edge.index]!.gradient));
        const outgoing = model.functions.get(active!)!.inputs.map((input, slot) => {
          const edge = model.operands.get(active!)!.find((e) => e.slot === slot);
          return edge && input.tensor !== null ? numbers(state.edges[edge.index]!.gradient) : null;
        });
        seen.push({ name: model.functions.get(active!)!.name, in: incoming, out: outgoing });
      } else if (state.event.type === "accumulate") {
        seen.push({
          name: "AccumulateGrad",
          leaf: model.tensors.get(active!)!.name!,
          in: [numbers(state.event.added)],
          out: [],
        });
      }
    });
    // autograd.grad returns the leaf's gradient instead of accumulating it.
    const wanted = expected.order.filter((one) => target === 1 || one.name !== "AccumulateGrad");
    assert.deepEqual(
      seen.map((one) => one.name),
      wanted.map((one) => one.name),
    );
    wanted.forEach((one, i) => {
      assert.deepEqual(seen[i]!.in, one.in.map(flat), `gradient into ${one.name}`);
      if (one.leaf) assert.equal(seen[i]!.leaf, one.leaf);
      // A tensor operand gives an entry; a Python number gives none in PyTorch's tuple for pow.
      one.out.forEach((grad, slot) =>
        assert.deepEqual((seen[i]!.out as unknown[])[slot], flat(grad), `gradient out of ${one.name}`),
      );
    });
  });

  test(`${cell}: leaves end with PyTorch's .grad, and the same operations have let go of what they saved`, () => {
    const model = fixture(cell as FixtureName);
    const end = last(model);
    const freed: string[] = [];
    for (const [id, view] of end.functions) {
      if (view.freed && model.functions.get(id)!.saved.length > 0) freed.push(model.functions.get(id)!.name);
    }
    if (cell === "3.2-c1") {
      assert.deepEqual(numbers(end.pass!.results[0]!.grad), flat(golden["3.2-c1"].grads.x));
      assert.equal(end.tensors.get(byName(model, "x"))!.grad, null);
      return;
    }
    assert.deepEqual(freed.sort(), expected.freed);
    for (const [name, grad] of Object.entries(expected.grads)) {
      assert.deepEqual(numbers(end.tensors.get(byName(model, name))!.grad), flat(grad), name);
    }
  });
}

for (const name of fixtureNames) {
  test(`${name}: the film ends in the state that the document gives`, () => {
    const model = fixture(name);
    const end = last(model);
    for (const [id, node] of model.tensors) {
      const view = end.tensors.get(id)!;
      assert.ok(view.exists, `${id} is on stage`);
      assert.deepEqual(numbers(view.grad), numbers(node.grad), `.grad of ${node.name ?? id}`);
      assert.equal(view.version, node.version + changes(model, id), `version of ${node.name ?? id}`);
    }
    for (const [id, node] of model.functions) assert.equal(end.functions.get(id)!.freed, node.freed, `${id} freed`);
    assert.ok(end.edges.every((edge, i) => edge.exists || model.document.edges[i]!.from.startsWith("a")));
  });

  test(`${name}: every step is the same whether walked to or jumped to, and the document stays untouched`, () => {
    const model = fixture(name);
    const before = JSON.stringify(model.document);
    walk(model, (state) => assert.deepEqual(play(model, state.step), state));
    assert.equal(JSON.stringify(model.document), before);
  });

  test(`${name}: a node stays on stage once it is there, and nothing is there at the start`, () => {
    const model = fixture(name);
    const start = play(model, 0);
    assert.ok([...start.tensors.values(), ...start.functions.values()].every((view) => !view.exists));
    let there = 0;
    walk(model, (state) => {
      const now = [...state.tensors.values(), ...state.functions.values()].filter((view) => view.exists).length;
      assert.ok(now >= there);
      there = now;
    });
    assert.equal(there, model.tensors.size + model.functions.size);
  });
}

test("nodes whose making was left out of a truncated film stand on stage from the start", () => {
  const model = fixture("0-c1");
  model.document.events.splice(0, 2);
  const start = play(model, 0);
  assert.ok([...start.tensors.values(), ...start.functions.values()].every((view) => view.exists));
  assert.deepEqual([...start.active], []);
  assert.deepEqual(last(model).tensors.get(byName(model, "x"))!.grad!.numbers, [6]);
});

test("the gap of a truncated film does not mix two passes", () => {
  const model = fixture("twice");
  const { events } = model.document;
  const second = events.findIndex((event) => event.type === "backward_begin" && event.pass === 2);
  // Left out: the end of the first pass and the beginning of the second.
  events.splice(second - 1, 2);
  model.document.truncated = { reason: "long", nodes_left_out: 0, events_left_out: 2 };
  const visit = events.findIndex((event) => event.type === "visit" && event.pass === 2) + 1;
  const x = byName(model, "x");
  assert.equal(play(model, visit).tensors.get(x)!.arrivals.length, 2);
  assert.deepEqual(
    [...phases(model)].map(({ phase }) => phase.pass),
    [0, 1, 2, 3],
  );
});

test("a truncated film ends with the .grad that the cell left, whatever its last pass drawn brought", () => {
  const model = fixture("3.1-c1");
  const x = byName(model, "x");
  const node = model.tensors.get(x)!;
  node.grad = { ...node.grad!, numbers: [-0.5] };
  model.document.truncated = { reason: "long", nodes_left_out: 0, events_left_out: 9 };
  assert.deepEqual(last(model).tensors.get(x)!.grad!.numbers, [-0.5]);
  const before = play(model, model.document.events.length - 1);
  assert.notDeepEqual(before.tensors.get(x)!.grad?.numbers, [-0.5]);
});

test("what was let go in an earlier cell is gone from the beginning of this one", () => {
  const model = fixture("0-c1");
  const made = [...model.functions.values()].find((node) => node.saved.length > 0)!;
  assert.equal(made.freed, true);
  assert.equal(play(model, 2).functions.get(made.id)!.freed, false);
  model.document.events = model.document.events.filter((event) => event.type !== "free");
  assert.equal(play(model, 2).functions.get(made.id)!.freed, true);
});

test("a leaf of an earlier cell brings its .grad along", () => {
  const model = fixture("0-c1");
  const x = byName(model, "x");
  assert.equal(play(model, 1).tensors.get(x)!.grad, null);
  for (const event of model.document.events) if (event.type === "create") event.span = null;
  const sum = model.document.events.find((event) => event.type === "accumulate")!;
  sum.before = { ...sum.after, numbers: [7] };
  assert.deepEqual(play(model, 1).tensors.get(x)!.grad!.numbers, [7]);
  model.document.events = model.document.events.filter((event) => event.type === "create");
  assert.deepEqual(play(model, 1).tensors.get(x)!.grad!.numbers, [6]);
});

test("step is clamped to the film", () => {
  const model = fixture("0-c1");
  assert.equal(play(model, -3).step, 0);
  assert.equal(play(model, 999).step, model.document.events.length);
});

test("a leaf used twice gathers both parts before its sum, and the ledger takes the sum", () => {
  const model = fixture("twice");
  const x = byName(model, "x");
  const visit = model.document.events.findIndex((event) => event.type === "visit") + 1;
  const gathering = play(model, visit).tensors.get(x)!;
  assert.deepEqual(
    gathering.arrivals.map(({ grad, slot }) => [slot, grad.numbers]),
    [
      [0, [3]],
      [1, [3]],
    ],
  );
  assert.equal(gathering.passing, null);
  assert.equal(gathering.grad, null);
  const credited = play(model, visit + 1).tensors.get(x)!;
  assert.deepEqual(credited.grad!.numbers, [6]);
  assert.deepEqual(
    credited.ledger.map((entry) => entry.kind === "add" && [entry.pass, entry.before, entry.added.numbers]),
    [[1, null, [6]]],
  );
});

test("a second pass adds to the ledger, and clears the gradients that the first left on the edges", () => {
  const model = fixture("twice");
  const begin = model.document.events.findIndex((event) => event.type === "backward_begin" && event.pass === 2) + 1;
  const cleared = play(model, begin);
  assert.ok(cleared.edges.every((edge) => edge.gradient === null));
  assert.equal(cleared.tensors.get(byName(model, "x"))!.grad!.numbers[0], 6);
  const end = last(model).tensors.get(byName(model, "x"))!;
  assert.equal(end.grad!.numbers[0], 12);
  assert.equal(end.ledger.length, 2);
});

test("a pass through freed drawers fails at the empty operation", () => {
  const model = fixture("twice");
  const end = last(model);
  assert.equal(end.pass!.number, 3);
  assert.match(end.pass!.error!, /second time/);
  const [id] = model.functions.keys();
  assert.deepEqual(end.functions.get(id!), {
    exists: true,
    freed: true,
    visited: false,
    failed: true,
    operands: end.functions.get(id!)!.operands,
  });
  assert.deepEqual([...end.active], [id]);
});

test("retain_graph keeps the drawers full until a pass without it", () => {
  const model = fixture("twice");
  const [id] = model.functions.keys();
  const freedAt = model.document.events.findIndex((event) => event.type === "free") + 1;
  assert.equal(play(model, freedAt - 1).functions.get(id!)!.freed, false);
  assert.equal(play(model, freedAt).functions.get(id!)!.freed, true);
  assert.ok(freedAt > model.document.events.findIndex((event) => event.type === "backward_begin" && event.pass === 2));
});

test("training: step changes value and version, zero_grad empties .grad and rules the ledger", () => {
  const model = fixture("sgd");
  const x = byName(model, "x");
  const { events } = model.document;
  const step = events.findIndex((event) => event.type === "step") + 1;
  assert.deepEqual(play(model, step - 1).tensors.get(x)!.value.numbers, [0]);
  const after = play(model, step).tensors.get(x)!;
  assert.ok(Math.abs((after.value.numbers[0] as number) - 0.2) < 1e-6);
  assert.equal(after.version, 1);
  const zero = events.findIndex((event, at) => event.type === "zero_grad" && at >= step) + 1;
  assert.deepEqual(play(model, zero - 1).tensors.get(x)!.grad!.numbers, [-2]);
  const emptied = play(model, zero).tensors.get(x)!;
  assert.equal(emptied.grad, null);
  assert.deepEqual([emptied.arrivals, emptied.passing], [[], null]);
  assert.equal(emptied.ledger.at(-1)!.kind, "zero");
});

test("zero_grad with set_to_none=False leaves zeros", () => {
  const model = fixture("0-c1");
  const x = byName(model, "x");
  model.document.events.push({ type: "zero_grad", tensors: [x], set_to_none: false, span: null });
  assert.deepEqual(last(model).tensors.get(x)!.grad!.numbers, [0]);
});

test("what an operation's operands held is what they held when it ran", () => {
  const model = fixture("sgd");
  const runs = [...model.functions.values()].filter((made) => made.op === "pow");
  const held = runs.map((made) => last(model).functions.get(made.id)!.operands[0]!.numbers[0] as number);
  assert.deepEqual(
    held.map((value) => Math.round(value * 1000) / 1000),
    [0, 0.2, 0.36, 0.488, 0.59],
  );
});

test("an in-place write that enters the history brings its own node and operation", () => {
  const model = fixture("0-c1");
  const y = byName(model, "y");
  const value = { ...model.tensors.get(y)!.value, text: "1.", numbers: [1] };
  const maker = model.producer.get(y)!.from;
  const { events } = model.document;
  events.splice(1, events.length, { type: "mutate", node: y, was: null, by: maker, version: 3, value, span: null });
  const end = last(model);
  assert.ok(end.tensors.get(y)!.exists);
  assert.ok(end.functions.get(maker)!.exists);
  assert.deepEqual([end.tensors.get(y)!.value.numbers, end.tensors.get(y)!.version], [[1], 3]);
  assert.equal(end.phase.kind, "update");
});

test("retain_grad on results: .grad is there from the visit on, on other results never", () => {
  const model = fixture("B2-c1");
  const v = byName(model, "v");
  const producer = model.producer.get(v)!.from;
  const at = model.document.events.findIndex((event) => event.type === "visit" && event.node === producer) + 1;
  assert.equal(play(model, at - 1).tensors.get(v)!.grad, null);
  assert.deepEqual(play(model, at).tensors.get(v)!.grad!.numbers, [14]);
  assert.equal(last(model).tensors.get(byName(model, "y"))!.grad, null);
});

test("an operand that needs no gradient is marked as skipped once its operation was visited", () => {
  const model = fixture("3.1-c1");
  const b = byName(model, "b");
  const edge = model.uses.get(b)![0]!;
  const at = model.document.events.findIndex((event) => event.type === "visit" && event.node === edge.to) + 1;
  assert.equal(play(model, at - 1).edges[edge.index]!.skipped, false);
  const view = play(model, at).edges[edge.index]!;
  assert.equal(view.skipped, true);
  assert.equal(view.gradient, null);
});

test("broadcasting that was summed away is told on the edge", () => {
  const end = last(fixture("mlp"));
  const summed = end.edges.filter((edge) => edge.summed);
  assert.equal(summed.length, 1);
  assert.deepEqual(summed[0]!.summed, { from_shape: [4, 4], dims: [0] });
});

test("phases cover the film without gaps; operations recorded by create_graph belong to their pass", () => {
  for (const name of fixtureNames) {
    const model = fixture(name);
    let end = 0;
    for (const run of phases(model)) {
      assert.equal(run.from, end);
      end = run.to;
    }
    assert.equal(end, model.document.events.length);
  }
  assert.deepEqual(
    phases(fixture("3.2-c1")).map(({ phase }) => [phase.kind, phase.pass]),
    [
      ["building", 0],
      ["backward", 1],
      ["backward", 2],
    ],
  );
  assert.deepEqual(
    phases(fixture("sgd"))
      .slice(0, 4)
      .map(({ phase }) => phase.kind),
    ["building", "update", "building", "backward"],
  );
});

test("the invitation to the backward pass begins just before it", () => {
  const model = fixture("3.1-c1");
  assert.equal(model.document.events[firstBackward(model)!]!.type, "backward_begin");
  const built = fixture("0-c1");
  built.document.events.length = 2;
  assert.equal(firstBackward(built), null);
});

test("an operation of a run that was only counted appears with the first event that speaks of it", () => {
  const model = fixture("0-c1");
  const [id] = model.functions.keys();
  const { document } = model;
  document.edges = document.edges.filter((edge) => edge.from !== id && edge.to !== id);
  const made = document.events.findIndex((event) => event.type === "create" && event.nodes.includes(id!));
  const [event] = document.events.splice(made, 1);
  document.events.unshift({ ...event, span: null } as (typeof document.events)[number]);
  const counted = buildModel(document);
  const visited = document.events.findIndex((e) => e.type === "visit") + 1;
  assert.equal(play(counted, 1).functions.get(id!)!.exists, false);
  assert.equal(play(counted, visited - 1).functions.get(id!)!.exists, false);
  assert.equal(play(counted, visited).functions.get(id!)!.exists, true);
});
