/** Keeps the reader's place: the current section in the contents, and the same spot in the other language. */
import { readText, writeText } from "./storage";

const key = "gradlens:place";

/** A heading or a cell, which both languages have in the same order, and its distance from the window's top. */
interface Place {
  path: string;
  index: number;
  top: number;
}

export function connectPlace(): void {
  restorePlace();
  const link = document.querySelector<HTMLAnchorElement>("#language-switch");
  link?.addEventListener("click", () => {
    const landmarks = places();
    if (scrollY < 8 || landmarks.length === 0) return;
    let index = landmarks.findLastIndex((element) => element.getBoundingClientRect().top <= innerHeight / 3);
    if (index < 0) index = 0;
    const top = landmarks[index]!.getBoundingClientRect().top;
    const place: Place = { path: new URL(link.href).pathname, index, top };
    writeText(sessionStorage, key, JSON.stringify(place));
  });
  followSections();
}

function places(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("[data-place], gl-cell")];
}

function restorePlace(): void {
  const stored = readText(sessionStorage, key);
  if (!stored) return;
  writeText(sessionStorage, key, null);
  const place = JSON.parse(stored) as Place;
  const target = places()[place.index];
  if (place.path !== location.pathname || !target) return;
  const settle = (): void => scrollBy({ top: target.getBoundingClientRect().top - place.top, behavior: "instant" });
  settle();
  // Cells have taken over their markup by the next frame, which changes heights above the place.
  requestAnimationFrame(settle);
}

/** Marks, in every table of contents, the section that is being read. */
function followSections(): void {
  const headings = [...document.querySelectorAll<HTMLElement>("[data-place][id]")];
  const links = [...document.querySelectorAll<HTMLAnchorElement>("[data-toc] a")];
  if (headings.length === 0 || links.length === 0) return;
  let current = "";
  let waiting = false;
  const mark = (): void => {
    waiting = false;
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const read = headings.findLast((heading) => heading.getBoundingClientRect().top <= innerHeight * 0.3);
    const id = (atEnd && scrollY > 0 ? headings.at(-1) : read)?.id ?? "";
    if (id === current) return;
    current = id;
    for (const link of links) {
      if (decodeURIComponent(link.hash.slice(1)) === id) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
  };
  const later = (): void => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(mark);
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later, { passive: true });
  mark();
}
