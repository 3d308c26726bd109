/** Everything about one node at this step, below the picture. */

import { html, nothing, type TemplateResult } from "lit";
import type { FunctionNode, Id, SourceRef, TensorNode } from "./document";
import { icon } from "./controls";
import { kindOf } from "./describe";
import { highlightPython } from "./highlight";
import { contributions } from "./messages";
import { boxValue, slotText } from "./metrics";
import { labelOf, spanOf, type GraphModel } from "./model";
import { bytesText, shapeText, shortValue } from "./numbers";
import type { FunctionView, TensorView, ViewState } from "./player";
import { text, type Lang, type StringKey } from "./strings";
import { valueView } from "./value-view";

export interface InspectorModel {
  model: GraphModel;
  state: ViewState;
  lang: Lang;
  id: Id;
  close(): void;
  open(id: Id): void;
}

export function inspector(context: InspectorModel): TemplateResult {
  const { model, state, id, lang } = context;
  const tensor = model.tensors.get(id);
  const made = model.functions.get(id);
  const heading = tensor ? labelOf(model, id) : (made?.name ?? id);
  return html`<section class="gl-inspector" aria-label=${`${kindOf(model, id, lang)} ${heading}`} tabindex="-1">
    <header>
      <h3><code>${heading}</code> <small>${kindOf(model, id, lang)}${made ? html` <code>${labelOf(model, id)}</code>` : nothing}</small></h3>
      <button type="button" class="gl-button" aria-label=${text(lang, "close")} title="${text(lang, "close")} (Esc)" @click=${() => context.close()}>${icon("close")}</button>
    </header>
    <div class="gl-inspector-body">
      ${tensor ? tensorDetails(context, tensor, state.tensors.get(id)!) : nothing}
      ${made ? functionDetails(context, made, state.functions.get(id)!) : nothing}
    </div>
  </section>`;
}

function part(lang: Lang, key: StringKey, content: unknown, wide = false): TemplateResult {
  return html`<div class="gl-part ${wide ? "is-wide" : ""}"><h4>${text(lang, key)}</h4>${content}</div>`;
}

function tensorDetails(context: InspectorModel, node: TensorNode, view: TensorView): TemplateResult {
  const { model, lang } = context;
  const producer = model.producer.get(node.id)?.from;
  const aliases = [...model.tensors.values()].filter((t) => t.id !== node.id && t.storage.id === node.storage.id);
  const accumulate = model.accumulateOf.get(node.id);
  const source = accumulate === undefined ? null : (model.accumulates.get(accumulate)?.source ?? null);
  const facts: [string, unknown][] = [
    [text(lang, "dtype"), html`<code>${node.dtype}</code>`],
    [
      text(lang, "shape"),
      html`<code>${shapeText(node.shape)}</code>${node.shape.length === 0 ? ` ${text(lang, "scalar")}` : ""}`,
    ],
    [text(lang, "requiresGrad"), html`<code>${node.requires_grad ? "True" : "False"}</code>`],
    [text(lang, "version"), html`<code>${view.version}</code>`],
    [
      text(lang, "storage"),
      storage(
        node,
        aliases.map((t) => labelOf(model, t.id)),
        lang,
      ),
    ],
  ];
  if (producer !== undefined) facts.push([text(lang, "madeBy"), nodeButton(context, producer)]);
  const uses = [...new Set((model.uses.get(node.id) ?? []).map((edge) => edge.to))];
  if (uses.length > 0) facts.push([text(lang, "usedBy"), uses.slice(0, 8).map((use) => nodeButton(context, use))]);
  return html`
    ${part(lang, "value", valueView(view.value, lang))}
    ${part(lang, "gradAttribute", gradient(context, node, view))}
    ${view.ledger.length > 0 ? part(lang, "ledger", ledger(view, lang)) : nothing}
    ${factsTable([...facts, ...written(context, node.id)])}
    ${source ? sourceView(context, source) : nothing}`;
}

