/**
 * Runs before the first paint, from <head>: puts the chosen or the system's theme on <html>.
 * Kept apart from main.ts because a deferred script would show the wrong theme for a moment.
 */
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = (): void => {
    let choice: string | null = null;
    try {
      choice = localStorage.getItem("gradlens:theme");
    } catch {
      // Storage can be forbidden; the system's theme is right then.
    }
    const theme = choice === "light" || choice === "dark" ? choice : system.matches ? "dark" : "light";
    document.documentElement.dataset["theme"] = theme;
  };
  apply();
  system.addEventListener("change", apply);
  addEventListener("gl-theme-change", apply);
  addEventListener("storage", apply);
})();
