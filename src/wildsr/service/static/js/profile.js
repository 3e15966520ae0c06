// The Profile tab: photos of one camera in, its degradation profile out.

import { bringing } from "./form.js";
import { announce } from "./format.js";
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

const jobs = new Jobs($("jobs"), {
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
  sent: (made) => made.forEach((job) => jobs.take(job)),
});

jobs.start().catch((error) => tellRefusal($("told"), error));
