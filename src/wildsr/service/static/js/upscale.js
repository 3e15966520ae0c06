// The Upscale tab.

import * as api from "./api.js";
import { bringing } from "./form.js";
import { announce } from "./format.js";
import { Jobs, tellRefusal } from "./jobs.js";
import { chosen, estimate } from "./options.js";
import { Camera, Stage, blended } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const camera = new Camera();
const stage = new Stage($("stage"), camera);
let shown = null;

async function view(job) {
  shown = job;
  const after = job.result.viewable ? api.resultOf(job.id) : api.previewOf(job.id, "after");
  if (!job.result.viewable && !job.result.previews.includes("after")) {
    throw new Error("this result is too large to be shown here; download it");
  }
  $("viewer").hidden = false;
  $("viewer-title").textContent = job.result.name;
  camera.reset();
  setSplit(0.5);
  setStrength(1);
  await stage.show({
    before: api.previewOf(job.id, "before"), after, width: job.result.width, height: job.result.height, name: job.name,
  });
  $("viewer").scrollIntoView({ block: "nearest" });
  $("stage").focus();
  announce(`${job.result.name} is shown, before on the left, after on the right`);
}

function setSplit(share) {
  $("split").value = String(Math.round(100 * share));
  stage.split(share);
}

function setStrength(share) {
  $("blend").value = String(Math.round(100 * share));
  $("blend-value").textContent = `${Math.round(100 * share)} %`;
  stage.strength(share);
  $("save").textContent = share < 1 ? "Download at this strength" : "Download";
}

$("split").addEventListener("input", (event) => setSplit(event.target.value / 100));
$("blend").addEventListener("input", (event) => setStrength(event.target.value / 100));
$("closer").addEventListener("click", () => camera.magnify(1.5));
$("farther").addEventListener("click", () => camera.magnify(1 / 1.5));
$("fit").addEventListener("click", () => camera.reset());
$("actual").addEventListener("click", () => camera.magnify(stage.actualSize() / camera.zoom));
$("close").addEventListener("click", () => {
  $("viewer").hidden = true;
  document.querySelector(`[data-id="${shown.id}"] button`)?.focus();
});
$("save").addEventListener("click", async () => {
  const share = $("blend").value / 100;
  const link = document.createElement("a");
  if (share < 1) {
    const blob = await blended(stage, share);
    if (!blob) return announce("this browser can't blend a picture of this size; run the photo again with that strength");
    link.href = URL.createObjectURL(blob);
    link.download = shown.result.name.replace(/\.\w+$/, `_${Math.round(100 * share)}.png`);
  } else {
    link.href = api.resultOf(shown.id);
    link.download = shown.result.name;
  }
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
});

const jobs = new Jobs($("jobs"), {
  kind: "upscale",
  view,
  changed: ({ done, known }) => {
    $("none").hidden = known.size > 0;
    $("all").hidden = done.length < 2;
    $("all").href = api.zipOf(done.slice(0, 500).map((job) => job.id));
    $("all").textContent = `Download all ${done.length} (zip)`;
  },
});

// Only a model with two ends has a dial; a form leaves out what is disabled.
function offerDial({ sharpness }) {
  $("dial").hidden = $("sharpness").disabled = sharpness === undefined;
  if (sharpness !== undefined) $("sharpness").value = sharpness;
  tellShare("sharpness");
}

function tellShare(name) {
  $(`${name}-value`).textContent = `${Math.round(100 * $(name).value)} %`;
}

function tellModel() {
  const option = $("model").selectedOptions[0];
  if (!option) return; // none of the models can be used
  $("model-hint").textContent = option.dataset.summary;
  offerDial(option.dataset);
}

$("model").addEventListener("change", tellModel);
$("strength").addEventListener("input", () => tellShare("strength"));
$("sharpness").addEventListener("input", () => tellShare("sharpness"));
tellModel(); // a browser restores a form's old choices

bringing({
  path: "/api/jobs",
  many: true,
  fields: chosen,
  estimate: (files) => estimate(files, [$("model").value]),
  sent: (made) => made.forEach((job) => jobs.take(job)),
});

jobs.start().catch((error) => tellRefusal($("told"), error));
