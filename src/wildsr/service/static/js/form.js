// A form that brings photos: chosen, estimated, sent, refused in words.

import * as api from "./api.js";
import { Picker } from "./picking.js";
import { announce } from "./format.js";
import { tellRefusal } from "./jobs.js";

// `fields` gives name–value pairs, `estimate` words for the chosen files, `sent` is called with the new jobs.
export function bringing({ path, many, fields, estimate, sent }) {
  const form = document.getElementById("bring");
  const button = form.querySelector("button[type=submit]");
  const told = document.getElementById("told");
  let asked = 0;
  const guess = async (files) => {
    const mine = ++asked;
    const text = await estimate(files).catch((error) => error.message);
    if (mine === asked) told.textContent = text;
  };
  const picker = new Picker(form.querySelector(".zone"), {
    many,
    changed: (files) => {
      button.disabled = !files.length;
      guess(files);
    },
  });
  form.addEventListener("change", (event) => {
    if (event.target.type !== "file") guess(picker.files);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!picker.files.length) return;
    button.disabled = true;
    const files = [...picker.files];
    try {
      const jobs = await api.upload(path, files, fields(form), (share) => {
        told.textContent = `Sending: ${Math.round(100 * share)} %`;
      });
      told.textContent = "";
      picker.clear();
      announce(`${jobs.length} sent`);
      sent(jobs, files);
    } catch (error) {
      tellRefusal(told, error);
      announce(error.message);
    }
    button.disabled = !picker.files.length;
  });
  return picker;
}
