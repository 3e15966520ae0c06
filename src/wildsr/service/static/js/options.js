// Model, scale, strength, format: what a form asks for, and how long it will take.

import { about } from "./api.js";
import { sizeOf } from "./picking.js";
import { timeText } from "./format.js";

export async function offered() {
  return about();
}

// Name–value pairs of a form's options; defaults are left to the service.
export function chosen(form) {
  const fields = [];
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && value !== "" && name !== "blind") fields.push([name, value]);
  }
  return fields;
}

// What jobs for these photos will take, in words.
export async function estimate(files, models) {
  if (!files.length) return "";
  const service = await offered();
  const sizes = await Promise.all(files.map(sizeOf));
  const megapixels = sizes.map((one) => (one ? (one.width * one.height) / 1e6 : null));
  const large = files.filter((_, index) => megapixels[index] > service.max_mp);
  if (large.length) {
    return `${large[0].name} has more than ${service.max_mp} megapixels, the most this service takes.`;
  }
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (bytes > service.max_upload_mb * 1e6) {
    return `These are more than ${service.max_upload_mb} MB; choose fewer at a time.`;
  }
  if (files.length > service.max_files) return `At most ${service.max_files} photos go at a time.`;
  const known = megapixels.filter((one) => one !== null).reduce((sum, one) => sum + one, 0);
  const rates = models.map((name) => service.models.find((one) => one.name === name)?.seconds_per_megapixel);
  const unknown = megapixels.some((one) => one === null) || rates.some((one) => !one);
  const seconds = rates.reduce((sum, rate) => sum + (rate || 0) * known, 0) / Math.max(1, service.workers);
  const queue = service.waiting ? ` ${service.waiting} jobs are before you.` : "";
  if (!seconds) return `The time can't be estimated before a photo has been done with this model.${queue}`;
  return `About ${timeText(seconds)} at most${unknown ? ", and what can't be estimated" : ""}.${queue}`;
}
