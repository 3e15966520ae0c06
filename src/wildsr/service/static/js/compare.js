// The Compare tab: one photo, several models, the same place in each; blind where wished.

import * as api from "./api.js";
import { bringing } from "./form.js";
import { announce, element } from "./format.js";
import { chosen, estimate } from "./options.js";
import { Camera, Stage } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const camera = new Camera();
let stages = [];
let current = null;

const models = () => [...document.querySelectorAll("input[name=model]:checked")].map((box) => box.value);

function shuffled(list) {
  const out = [...list];
  for (let index = out.length - 1; index > 0; index -= 1) {
    const other = crypto.getRandomValues(new Uint32Array(1))[0] % (index + 1);
    [out[index], out[other]] = [out[other], out[index]];
  }
  return out;
}

function begin(jobs) {
  for (const stage of stages) stage.close();
  stages = [];
  camera.reset();
  const blind = $("blind").checked;
  const ordered = blind ? shuffled(jobs) : jobs;
  current = { blind, waiting: new Set(jobs.map((job) => job.id)), cells: new Map() };
  $("sheet").replaceChildren(
    ...ordered.map((job, index) => {
      const letter = String.fromCharCode(65 + index);
      const caption = element("figcaption", {}, blind ? letter : job.options.model);
      const place = element("div", { class: "stage", tabindex: "0", role: "group", "aria-label": `Result ${letter}; arrows move, plus and minus magnify` },
        element("div", { class: "layer before" }, element("img", { alt: "" })),
        element("div", { class: "layer after" }, element("img", { alt: "" })));
      const word = element("p", { class: "quiet" }, "waiting");
      current.cells.set(job.id, { caption, place, word, job, letter });
      place.hidden = true;
      return element("figure", { class: "cell" }, caption, word, place);
    }),
  );
  $("reveal").hidden = !blind;
  $("sheet-tools").hidden = false;
  jobs.forEach(take);
}

async function take(job) {
  const cell = current?.cells.get(job.id);
  if (!cell || !current.waiting.has(job.id)) return;
  cell.job = job;
  if (job.state === "running" || job.state === "queued") {
    const { done, total } = job.progress || {};
    cell.word.textContent = job.state === "queued" ? "waiting" : total ? `${done} of ${total}` : "being read";
    return;
  }
  current.waiting.delete(job.id);
  if (job.state !== "done") {
    cell.word.textContent = job.error ? job.error.message : job.state;
    cell.word.className = "refusal";
    return;
  }
  cell.word.textContent = "";
  cell.place.hidden = false;
  const stage = new Stage(cell.place, camera);
  stages.push(stage);
  stage.split(0);
  const { width, height, viewable } = job.result;
  const after = viewable ? api.resultOf(job.id) : api.previewOf(job.id, "after");
  await stage.show({ before: api.previewOf(job.id, "before"), after, width, height, name: `Result ${cell.letter}` });
  if (!current.waiting.size) announce("all results are there");
}

$("plain").addEventListener("input", (event) => {
  for (const stage of stages) stage.split(event.target.value / 100);
});
$("closer").addEventListener("click", () => camera.magnify(1.5));
$("farther").addEventListener("click", () => camera.magnify(1 / 1.5));
$("fit").addEventListener("click", () => camera.reset());
$("reveal").addEventListener("click", () => {
  for (const { caption, job, letter } of current.cells.values()) caption.textContent = `${letter}: ${job.options.model}`;
  $("reveal").hidden = true;
  announce("the names are shown");
});

bringing({
  path: "/api/jobs",
  many: false,
  fields: chosen,
  estimate: async (files) => (models().length ? estimate(files, models()) : "Choose at least one model."),
  sent: begin,
});

const source = api.watch(take, () => {
  for (const id of current?.waiting || []) api.job(id).then(take, () => {});
});
addEventListener("pagehide", () => source.close());
