// The HTTP API as the page uses it.

export class Refusal extends Error {
  constructor(status, body) {
    const told = body && body.error ? body.error : { message: "the service does not answer as it should" };
    super(told.message);
    this.status = status;
    this.hint = told.hint || "";
  }
}

async function asked(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refusal(0, { error: { message: "the service can't be reached", hint: "is it still running?" } });
  }
  if (response.status === 401) location.assign("/login");
  const body = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw new Refusal(response.status, body);
  return body;
}

export const about = () => asked("/api/about");
export const listed = (before) => asked(`/api/jobs?limit=100${before ? `&before=${before}` : ""}`);
export const job = (id) => asked(`/api/jobs/${id}`);
export const cancel = (id) => asked(`/api/jobs/${id}/cancel`, { method: "POST" });
export const remove = (id) => asked(`/api/jobs/${id}`, { method: "DELETE" });
export const resultOf = (id) => `/api/jobs/${id}/result`;
export const previewOf = (id, side) => `/api/jobs/${id}/preview/${side}`;
export const zipOf = (ids) => `/api/zip?${ids.map((id) => `job=${id}`).join("&")}`;

// XMLHttpRequest, since fetch tells nothing of an upload's progress.
export function upload(path, files, fields, progress) {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  for (const file of files) form.append("file", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status === 201) resolve(request.response.jobs);
      else reject(new Refusal(request.status, request.response));
    });
    request.addEventListener("error", () => {
      reject(new Refusal(0, { error: { message: "the upload was broken off", hint: "try again, with fewer photos" } }));
    });
    request.send(form);
  });
}

// Calls back with each change of a job; after a break it lists again, so that nothing is missed.
export function watch(onJob, onBreak) {
  const source = new EventSource("/api/events");
  source.addEventListener("job", (event) => onJob(JSON.parse(event.data)));
  source.addEventListener("open", onBreak);
  return source;
}
