/** Entry of every page: defines the elements and connects what spans the page. */
import "./theme-switch";
import "./cell";
import "./toolbar";
import { connectBrushing } from "./brush";
import { connectPlace } from "./place";
import { renderLines } from "./highlight";
import { connectQuizzes } from "./quiz";
import { connectVisuals } from "./visual";

connectPlace();
connectBrushing();
connectVisuals();
connectQuizzes();

for (const code of document.querySelectorAll(".listing > .language-python")) {
  code.replaceChildren(...renderLines((code.textContent ?? "").trimEnd(), null));
}

// On a phone the contents fold away again once a section was chosen.
for (const details of document.querySelectorAll<HTMLDetailsElement>(".toc-narrow")) {
  details.addEventListener("click", (event) => {
    if ((event.target as Element).closest("a")) details.open = false;
  });
}
