/** A sentence whose code stands between backquotes, as a template. */

import { html, type TemplateResult } from "lit";

export function sentence(message: string): (TemplateResult | string)[] {
  return message.split("`").map((piece, i) => (i % 2 === 1 ? html`<code>${piece}</code>` : piece));
}
