/** Each step of the film in a sentence or two, for the eye and for the screen reader. */

import { calculation } from "./calculate";
import type { CreateEvent, FunctionNode, Id, VisitEvent } from "./document";
import { isUndated, labelOf, type GraphModel } from "./model";
import { bytesText, factor, isScalar, shortNumber, shortValue } from "./numbers";
import { walk, type ViewState } from "./player";
import type { Lang } from "./strings";

/** Which of two texts; the English one comes first everywhere in this file. */
type Say = (en: string, zh: string) => string;

/** What happened in the step that led to `state`. Plain text; code is between backquotes. */
export function messageOf(model: GraphModel, state: ViewState, lang: Lang): string {
  const say: Say = (en, zh) => (lang === "zh" ? zh : en);
  const name = (id: Id | null): string => (id === null ? "?" : `\`${labelOf(model, id)}\``);
  const { event } = state;
  if (!event) return say("The stage is empty: nothing has run yet.", "还什么都没有运行。");
  switch (event.type) {
    case "create":
      return created(model, state, event, say);
    case "mutate": {
      const value = shortValue(event.value);
      if (model.document.truncated && event.span === null)
        return say(
          `After the steps that are not drawn, ${name(event.node)} is ${value}.`,
          `中间有些步骤没有画出来；到最后，${name(event.node)} 是 ${value}。`,
        );
      return say(
        `${name(event.node)} was changed in place: now ${value}, version ${event.version}.`,
        `${name(event.node)} 被原地修改：现在是 ${value}，版本 ${event.version}。`,
      );
    }
    case "backward_begin": {
      const roots = event.roots.map(name).join(", ");
      const call = event.call === "grad" ? "`autograd.grad`" : "`backward()`";
      const start = event.gradients.map((g) => (g ? shortValue(g) : "1")).join(", ");
      const kept = event.create_graph
        ? say(" The gradient's own graph will be recorded (create_graph).", " 梯度自己的图也会被记录（create_graph）。")
        : event.retain_graph
          ? say(" What was saved will be kept (retain_graph).", " 保存的东西不会释放（retain_graph）。")
          : "";
      return say(
        `Backward pass ${event.pass}: ${call} starts at ${roots} with gradient ${start}.${kept}`,
        `第 ${event.pass} 次反向传播：${call} 从 ${roots} 出发，起点的梯度是 ${start}。${kept}`,
      );
    }
    case "visit":
      return visited(model, state, event, say);
    case "accumulate": {
      const leaf = labelOf(model, event.tensor);
      const before = event.before ? shortValue(event.before) : "None";
      const sum = `${before} + ${factor(shortValue(event.added))} = ${shortValue(event.after)}`;
      const parts = state.tensors.get(event.tensor)?.arrivals ?? [];
      const from =
        parts.length > 1 && parts.every(({ grad }) => isScalar(grad))
          ? say(
              ` ${parts.length} paths lead here: ${sumText(parts.map(({ grad }) => shortValue(grad)))} = ${shortValue(event.added)}.`,
              ` 有 ${parts.length} 条路通到这里：${sumText(parts.map(({ grad }) => shortValue(grad)))} = ${shortValue(event.added)}。`,
            )
          : "";
      return say(
        `The gradient reaches the leaf: \`${leaf}.grad\`: ${sum}.${from}`,
        `梯度到达叶子：\`${leaf}.grad\`：${sum}。${from}`,
      );
    }
    case "free": {
      const names = event.names.map((n) => `\`${n}\``).join(", ");
      const made = model.functions.get(event.node)?.name ?? event.node;
      return say(
        `${made} (${name(event.node)}) let go of what it had saved: ${names}, ${bytesText(event.nbytes)}.`,
        `${made}（${name(event.node)}）释放了它保存的 ${names}，共 ${bytesText(event.nbytes)}。`,
      );
    }
    case "backward_end": {
      if (event.error !== null) {
        const where =
          event.node === null ? "" : `: ${model.functions.get(event.node)?.name ?? ""} (${name(event.node)})`;
        const why = reason(event.error, say);
        return say(
          `Backward pass ${event.pass} failed here${where}. ${why}`,
          `第 ${event.pass} 次反向传播在这里失败${where}。${why}`,
        );
      }
      const results = event.results
        .filter((r) => r.tensor !== null)
        .map((r) => `∂/∂${labelOf(model, r.tensor!)} = ${r.grad ? shortValue(r.grad) : "None"}`);
      const returned =
        results.length > 0 ? say(` It returned ${results.join(", ")}.`, ` 返回 ${results.join("，")}。`) : "";
      return say(`Backward pass ${event.pass} is done.${returned}`, `第 ${event.pass} 次反向传播结束。${returned}`);
    }
    case "zero_grad": {
      const names = event.tensors.slice(0, 6).map(name).join(", ") + (event.tensors.length > 6 ? " …" : "");
      const to = event.set_to_none ? "None" : "0";
      return say(`.grad of ${names} was cleared: ${to} again.`, `${names} 的 .grad 被清掉，重新变成 ${to}。`);
    }
    case "step": {
      const changes = event.changes.slice(0, 4).map((c) => {
        return isScalar(c.after)
          ? `${name(c.tensor)} ${shortValue(c.before)} → ${shortValue(c.after)}`
          : name(c.tensor);
      });
      const more = event.changes.length > 4 ? " …" : "";
      return say(
        `The optimizer (${event.optimizer}) took a step: ${changes.join(", ")}${more}.`,
        `优化器（${event.optimizer}）走了一步：${changes.join("，")}${more}。`,
      );
    }
  }
}

