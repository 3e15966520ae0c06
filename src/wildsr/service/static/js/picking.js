// Photos brought by dropping, choosing or pasting.

import { announce, element, sizeText } from "./format.js";

const MAKES_SENSE = /\.(jpe?g|jpe|jfif|png|webp|tiff?|gif|avif|bmp|p[bgpn]m|heic|heif)$/i;

export class Picker {
  constructor(zone, { many, changed }) {
    this.zone = zone;
    this.input = zone.querySelector("input[type=file]");
    this.list = zone.querySelector("ul");
    this.many = many;
    this.changed = changed;
    this.files = [];
    this.input.addEventListener("change", () => {
      this.add([...this.input.files]);
      this.input.value = "";
    });
    for (const kind of ["dragenter", "dragover"]) {
      document.addEventListener(kind, (event) => {
        if (![...event.dataTransfer.types].includes("Files")) return;
        event.preventDefault();
        zone.classList.add("over");
      });
    }
    document.addEventListener("dragleave", (event) => {
      if (event.relatedTarget === null) zone.classList.remove("over");
    });
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      this.add([...event.dataTransfer.files]);
    });
    document.addEventListener("paste", (event) => this.add([...event.clipboardData.files]));
  }

  add(files) {
    const good = files.filter((file) => file.type.startsWith("image/") || MAKES_SENSE.test(file.name));
    if (files.length && good.length < files.length) {
      announce(`${files.length - good.length} files were left out: they are no photos`);
    }
    if (!good.length) return;
    this.files = this.many ? [...this.files, ...good] : good.slice(-1);
    this.show();
  }

  clear() {
    this.files = [];
    this.show();
  }

  show() {
    this.list.replaceChildren(
      ...this.files.map((file, index) =>
        element(
          "li",
          {},
          element("span", { class: "name" }, file.name),
          element("span", { class: "quiet" }, ` ${sizeText(file.size)} `),
          element(
            "button",
            {
              type: "button",
              class: "small",
              "aria-label": `Leave out ${file.name}`,
              onclick: () => {
                this.files.splice(index, 1);
                this.show();
                this.input.focus();
              },
            },
            "×",
          ),
        ),
      ),
    );
    announce(this.files.length ? `${this.files.length} chosen` : "none chosen");
    this.changed(this.files);
  }
}

// Width and height as the browser sees them; null for what it can't show (TIFF, HEIC).
export async function sizeOf(file) {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return { width: image.naturalWidth, height: image.naturalHeight };
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
}
