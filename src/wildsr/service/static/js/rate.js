// A question of a study: pictures that magnify and move together, keys for the answers, the order of MOR.

import { announce } from "./format.js";
import { Camera, Stage } from "./viewer.js";

const form = document.getElementById("trial");
const $ = (id) => document.getElementById(id);
const camera = new Camera();
const size = { width: Number(form.dataset.width), height: Number(form.dataset.height) };

const stages = [...form.querySelectorAll(".stage")].map((box) => {
  const stage = new Stage(box, camera);
  const { url, label } = box.dataset;
  stage.show({ before: url, after: url, ...size, name: label }).then(() => {
    stage.before.alt = "";
    stage.after.alt = label;
  });
  return stage;
});

const zoomed = () => {
  const screen = stages[0].fit() * camera.zoom * (window.devicePixelRatio || 1);
  $("zoom").textContent = `${Math.round(100 * screen)} %`;
};
const apply = camera.apply.bind(camera);
camera.apply = () => {
  apply();
  zoomed();
};
// Full resolution first: one pixel of the picture on one of the screen, or a whole number where there is room.
const begin = () => camera.magnify(stages[0].actualSize() / camera.zoom);
$("closer").addEventListener("click", () => camera.magnify(1.5));
$("farther").addEventListener("click", () => camera.magnify(1 / 1.5));
$("fit").addEventListener("click", () => camera.reset());
requestAnimationFrame(() => requestAnimationFrame(begin));

// Time in front of the question, not behind another window.
let shown = performance.now();
let spent = 0;
document.addEventListener("visibilitychange", () => {
  if (document.hidden) spent += performance.now() - shown;
  else shown = performance.now();
});
form.addEventListener("submit", () => {
  form.elements.seconds.value = ((spent + performance.now() - shown) / 1000).toFixed(2);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.(".stage") && event.key === "0" && form.dataset.protocol !== "mos") return;
  const radio = [...form.querySelectorAll("input[type=radio]")].find((one) => (one.dataset.key ?? one.value) === event.key);
  if (radio) {
    event.stopPropagation();
    event.preventDefault();
    radio.checked = true;
    radio.focus();
  } else if (event.key === "Enter" && !["BUTTON", "A"].includes(event.target.tagName)) {
    event.preventDefault();
    form.requestSubmit();
  }
}, true);

const list = $("order");
if (list) {
  const items = () => [...list.children];
  const number = (moved) => {
    items().forEach((item, index) => {
      item.querySelector("input[type=hidden]").value = index + 1;
      item.querySelector(".place").textContent = index + 1;
      item.querySelector(".better").disabled = index === 0;
      item.querySelector(".worse").disabled = index === list.children.length - 1;
    });
    camera.apply();
    if (moved) announce(`${moved.dataset.letter} is now ${items().indexOf(moved) + 1} of ${list.children.length}`);
  };
  items()
    .sort((one, other) => one.querySelector("input[type=hidden]").value - other.querySelector("input[type=hidden]").value)
    .forEach((item) => list.append(item));
  list.addEventListener("click", (event) => {
    const button = event.target.closest(".better, .worse");
    if (!button) return;
    const item = button.closest("li");
    if (button.classList.contains("better")) item.previousElementSibling?.before(item);
    else item.nextElementSibling?.after(item);
    number(item);
    if (button.disabled) item.querySelector("button:not([disabled])").focus();
    else button.focus();
  });
  let dragged = null;
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("li") ?? null;
    dragged?.classList.add("dragged");
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest("li");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    if (items().indexOf(over) < items().indexOf(dragged)) over.before(dragged);
    else over.after(dragged);
  });
  list.addEventListener("drop", (event) => event.preventDefault());
  list.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    if (dragged) number(dragged);
    dragged = null;
  });
  number(null);
}

for (const url of form.dataset.coming.split(" ").filter(Boolean)) new Image().src = url;
