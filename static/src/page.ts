/** What the parts of a lesson page share: the lesson's name, the session, the storage. */
import { Client } from "./client";
import { pageLang } from "./i18n";
import { PageSession } from "./session";
import { PageStorage } from "./storage";

export interface LessonPage {
  readonly session: PageSession;
  readonly storage: PageStorage;
}

let page: LessonPage | null = null;

/** The page's own; made when the first cell asks for it. */
export function lessonPage(): LessonPage {
  if (!page) {
    const lesson = document.querySelector<HTMLElement>("[data-lesson]")?.dataset["lesson"] ?? "";
    const storage = new PageStorage(lesson, pageLang());
    page = { storage, session: new PageSession(new Client(), lesson, storage) };
  }
  return page;
}
