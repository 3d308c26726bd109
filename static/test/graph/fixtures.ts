/** The films that the tests play, recorded from the engine by record_fixtures.py: cells of the course and a few more. */

import type { GraphDocument } from "../../src/graph/document";
import { buildModel, type GraphModel } from "../../src/graph/model";
import opening from "./fixtures/0-c1.json";
import linear from "./fixtures/1.1-c1.json";
import parabola from "./fixtures/3.1-c1.json";
import second from "./fixtures/3.2-c1.json";
import walked from "./fixtures/4.1-c1.json";
import chain from "./fixtures/B2-c1.json";
import branches from "./fixtures/B2-c2.json";
import clash from "./fixtures/clash.json";
import hessian from "./fixtures/hessian.json";
import inplace from "./fixtures/inplace.json";
import mlp from "./fixtures/mlp.json";
import sgd from "./fixtures/sgd.json";
import twice from "./fixtures/twice.json";
import views from "./fixtures/views.json";

const documents = {
  "0-c1": opening,
  "1.1-c1": linear,
  "3.1-c1": parabola,
  "3.2-c1": second,
  "4.1-c1": walked,
  "B2-c1": chain,
  "B2-c2": branches,
  clash,
  hessian,
  inplace,
  mlp,
  sgd,
  twice,
  views,
};

export type FixtureName = keyof typeof documents;
export const fixtureNames = Object.keys(documents) as FixtureName[];

/** A fresh copy, so that a test may change its film. */
export function fixture(name: FixtureName): GraphModel {
  return buildModel(structuredClone(documents[name]) as unknown as GraphDocument);
}

/** A chain of `steps` runs of `h = h * w`, so that graphs of any length can be folded and laid out. */
export function chainOf(steps: number): GraphModel {
  const scalar = {
    shape: [],
    dtype: "torch.float32",
    text: "1.",
    numbers: [1],
    complete: true,
    min: 1,
    max: 1,
    mean: 1,
  };
  const place = (line: number) => ({ cell: "c", line, end_line: line, column: 0, end_column: 9 });
  const tensor = (id: string, name: string | null, leaf: boolean, instance: number) => ({
    id,
    kind: "tensor" as const,
    ...place(leaf ? 1 : 3),
    instance,
    name,
    role: leaf ? ("leaf" as const) : ("intermediate" as const),
    dtype: "torch.float32",
    shape: [],
    requires_grad: true,
    is_leaf: leaf,
    version: 0,
    value: scalar,
    grad: null,
    storage: { id: Number(id.slice(1)), offset: 0, strides: [], nbytes: 4 },
  });
  const document: GraphDocument = {
    version: 1,
    sources: { c: "w = h = leaf()\nfor i in range(n):\n    h = h * w" },
    nodes: [tensor("t1", "w", true, 1), tensor("t2", "h", true, 1)],
    edges: [],
    events: [{ type: "create", nodes: ["t1", "t2"], span: null }],
    truncated: null,
  };
  for (let i = 1; i <= steps; i++) {
    const made = `f${2 * i + 1}`;
    const result = `t${2 * i + 2}`;
    const operand = i === 1 ? "t2" : `t${2 * i}`;
    const input = (name: string, id: string) => ({ name, tensor: id, text: null, next: null, next_slot: 0 });
    document.nodes.push({
      id: made,
      kind: "function",
      ...place(3),
      instance: i,
      op: "mul",
      name: "MulBackward0",
      attributes: {},
      inputs: [input("self", operand), input("other", "t1")],
      formula: [],
      source: null,
      saved: [],
      freed: false,
      order: 1,
    });
    document.nodes.push(tensor(result, null, false, i));
    document.edges.push(
      { from: operand, to: made, slot: 0 },
      { from: "t1", to: made, slot: 1 },
      { from: made, to: result, slot: 0 },
    );
    document.events.push({ type: "create", nodes: [made, result], span: null });
  }
  return buildModel(document);
}
