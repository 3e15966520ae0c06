// The list of jobs: state, progress with time left, and what can be done with each.

import * as api from "./api.js";
import { announce, element, sizeText, timeText } from "./format.js";

const WORDS = { queued: "waiting", running: "at work", done: "done", failed: "refused", cancelled: "cancelled" };

export class Jobs {
  constructor(list, { kind, view, changed, shown }) {
    this.list = list;
    this.kind = kind;
    this.view = view;
    this.changed = changed || (() => {});
    this.shown = shown || (() => []);
    this.known = new Map();
    this.rows = new Map();
    this.next = null;
  }

  async start() {
    this.source = api.watch((job) => this.take(job), () => this.again());
    addEventListener("pagehide", () => this.source.close());
    await this.again();
  }

  async again() {
    const found = await api.listed();
    this.next = found.next;
    for (const job of found.jobs.reverse()) this.take(job, false);
  }

  take(job, tell = true) {
    if (job.kind !== this.kind) return;
    const before = this.known.get(job.id);
    if (before && ["done", "failed", "cancelled"].includes(before.state) && job.state === "running") return;
    this.known.set(job.id, job);
    if (!this.rows.has(job.id)) {
      const row = element("li", { class: "job", "data-id": job.id });
      this.rows.set(job.id, row);
      this.list.prepend(row);
    }
    const row = this.rows.get(job.id);
    const focused = row.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    row.dataset.state = job.state;
    row.replaceChildren(...this.parts(job));
    if (focused) (row.querySelector(`[data-act="${focused}"]`) || row.querySelector("button, a"))?.focus();
    if (tell && before?.state !== job.state && job.state !== "queued") announce(`${job.name}: ${WORDS[job.state]}`);
    this.changed(this);
  }

  forget(id) {
    this.rows.get(id)?.remove();
    this.rows.delete(id);
    this.known.delete(id);
    this.changed(this);
  }

  get done() {
    return [...this.known.values()].filter((job) => job.state === "done");
  }

  parts(job) {
    const title = element("span", { class: "name" }, job.name);
    const model = this.kind === "upscale" ? ` · ${job.options.model}` : "";
    const line = element("p", { class: "what" }, title, element("span", { class: "quiet" }, `${model} · `), this.word(job));
    const parts = [line];
    if (job.state === "running") parts.push(this.bar(job));
    parts.push(...this.shown(job));
    if (job.error) {
      parts.push(element("p", { class: "refusal" }, job.error.message));
      if (job.error.hint) parts.push(element("p", { class: "quiet" }, job.error.hint));
    }
    for (const note of job.result?.notes || []) parts.push(element("p", { class: "quiet" }, note));
    parts.push(element("p", { class: "acts" }, ...this.acts(job)));
    return parts;
  }

  word(job) {
    let text = WORDS[job.state];
    if (job.result?.width) text += `, ${job.result.width} × ${job.result.height}`;
    if (job.result?.seconds) text += ` in ${timeText(job.result.seconds)}`;
    return element("span", { class: `state ${job.state}` }, text);
  }

  bar(job) {
    const { done, total, seconds_left: left } = job.progress;
    const bar = element("progress", { "aria-label": `Progress of ${job.name}` });
    if (total) {
      bar.max = total;
      bar.value = done;
    }
    const text = total ? `${done} of ${total}${left === null ? "" : `, ${timeText(left)} left`}` : "being read";
    return element("div", { class: "bar-line" }, bar, element("span", { class: "quiet" }, text));
  }

  acts(job) {
    const acts = [];
    const act = (name, word, run, main = false) =>
      acts.push(element("button", {
        type: "button", class: main ? "small main" : "small", "data-act": name, "aria-label": `${word} ${job.name}`,
        onclick: () => this.doing(run),
      }, word));
    if (job.state === "done") {
      act("view", "View", () => this.view(job), true);
      acts.push(element("a", {
        class: "button small", href: api.resultOf(job.id), download: job.result.name, "data-act": "download",
        "aria-label": `Download ${job.result.name}`,
      }, `Download (${sizeText(job.result.bytes)})`));
    }
    if (job.state === "queued" || job.state === "running") {
      act("cancel", "Cancel", async () => this.take(await api.cancel(job.id)));
    } else {
      act("delete", "Delete", async () => {
        await api.remove(job.id);
        this.forget(job.id);
        announce(`${job.name} was deleted`);
        document.getElementById("main").focus();
      });
    }
    return acts;
  }

  async doing(run) {
    try {
      await run();
    } catch (error) {
      announce(error.message);
      if (error.status === 404 || error.status === 409) await this.again();
    }
  }
}

export function tellRefusal(place, error) {
  place.replaceChildren(
    element("span", { class: "refusal" }, error.message),
    ...(error.hint ? [element("span", { class: "quiet" }, ` ${error.hint}`)] : []),
  );
}
