/** Figures that name a cell: a button that runs it, since the picture is drawn from what really ran. */
import type { LessonCell } from "./cell";
import { text } from "./i18n";
import { lessonPage } from "./page";

export function connectVisuals(): void {
  for (const figure of document.querySelectorAll<HTMLElement>(".visual[data-for]")) {
    const cell = document.querySelector<LessonCell>(`gl-cell[data-cell="${CSS.escape(figure.dataset["for"] ?? "")}"]`);
    if (!cell) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = text().runHere;
    button.addEventListener("click", () => {
      lessonPage().session.enqueue(cell);
      cell.scrollIntoView({ block: "start" });
    });
    figure.append(button);
  }
}
