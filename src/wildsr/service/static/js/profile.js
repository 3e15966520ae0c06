// The Profile tab: photos of one camera in, its degradation profile out.

import { bringing } from "./form.js";
import { announce, element } from "./format.js";
import { Jobs, tellRefusal } from "./jobs.js";
import { chosen } from "./options.js";

const $ = (id) => document.getElementById(id);

function view(job) {
  $("page").hidden = false;
  $("page-title").textContent = job.name;
  $("frame").title = `Profile ${job.name}`;
  $("frame").src = `/api/jobs/${job.id}/page`;
  $("page").scrollIntoView({ block: "start" });
  announce(`the profile ${job.name} is shown`);
}

// The photos of jobs that this page has sent, in the order in which they are looked at.
const sent = new Map();

function photosOf(job) {
  const photos = sent.get(job.id);
  if (!photos) return [];
  if (!["queued", "running"].includes(job.state)) {
    photos.forEach(({ url }) => URL.revokeObjectURL(url));
    sent.delete(job.id);
    return [];
  }
  const done = job.progress ? job.progress.done : 0;
  const thumb = ({ url, name }, index) => {
    const state = index < done ? "looked at" : index === done && job.state === "running" ? "being looked at" : "waiting";
    const image = element("img", { src: url, alt: "" });
    image.addEventListener("error", () => image.remove());  // TIFF or HEIC, which browsers can't show
    return element("li", { "data-state": state }, image, element("span", { class: "quiet" }, `${name}: ${state}`));
  };
  return [element("ol", { class: "thumbs", "aria-label": `Photos of ${job.name}` }, ...photos.map(thumb))];
}

const jobs = new Jobs($("jobs"), {
  shown: photosOf,
  kind: "profile",
  view,
  changed: ({ known }) => {
    $("none").hidden = known.size > 0;
  },
});

bringing({
  path: "/api/profiles",
  many: true,
  fields: chosen,
  estimate: async (files) =>
    files.length && files.length < 10 ? `${files.length} chosen; ten or more make a profile that can be trusted.` : "",
  sent: (made, files) => {
    for (const job of made) {
      sent.set(job.id, files.map((file) => ({ name: file.name, url: URL.createObjectURL(file) })));
      jobs.take(job);
    }
  },
});

jobs.start().catch((error) => tellRefusal($("told"), error));