function storage(node: TensorNode, shared: string[], lang: Lang): TemplateResult {
  const strides = node.shape.length > 0 ? `, ${text(lang, "strides")} ${shapeText(node.storage.strides)}` : "";
  const others = shared.length > 0 ? `, ${text(lang, "sharedWith", { names: shared.slice(0, 5).join(", ") })}` : "";
  return html`${bytesText(node.storage.nbytes)}${strides}${others}`;
}

/** `.grad`, or why it is None at this moment. */
function gradient({ state, lang }: InspectorModel, node: TensorNode, view: TensorView): TemplateResult {
  if (view.grad) return valueView(view.grad, lang);
  if (!node.requires_grad) return html`<p>${text(lang, "gradNotNeeded")}</p>`;
  if (view.passing && !node.is_leaf) {
    return html`<p>${text(lang, "gradNotLeaf", { g: boxValue(view.passing) })}</p>${valueView(view.passing, lang)}`;
  }
  if (view.arrivals.length > 0) return html`<p>${text(lang, "gradArriving", { parts: slotText(view) })}</p>`;
  if (view.ledger.at(-1)?.kind === "zero") return html`<p>${text(lang, "gradCleared")}</p>`;
  return html`<p>${text(lang, state.pass === null ? "gradNotYet" : "gradUnused")}</p>`;
}

function ledger(view: TensorView, lang: Lang): TemplateResult {
  return html`<ol class="gl-account">
    ${view.ledger.map((entry) =>
      entry.kind === "zero"
        ? html`<li class="is-ruled">zero_grad → ${entry.toNone ? "None" : "0"}</li>`
        : html`<li>${text(lang, "call", { n: entry.pass })}: <code>${entry.before ? shortValue(entry.before) : "None"} + ${shortValue(entry.added)} = ${shortValue(entry.after)}</code></li>`,
    )}
  </ol>`;
}

function functionDetails(context: InspectorModel, node: FunctionNode, view: FunctionView): TemplateResult {
  const { model, lang } = context;
  const operands = node.inputs.map((input) =>
    input.tensor !== null && model.tensors.has(input.tensor)
      ? html`<li>${input.name} = ${nodeButton(context, input.tensor)}</li>`
      : html`<li>${input.name} = <code>${input.text ?? "?"}</code></li>`,
  );
  const results = (model.results.get(node.id) ?? []).map((edge) => html`<li>${nodeButton(context, edge.to)}</li>`);
  const attributes: [string, unknown][] = Object.entries(node.attributes).map(([name, value]) => [
    name,
    html`<code>${value}</code>`,
  ]);
  return html`
    ${part(lang, "operands", html`<ul class="gl-list">${operands}</ul>`)}
    ${part(lang, "results", html`<ul class="gl-list">${results}</ul>`)}
    ${part(lang, "saved", saved(context, node, view))}
    ${view.visited ? part(lang, "rule", rule(context, node)) : nothing}
    ${node.formula.length > 0 ? part(lang, "derivative", formulas(node, lang)) : nothing}
    ${factsTable([...attributes, ...written(context, node.id)])}
    ${node.source ? sourceView(context, node.source) : html`<p class="gl-part is-wide">${text(lang, "sourceMissing")}</p>`}`;
}

function saved({ model, lang }: InspectorModel, node: FunctionNode, view: FunctionView): TemplateResult {
  if (node.saved.length === 0) return html`<p>${text(lang, "savedNothing")}</p>`;
  return html`<ul class="gl-saved">
    ${node.saved.map((one) => {
      const label = one.tensor === null ? null : labelOf(model, one.tensor);
      return html`<li class=${view.freed ? "is-freed" : ""}>
        <code>${one.name}</code>${label && label !== one.name ? html` <span>(${label})</span>` : nothing}
        ${one.value && !view.freed ? html`= <code>${shortValue(one.value)}</code>` : nothing}
        <small>${bytesText(one.nbytes)} · ${text(lang, view.freed ? "savedFreed" : "savedKept")}</small>
      </li>`;
    })}
  </ul>`;
}

