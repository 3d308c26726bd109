/** Moving and zooming the picture: drag, pinch, Ctrl + wheel, buttons. Only a transform changes while a gesture runs. */

export interface Camera {
  x: number;
  y: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

const LEAST = 0.15;
const MOST = 4;
/** A pointer that moved less than this many pixels was a click. */
const CLICK_SLACK = 4;
/** Width in pixels of the fading of a side beyond which the graph goes on. */
const FADE = 40;

export class Viewport {
  camera: Camera = { x: 0, y: 0, scale: 1 };
  /** The scale at which the whole graph fits, and the one to begin with: smaller would be unreadable. */
  private fitted = 1;
  private readable = 1;
  private stage: Size = { width: 1, height: 1 };
  private content: Size = { width: 1, height: 1 };
  private pointers = new Map<number, { x: number; y: number }>();
  private moved = 0;
  /** The learner chose a view of their own: keep it when the stage is measured again. */
  private own = false;

  /** `changed` is called after each change, to put the transform on the picture. */
  constructor(private readonly changed: () => void) {}

  get transform(): string {
    const { x, y, scale } = this.camera;
    return `translate(${round(x)} ${round(y)}) scale(${Math.round(scale * 1000) / 1000})`;
  }

  /** True when the last press moved the picture, so its click must not open a node. */
  get dragged(): boolean {
    return this.moved > CLICK_SLACK;
  }

  /** One finger scrolls the page while the whole graph is in view, else it moves the graph. */
  get holdsTouch(): boolean {
    return this.camera.scale > this.fitted * 1.01;
  }

  /** How many pixels of the graph lie beyond each side of the stage. */
  get beyond(): { left: number; right: number; top: number; bottom: number } {
    const { x, y, scale } = this.camera;
    return {
      left: Math.max(0, -x),
      right: Math.max(0, x + this.content.width * scale - this.stage.width),
      top: Math.max(0, -y),
      bottom: Math.max(0, y + this.content.height * scale - this.stage.height),
    };
  }

  /** Sizes in pixels of the stage and of the graph at scale 1. A view that was moved stays until one of them changes. */
  resize(stage: Size, content: Size, scales: { fitted: number; readable: number }): void {
    const same = equal(content, this.content) && equal(stage, this.stage);
    this.stage = stage;
    this.content = content;
    this.fitted = scales.fitted;
    this.readable = scales.readable;
    if (same && this.own) return;
    this.own = false;
    this.place(this.readable);
  }

  fit(): void {
    this.own = true;
    this.place(this.fitted);
  }

  /** Scale 1, around the middle. */
  reset(): void {
    this.own = true;
    this.place(1);
  }

  zoom(by: number, at = { x: this.stage.width / 2, y: this.stage.height / 2 }): void {
    const scale = Math.min(MOST, Math.max(LEAST, this.camera.scale * by));
    const ratio = scale / this.camera.scale;
    this.own = true;
    this.camera = { x: at.x - (at.x - this.camera.x) * ratio, y: at.y - (at.y - this.camera.y) * ratio, scale };
    this.changed();
  }

  /** Moves just enough that a box of the graph (in its own units) is inside the stage, clear of a side that fades. */
  reveal(box: { x: number; y: number; width: number; height: number }): void {
    const { scale } = this.camera;
    const shift = (from: number, size: number, camera: number, room: number, content: number) => {
      const start = from * scale + camera;
      const end = start + size * scale;
      const clear = Math.max(8, Math.min(FADE + 8, (room - size * scale) / 2));
      if (start < clear) return Math.min(clear - start, Math.max(0, -camera, 8 - start));
      const over = Math.min(end - room + clear, Math.max(0, camera + content * scale - room, end - room + 8));
      return over > 0 ? -Math.min(over, start - clear) : 0;
    };
    const dx = shift(box.x, box.width, this.camera.x, this.stage.width, this.content.width);
    const dy = shift(box.y, box.height, this.camera.y, this.stage.height, this.content.height);
    if (dx === 0 && dy === 0) return;
    this.own = true;
    this.pan(dx, dy);
  }

  wheel(event: WheelEvent, origin: DOMRect): void {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
    this.zoom(Math.exp(-pixels * 0.004), { x: event.clientX - origin.left, y: event.clientY - origin.top });
  }

  down(event: PointerEvent): void {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    if (this.pointers.size === 0) this.moved = 0;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  move(event: PointerEvent, origin: DOMRect): void {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    this.moved += Math.hypot(now.x - before.x, now.y - before.y);
    if (other) {
      const ratio = distance(now, other) / Math.max(1, distance(before, other));
      this.zoom(ratio, { x: (now.x + other.x) / 2 - origin.left, y: (now.y + other.y) / 2 - origin.top });
    } else if (this.dragged && (event.pointerType === "mouse" || this.holdsTouch)) {
      this.own = true;
      if (event.target instanceof Element) event.target.setPointerCapture?.(event.pointerId);
      this.pan(now.x - before.x, now.y - before.y);
    }
  }

  up(event: PointerEvent): void {
    this.pointers.delete(event.pointerId);
  }

  private pan(dx: number, dy: number): void {
    this.camera = { ...this.camera, x: this.camera.x + dx, y: this.camera.y + dy };
    this.changed();
  }

  private place(scale: number): void {
    const spare = (room: number, size: number) => Math.max((room - size * scale) / 2, 0);
    this.camera = {
      x: spare(this.stage.width, this.content.width),
      y: spare(this.stage.height, this.content.height),
      scale,
    };
    this.changed();
  }
}

/** Puts the camera on the stage. Sides beyond which the graph goes on fade; a few pixels there are only its margin. */
export function showCamera(stage: SVGSVGElement, viewport: Viewport): void {
  stage.querySelector(".gl-camera")?.setAttribute("transform", viewport.transform);
  stage.classList.toggle("holds-touch", viewport.holdsTouch);
  const sides = Object.entries(viewport.beyond).map(([side, pixels]) => [side, pixels > 12] as const);
  for (const [side, cut] of sides) stage.style.setProperty(`--fade-${side}`, cut ? `${FADE}px` : "0px");
  stage.classList.toggle(
    "is-cut",
    sides.some(([, cut]) => cut),
  );
}

function distance(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function equal(a: Size, b: Size): boolean {
  return Math.abs(a.width - b.width) < 1 && Math.abs(a.height - b.height) < 1;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
