"use strict";
(() => {
  const FEW = 200;
  const form = document.querySelector(".filters");
  if (!form) return;
  const groups = [...document.querySelectorAll(".group")].map(group => ({
    group,
    parts: [...group.querySelectorAll(".part")].map(part => ({ part, rows: [...part.querySelectorAll("tr")] })),
  }));
  const all = groups.flatMap(one => one.parts).reduce((sum, one) => sum + one.rows.length, 0);
  const opened = groups.some(one => one.group.open);
  let unfolded = false;
  const shown = form.querySelector("output");
  const texts = new Map();
  const textOf = row => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };
  const value = name => (form.elements[name] ? form.elements[name].value : "*");
  const fits = (wanted, is) => wanted === "*" || wanted === is || (wanted === "counting" && is !== "covered");

  const apply = () => {
    const wanted = Object.fromEntries(["severity", "kind", "recipient", "change"].map(name => [name, value(name)]));
    const text = form.elements.text.value.toLowerCase().trim();
    const filtered = text || Object.values(wanted).some(one => one !== "*");
    let count = 0;
    for (const { group, parts } of groups) {
      const heading = group.querySelector("summary").textContent.toLowerCase();
      let inGroup = 0;
      for (const { part, rows } of parts) {
        const here = fits(wanted.recipient, group.dataset.recipient) && fits(wanted.severity, part.dataset.severity)
          && fits(wanted.kind, part.dataset.kind);
        let inPart = 0;
        for (const row of rows) {
          const visible = here && fits(wanted.change, row.dataset.change)
            && (!text || heading.includes(text) || textOf(row).includes(text));
          if (row.hidden === visible) row.hidden = !visible;
          inPart += visible;
        }
        part.hidden = !inPart;
        inGroup += inPart;
      }
      group.hidden = !inGroup;
      count += inGroup;
    }
    const unfold = filtered && count <= FEW;  // thousands of rows take long to lay out
    if (unfold !== unfolded) for (const { group } of groups) group.open = unfold || opened;
    unfolded = unfold;
    shown.textContent = `${count} of ${all} findings`;
  };

  let waiting;
  form.hidden = false;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 60); });
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", event => event.preventDefault());
  document.addEventListener("click", event => {
    const link = event.target.closest("a[data-filter]");
    if (!link || link.dataset.value === "gone") return;
    event.preventDefault();
    form.reset();
    if (link.dataset.filter === "kind") form.elements.severity.value = "counting";  // as the number does
    if (form.elements[link.dataset.filter]) form.elements[link.dataset.filter].value = link.dataset.value;
    apply();
    document.getElementById("findings").scrollIntoView();
  });

  const copy = async (button, command) => {
    try {
      await navigator.clipboard.writeText(command.textContent);
    } catch {
      getSelection().selectAllChildren(command);
      document.execCommand("copy");
    }
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  };
  const addButtons = group => {
    for (const command of group.querySelectorAll("kbd:last-child")) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "copy";
      button.addEventListener("click", () => copy(button, command));
      command.after(button);
    }
  };
  for (const { group } of groups) {
    if (group.open) addButtons(group);
    group.addEventListener("toggle", () => { if (group.open) addButtons(group); });
  }
  addEventListener("beforeprint", () => { for (const { group } of groups) group.open = true; });
  apply();
})();
