/** One node in words, for the screen reader and the tables. */

import type { Id } from "./document";
import { labelOf, type GraphModel } from "./model";
import { shapeText, shortValue } from "./numbers";
import type { ViewState } from "./player";
import { text, type Lang, type StringKey } from "./strings";

/** What kind of thing a node is, in one word. */
export function kindOf(model: GraphModel, id: Id, lang: Lang): string {
  const tensor = model.tensors.get(id);
  if (!tensor) return text(lang, "function");
  const key: StringKey = tensor.role === "constant" && tensor.requires_grad ? "leaf" : tensor.role;
  return text(lang, key);
}

/** `x, Leaf, Value 0, .grad −2`: all that the picture says about a node at this step. */
export function describe(model: GraphModel, state: ViewState, id: Id, lang: Lang): string {
  const comma = lang === "zh" ? "，" : ", ";
  const made = model.functions.get(id);
  if (made) {
    const view = state.functions.get(id)!;
    const saved = made.saved.map((s) => s.name).join(" ");
    const drawers = saved
      ? [`${text(lang, "saved")}: ${saved} (${text(lang, view.freed ? "savedFreed" : "savedKept")})`]
      : [];
    const failed = view.failed ? [text(lang, "failed")] : [];
    return [made.name, labelOf(model, id), ...drawers, ...failed].join(comma);
  }
  const tensor = model.tensors.get(id);
  const view = state.tensors.get(id);
  if (!tensor || !view) return id;
  const shape = tensor.shape.length > 0 ? [`${text(lang, "shape")} ${shapeText(tensor.shape)}`] : [];
  const parts = [
    labelOf(model, id),
    kindOf(model, id, lang),
    ...shape,
    `${text(lang, "value")} ${shortValue(view.value)}`,
  ];
  if (tensor.requires_grad) {
    if (view.grad || tensor.is_leaf || !view.passing) parts.push(`.grad ${view.grad ? shortValue(view.grad) : "None"}`);
    if (!view.grad && view.passing) parts.push(`${text(lang, "gradPassing")} ${shortValue(view.passing)}`);
  }
  return parts.join(comma);
}
