"use strict";
(() => {
  const bar = document.getElementById("controls");
  const items = [...document.querySelectorAll("[data-case]")];
  const details = () => [...document.querySelectorAll("details")];
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = details().filter((one) => !one.open);
    opened.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => { opened.forEach((one) => { one.open = false; }); });
  const show = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    const folded = target && (target.tagName === "DETAILS" ? target : target.closest("details"));
    if (folded) folded.open = true;
  };
  addEventListener("hashchange", show);
  show();
  if (!bar || items.length < 2) return;
  const search = document.getElementById("search");
  const order = document.getElementById("order");
  const count = document.getElementById("count");
  const words = new Map(items.map((one) => [one, one.textContent.toLowerCase()]));
  const chosen = [...bar.querySelectorAll("select[data-by]")].filter((select) => {
    const by = select.dataset.by;
    const values = [...new Set(items.flatMap((one) => (one.dataset[by] || "").split("\n")))].filter(Boolean).sort();
    values.forEach((value) => select.add(new Option(value, value)));
    select.parentElement.hidden = values.length < 2;
    return values.length > 1;
  });
  const number = (one, key) => (one.dataset[key] === "" ? Infinity : Number(one.dataset[key]));
  const orders = {
    rank: (a, b) => number(a, "rank") - number(b, "rank"),
    time: (a, b) => number(a, "time") - number(b, "time") || number(a, "rank") - number(b, "rank"),
    score: (a, b) => number(b, "score") - number(a, "score"),
  };
  if (items.every((one) => one.dataset.time === "")) order.querySelector("[value=time]").remove();
  const apply = () => {
    const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    items.forEach((one) => {
      const fits = asked.every((word) => words.get(one).includes(word)) &&
        chosen.every((s) => !s.value || (one.dataset[s.dataset.by] || "").split("\n").includes(s.value));
      one.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    count.textContent = `${shown} of ${items.length} shown`;
  };
  const sort = () => {
    new Set(items.map((one) => one.parentElement)).forEach((home) => {
      items.filter((one) => one.parentElement === home).sort(orders[order.value]).forEach((one) => home.append(one));
    });
  };
  search.addEventListener("input", apply);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { search.value = ""; apply(); }
  });
  chosen.forEach((select) => select.addEventListener("change", apply));
  order.addEventListener("change", sort);
  document.getElementById("clear").addEventListener("click", () => {
    search.value = "";
    order.value = "rank";
    chosen.forEach((select) => { select.value = ""; });
    sort();
    apply();
    search.focus();
  });
  bar.hidden = false;
  apply();
})();
