// Before and after, one over the other: a slider between them, magnification and pan shared by any number of stages.

const MOST = 32;

// Where all stages look: the centre in parts of the picture, and the magnification over fitting it in.
export class Camera {
  constructor() {
    this.stages = new Set();
    this.reset();
  }

  reset() {
    this.x = 0.5;
    this.y = 0.5;
    this.zoom = 1;
    this.apply();
  }

  move(dx, dy) {
    this.x = Math.min(1, Math.max(0, this.x + dx));
    this.y = Math.min(1, Math.max(0, this.y + dy));
    this.apply();
  }

  magnify(factor, at = { x: this.x, y: this.y }) {
    const before = this.zoom;
    this.zoom = Math.min(MOST, Math.max(1, this.zoom * factor));
    const kept = before / this.zoom;
    this.x = at.x + (this.x - at.x) * kept;
    this.y = at.y + (this.y - at.y) * kept;
    if (this.zoom === 1) this.x = this.y = 0.5;
    this.move(0, 0);
  }

  apply() {
    for (const stage of this.stages) stage.apply();
  }
}

export class Stage {
  // `box` holds .layer.before > img and .layer.after > img.
  constructor(box, camera) {
    this.box = box;
    this.camera = camera;
    this.before = box.querySelector(".before img");
    this.after = box.querySelector(".after img");
    this.clip = box.querySelector(".after");
    this.divider = box.querySelector(".divider");
    this.width = this.height = 1;
    this.pointers = new Map();
    camera.stages.add(this);
    this.resized = new ResizeObserver(() => this.apply());
    this.resized.observe(box);
    this.listen();
  }

  close() {
    this.camera.stages.delete(this);
    this.resized.disconnect();
  }

  async show({ before, after, width, height, name }) {
    this.width = width;
    this.height = height;
    this.before.alt = `${name}, enlarged plainly`;
    this.after.alt = `${name}, upscaled`;
    this.before.src = before;
    this.after.src = after;
    this.box.style.aspectRatio = `${width} / ${height}`;
    await Promise.allSettled([this.before.decode(), this.after.decode()]);
    this.apply();
  }

  split(share) {
    this.clip.style.clipPath = `inset(0 0 0 ${100 * share}%)`;
    if (this.divider) this.divider.style.left = `${100 * share}%`;
  }

  strength(share) {
    this.after.style.opacity = String(share);
  }

  fit() {
    return Math.min(this.box.clientWidth / this.width, this.box.clientHeight / this.height) || 1;
  }

  // One pixel of the result on one of the screen.
  actualSize() {
    return Math.max(1, 1 / (this.fit() * (window.devicePixelRatio || 1)));
  }

  apply() {
    const scale = this.fit() * this.camera.zoom;
    const left = this.box.clientWidth / 2 - this.camera.x * this.width * scale;
    const top = this.box.clientHeight / 2 - this.camera.y * this.height * scale;
    for (const image of [this.before, this.after]) {
      image.style.width = `${this.width}px`;
      image.style.height = `${this.height}px`;
      image.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
      image.style.imageRendering = scale >= 2 && image === this.after ? "pixelated" : "auto";
    }
    this.box.dataset.zoom = this.camera.zoom.toFixed(3);
  }

  at(event) {
    const frame = this.box.getBoundingClientRect();
    const scale = this.fit() * this.camera.zoom;
    return {
      x: this.camera.x + (event.clientX - frame.left - frame.width / 2) / (this.width * scale),
      y: this.camera.y + (event.clientY - frame.top - frame.height / 2) / (this.height * scale),
    };
  }

  listen() {
    const { box, camera } = this;
    box.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        camera.magnify(Math.exp(-event.deltaY / 300), this.at(event));
      },
      { passive: false },
    );
    box.addEventListener("pointerdown", (event) => {
      box.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      box.addEventListener(kind, (event) => this.pointers.delete(event.pointerId));
    }
    box.addEventListener("pointermove", (event) => this.dragged(event));
    box.addEventListener("keydown", (event) => this.pressed(event));
  }

  dragged(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const others = [...this.pointers.values()].filter((one) => one.pointerId !== event.pointerId);
    this.pointers.set(event.pointerId, event);
    if (others.length) {
      const [other] = others;
      const gap = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
      this.camera.magnify(gap(event) / gap(last), this.at({
        clientX: (event.clientX + other.clientX) / 2,
        clientY: (event.clientY + other.clientY) / 2,
      }));
      return;
    }
    const scale = this.fit() * this.camera.zoom;
    this.camera.move(
      (last.clientX - event.clientX) / (this.width * scale),
      (last.clientY - event.clientY) / (this.height * scale),
    );
  }

  pressed(event) {
    const step = 0.1 / this.camera.zoom;
    const keys = {
      ArrowLeft: () => this.camera.move(-step, 0),
      ArrowRight: () => this.camera.move(step, 0),
      ArrowUp: () => this.camera.move(0, -step),
      ArrowDown: () => this.camera.move(0, step),
      "+": () => this.camera.magnify(1.5),
      "=": () => this.camera.magnify(1.5),
      "-": () => this.camera.magnify(1 / 1.5),
      0: () => this.camera.reset(),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }
}

// A result drawn over its plain enlargement, as a PNG.
export async function blended(stage, share) {
  const canvas = document.createElement("canvas");
  canvas.width = stage.width;
  canvas.height = stage.height;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(stage.before, 0, 0, stage.width, stage.height);
  context.globalAlpha = share;
  context.drawImage(stage.after, 0, 0, stage.width, stage.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
