/** <gl-theme>: follow the system, light, or dark. The choice is kept in this browser. */
import { LitElement, html, svg, type TemplateResult } from "lit";
import { pageLang, text } from "./i18n";
import { readText, writeText } from "./storage";

type Choice = "system" | "light" | "dark";

const key = "gradlens:theme";

const icons: Record<Choice, TemplateResult> = {
  system: svg`<path d="M2.5 3h11A1.5 1.5 0 0 1 15 4.500v5A1.500 1.500 0 0 1 13.500 11H9v1.500h2V14H5v-1.500h2V11H2.500A1.500 1.500 0 0 1 1 9.500v-5A1.500 1.500 0 0 1 2.500 3Zm0 1.500v5h11v-5Z"/>`,
  light: svg`<circle cx="8" cy="8" r="3.2"/><path d="M7.300 0h1.400v2.600H7.300zM7.300 13.400h1.400V16H7.300zM0 7.300h2.600v1.400H0zM13.400 7.300H16v1.400h-2.600zM2 3l1-1 1.800 1.800-1 1zM11.200 12.200l1-1L14 13l-1 1zM2 13l1.800-1.800 1 1L3 14zM11.200 3.800 13 2l1 1-1.800 1.800z"/>`,
  dark: svg`<path d="M13.900 10.300A6.300 6.300 0 0 1 5.700 2.100a6.300 6.300 0 1 0 8.200 8.200Z"/>`,
};

export class ThemeSwitch extends LitElement {
  private choice: Choice = "system";

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const stored = readText(localStorage, key);
    this.choice = stored === "light" || stored === "dark" ? stored : "system";
  }

  protected override render(): TemplateResult {
    const t = text(pageLang());
    const labels: Record<Choice, string> = { system: t.themeSystem, light: t.themeLight, dark: t.themeDark };
    return html`<div class="theme-switch" role="group" aria-label=${t.theme}>
      ${(Object.keys(icons) as Choice[]).map(
        (choice) => html`<button
          type="button"
          title=${labels[choice]}
          aria-label=${labels[choice]}
          aria-pressed=${String(choice === this.choice)}
          @click=${() => this.choose(choice)}
        >
          <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${icons[choice]}</svg>
        </button>`,
      )}
    </div>`;
  }

  private choose(choice: Choice): void {
    this.choice = choice;
    writeText(localStorage, key, choice === "system" ? null : choice);
    dispatchEvent(new Event("gl-theme-change"));
    this.requestUpdate();
  }
}

customElements.define("gl-theme", ThemeSwitch);
