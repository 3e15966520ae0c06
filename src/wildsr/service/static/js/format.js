// Numbers as people read them.

export function timeText(seconds) {
  if (seconds < 1.5) return "1 second";
  if (seconds < 100) return `${Math.round(seconds)} seconds`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} minutes` : `${(minutes / 60).toFixed(1)} hours`;
}

export function sizeText(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (bytes >= 1000 && unit < 3) {
    bytes /= 1000;
    unit += 1;
  }
  return `${unit < 2 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);  // text stays text, whatever a name holds
  return made;
}

export function announce(text) {
  document.getElementById("status").textContent = text;
}