/** The local rule with this pass's numbers: gradient in × local derivative = contribution. */
function rule({ model, state, lang }: InspectorModel, node: FunctionNode): TemplateResult {
  const result = model.results.get(node.id)?.[0];
  const arrived = result ? state.edges[result.index]!.gradient : null;
  return html`${arrived ? html`<p>${text(lang, "gradIn")} <code>grad</code> = ${valueView(arrived, lang)}</p>` : nothing}
    <ul class="gl-list">
      ${contributions(model, state, node).map((one) => {
        const edge = model.operands.get(node.id)!.find((e) => e.slot === one.slot)!;
        const { summed, gradient: sent } = state.edges[edge.index]!;
        return html`<li>→ <code>${one.to}</code>: ${one.calculation ? html`<code>${one.calculation}</code> = ` : nothing}${valueView(sent!, lang)}
          ${summed ? html`<small>${text(lang, "summedAway", { dims: summed.dims.join(", "), shape: shapeText(summed.from_shape) })}</small>` : nothing}</li>`;
      })}
    </ul>`;
}

function formulas(node: FunctionNode, lang: Lang): TemplateResult {
  return html`<ul class="gl-formulas">
    ${node.formula.map(
      (one) => html`<li class=${one.needed ? "" : "is-unneeded"}>
        <span class="gl-formula-for">∂ ${one.input}</span>
        ${one.latex === null ? nothing : html`<span class="gl-formula" data-latex=${one.latex}></span>`}
        <code>${one.text}</code>
        ${one.needed ? nothing : html`<small>${text(lang, "notNeeded")}</small>`}
      </li>`,
    )}
  </ul>`;
}

function factsTable(facts: [string, unknown][]): TemplateResult | typeof nothing {
  if (facts.length === 0) return nothing;
  return html`<dl class="gl-facts gl-part">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function written({ model, lang }: InspectorModel, id: Id): [string, unknown][] {
  const node = model.tensors.get(id) ?? model.functions.get(id);
  const span = spanOf(node);
  if (!node || !span) return [];
  const where = text(lang, "cellLine", { cell: span.cell, line: span.line });
  const times = node.instance > 1 ? ` · ${text(lang, "instance", { n: node.instance })}` : "";
  return [[text(lang, "madeAt"), where + times]];
}

function nodeButton({ model, open }: InspectorModel, id: Id): TemplateResult {
  const made = model.functions.get(id);
  const label = made ? made.name : labelOf(model, id);
  return html`<button type="button" class="gl-link" @click=${() => open(id)}><code>${label}</code></button> `;
}

function sourceView({ model, lang }: InspectorModel, source: SourceRef): TemplateResult {
  const written = model.sources.get(`${source.file}:${source.line}`) ?? text(lang, "sourceMissing");
  const code = highlightPython(written.replace(/\n$/, ""));
  return html`<figure class="gl-source gl-part is-wide">
    <figcaption>${text(lang, "source")}: <code>${source.file}:${source.line}</code></figcaption>
    <pre tabindex="0"><code>${code.map(({ kind, text: piece }) => (kind === "plain" ? piece : html`<span class="gl-py-${kind}">${piece}</span>`))}</code></pre>
  </figure>`;
}

/** Typesets the formulas under `root`; KaTeX is fetched with the first one. What it cannot set stays as text. */
export async function typeset(root: ParentNode): Promise<void> {
  const waiting = [...root.querySelectorAll<HTMLElement>(".gl-formula")].filter(
    (el) => el.dataset["done"] !== el.dataset["latex"],
  );
  if (waiting.length === 0) return;
  const { default: katex } = await import("katex");
  for (const element of waiting) {
    const latex = element.dataset["latex"] ?? "";
    element.dataset["done"] = latex;
    katex.render(latex, element, { throwOnError: false, trust: false, strict: "ignore", maxExpand: 200, maxSize: 20 });
  }
}