/** PyTorch's error in words that fit the picture; the cell's output has the full text. */
function reason(error: string, say: Say): string {
  if (error.startsWith("Trying to backward through the graph a second time")) {
    return say(
      "What it had saved was freed by an earlier pass. `retain_graph=True` in that pass would have kept it.",
      "它保存的东西在前一次反向传播之后已经释放。那一次加上 `retain_graph=True` 就会留着。",
    );
  }
  const [, now, saved] =
    /modified by an inplace operation.* is at version (\d+); expected version (\d+)/s.exec(error) ?? [];
  if (now === undefined) return firstSentence(error);
  return say(
    `Something it had saved was changed in place afterwards (saved at version ${saved}, now at ${now}), so its derivative can no longer be computed.`,
    `它保存的张量后来被原地改过（保存时是版本 ${saved}，现在是版本 ${now}），导数算不出来了。`,
  );
}

function firstSentence(message: string): string {
  return /^[\s\S]{20,160}?[.!:](?=\s|$)/.exec(message)?.[0] ?? message.slice(0, 160);
}

/** Sentences for every step from 1, for the table. */
export function allMessages(model: GraphModel, lang: Lang): string[] {
  const messages: string[] = [];
  walk(model, (state) => messages.push(messageOf(model, state, lang)));
  return messages;
}

/** Names at most this many of the nodes that appear together. */
const MOST_NAMED = 4;

function created(model: GraphModel, state: ViewState, event: CreateEvent, say: Say): string {
  if (event.span === null) return alreadyThere(model, state, event, say);
  const made = event.nodes.map((id) => model.functions.get(id)).filter((f): f is FunctionNode => f !== undefined);
  if (made.length > 0)
    return made
      .slice(0, MOST_NAMED)
      .map((f) => ran(model, f, say))
      .join(" ");
  const tensors = event.nodes.filter((id) => model.tensors.has(id));
  return listed(
    tensors.map((id) => tensorLine(model, state, id, say)),
    say,
  );
}

/** What the cell found when it began: made in an earlier cell. */
function alreadyThere(model: GraphModel, state: ViewState, event: CreateEvent, say: Say): string {
  const nodes = event.nodes.filter((id) => !isUndated(model, id) && !model.accumulates.has(id));
  if (nodes.length === 0) return say("The cell begins.", "单元格开始运行。");
  const lines = nodes.map((id) =>
    model.tensors.has(id) ? tensorLine(model, state, id, say) : `\`${labelOf(model, id)}\``,
  );
  return `${say("From an earlier cell: ", "来自前面的单元格：")}${listed(lines, say)}`;
}

function tensorLine(model: GraphModel, state: ViewState, id: Id, say: Say): string {
  const node = model.tensors.get(id)!;
  const label = node.name === null ? say("a tensor", "一个张量") : `\`${node.name}\``;
  const value = shortValue(state.tensors.get(id)!.value);
  if (!node.requires_grad) return say(`${label} = ${value}, no gradient needed`, `${label} = ${value}，不需要梯度`);
  if (!node.is_leaf) return `${label} = ${value}`;
  return say(`${label} = ${value}, a leaf that requires a gradient`, `${label} = ${value}，需要梯度的叶子`);
}

function listed(lines: string[], say: Say): string {
  const more = lines.length - MOST_NAMED;
  const rest = more > 0 ? say(`; and ${more} more`, `；另有 ${more} 个`) : "";
  return lines.slice(0, MOST_NAMED).join(say("; ", "；")) + rest + say(".", "。");
}

