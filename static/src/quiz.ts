/** Quizzes: choosing an option says at once whether it is right, and unfolds the explanation. */
import { text } from "./i18n";

export function connectQuizzes(): void {
  document.addEventListener("change", (event) => {
    const input = event.target as HTMLElement;
    const option = input.closest<HTMLElement>(".quiz-option");
    const quiz = option?.closest<HTMLElement>(".quiz");
    if (!option || !quiz) return;
    const right = option.dataset["correct"] === "true";
    for (const other of quiz.querySelectorAll<HTMLElement>(".quiz-option")) {
      other.classList.toggle("right", other === option && right);
      other.classList.toggle("wrong", other === option && !right);
    }
    const verdict = quiz.querySelector<HTMLElement>(".quiz-verdict") ?? addVerdict(quiz);
    verdict.textContent = right ? text().quizRight : text().quizWrong;
    verdict.classList.toggle("right", right);
    for (const answer of quiz.querySelectorAll<HTMLDetailsElement>(".quiz-answer")) answer.open = true;
  });
}

function addVerdict(quiz: HTMLElement): HTMLElement {
  const verdict = document.createElement("p");
  verdict.className = "quiz-verdict";
  verdict.setAttribute("role", "status");
  quiz.querySelector(".quiz-answer")?.before(verdict);
  return verdict;
}