function ran(model: GraphModel, made: FunctionNode, say: Say): string {
  const results = (model.results.get(made.id) ?? []).map((edge) => {
    const tensor = model.tensors.get(edge.to)!;
    const value = shortValue(tensor.value);
    return tensor.name ? `\`${tensor.name}\` = ${value}` : value;
  });
  const saved = made.saved.map((s) => {
    const label = s.tensor === null ? null : model.tensors.get(s.tensor)?.name;
    return label && label !== s.name ? `\`${s.name}\` (${label})` : `\`${s.name}\``;
  });
  const nbytes = bytesText(made.saved.reduce((sum, s) => sum + s.nbytes, 0));
  const kept =
    saved.length > 0
      ? say(
          `${made.name} saved ${saved.join(", ")} for the way back (${nbytes}).`,
          `${made.name} 为反向保存了 ${saved.join("、")}（${nbytes}）。`,
        )
      : say(`${made.name} needs to save nothing.`, `${made.name} 什么都不用保存。`);
  const label = `\`${labelOf(model, made.id)}\``;
  if (made.order > 1) {
    const where = say(
      `In the gradient's own graph (storey ${made.order}), ${label} ran`,
      `在梯度自己的图里（第 ${made.order} 层）运行 ${label}`,
    );
    return `${where}${say(": ", "：")}${results.join(", ")}${say(". ", "。")}${kept}`;
  }
  const value = results.length > 0 ? say(`: ${results.join(", ")}`, `：${results.join("，")}`) : "";
  return say(`${label} ran${value}. ${kept}`, `运行 ${label}${value}。${kept}`);
}

function visited(model: GraphModel, state: ViewState, event: VisitEvent, say: Say): string {
  const made = model.functions.get(event.node);
  if (!made) return say("The gradient passes on.", "梯度继续往回走。");
  const arrived = event.grad_in.filter((g) => g !== null).map((g) => shortValue(g));
  const out = contributions(model, state, made).map((one) => {
    const { to, result } = one;
    const how = one.calculation === null ? result : `${one.calculation} = ${result}`;
    return say(`${how} goes to \`${to}\``, `${how} 传给 \`${to}\``);
  });
  const label = labelOf(model, made.id);
  const called = label === made.name ? made.name : say(`${made.name} (\`${label}\`)`, `${made.name}（\`${label}\`）`);
  if (out.length === 0) out.push(...passedOn(model, event, say));
  const sent =
    out.length > 0
      ? out.join(say("; ", "；")) + say(".", "。")
      : say("No operand needs a gradient.", "没有操作数需要梯度。");
  return say(
    `Gradient ${arrived.join(", ") || "None"} arrived at ${called}. ${sent}`,
    `梯度 ${arrived.join("，") || "None"} 到达 ${called}。${sent}`,
  );
}

/** Where the gradient goes from an operation whose operands were not recorded. */
function passedOn(model: GraphModel, event: VisitEvent, say: Say): string[] {
  return event.grad_out.flatMap(({ to, grad }) => {
    if (to === null || grad === null) return [];
    return [
      say(
        `${shortValue(grad)} goes to \`${labelOf(model, to)}\``,
        `${shortValue(grad)} 传给 \`${labelOf(model, to)}\``,
      ),
    ];
  });
}

export interface Contribution {
  slot: number;
  /** What to call the operand it goes to. */
  to: string;
  /** The engine's expression, `grad * other`. */
  formula: string | null;
  /** The expression with scalars put in, `1 × (−2)`; null when it cannot be written with short numbers. */
  calculation: string | null;
  result: string;
}

/** What a visited function sends to each operand that needs a gradient, with the numbers put into its formula. */
export function contributions(model: GraphModel, state: ViewState, made: FunctionNode): Contribution[] {
  const found: Contribution[] = [];
  const result = model.results.get(made.id)?.[0];
  const gradIn = result ? state.edges[result.index]!.gradient : null;
  for (const edge of model.operands.get(made.id) ?? []) {
    const { gradient } = state.edges[edge.index]!;
    if (!gradient) continue;
    const formula = made.formula.find((f) => f.slot === edge.slot)?.text ?? null;
    const known = new Map<string, string>();
    if (gradIn && isScalar(gradIn)) known.set("grad", shortValue(gradIn));
    for (const saved of made.saved) {
      if (saved.value && isScalar(saved.value)) known.set(saved.name, shortValue(saved.value));
    }
    for (const [attribute, written] of [...Object.entries(made.attributes), ...literals(made)]) {
      if (Number.isFinite(Number(written))) known.set(attribute, shortNumber(Number(written)));
    }
    found.push({
      slot: edge.slot,
      to: labelOf(model, edge.from),
      formula,
      calculation: formula === null ? null : calculation(formula, known),
      result: shortValue(gradient),
    });
  }
  return found;
}

function literals(made: FunctionNode): [string, string][] {
  return made.inputs.filter((i) => i.tensor === null && i.text !== null).map((i) => [i.name, i.text!]);
}

/** `120 + 24`, `0 + (−2)`. */
export function sumText(parts: readonly string[]): string {
  return parts.map((part, i) => (i === 0 ? part : factor(part))).join(" + ");
}
