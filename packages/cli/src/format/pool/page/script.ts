/** The page's script: draws with uPlot what the page's data say. */
export const SCRIPT = `
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const points = data.points;
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const axis = (label, extra) => ({
    label, stroke: color("--dim"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 }, ...extra,
  });
  const probability = (value) => value == null ? "--" : value >= 1e-4 ? Number((100 * value).toPrecision(3)) + " %" : value.toExponential(1);
  const column = (value) => points.map(value);
  const known = (value) => value > 0 ? value : null;
  // An interval that reaches down to 0 has no end on a logarithmic axis: it goes down to the axis.
  const floor = 10 ** Math.floor(Math.log10(Math.min(...column((point) => point.ci99[1]), ...column((point) => point.probability || 1))) - 1);
  const low = (point) => point.probability === null ? null : Math.max(point.ci99[0], floor);
  const high = (point) => point.probability === null ? null : Math.max(point.ci99[1], floor);
  const stacks = column((point) => point.stacks);
  const width = (element) => Math.max(320, element.clientWidth);
  const draw = (id, options, columns) => {
    const element = document.getElementById(id);
    const chart = new uPlot({ width: width(element), height: 380, ...options }, columns, element);
    addEventListener("resize", () => chart.setSize({ width: width(element), height: 380 }));
  };
  const x = { time: false, range: (_, from, to) => [from - 0.25, to + 0.25] };
  const whole = { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000, 100000], values: (_, ticks) => ticks };
  const decades = [];
  for (let decade = floor; decade < 11; decade *= 10) decades.push(Number(decade.toPrecision(1)));
  draw("share", {
    scales: { x, y: { distr: 3, range: [floor, 1] } },
    axes: [
      axis("extra stacks", whole),
      axis("", { size: 70, splits: () => decades, values: (_, ticks) => ticks.map((tick) => tick >= 1e-3 ? tick : tick.toExponential(0)) }),
    ],
    series: [
      { label: "stacks" },
      { label: data.policy === "sleep" ? "waits" : "refused", stroke: color("--curve"), width: 2, points: { show: true, size: 6 }, value: (_, value) => probability(value) },
      { label: "from", stroke: "transparent", points: { show: false }, value: (_, value) => value === floor ? "0" : probability(value) },
      { label: "to", stroke: "transparent", points: { show: false }, value: (_, value) => probability(value) },
      ...(data.formula === null ? [] : [{ label: data.formula, stroke: color("--formula"), dash: [6, 4], width: 1.5, points: { show: false }, value: (_, value) => probability(value) }]),
    ],
    bands: [{ series: [3, 2], fill: color("--band") }],
  }, [
    stacks, column((point) => known(point.probability)), column(low), column(high),
    ...(data.formula === null ? [] : [column((point) => point.formula > floor ? point.formula : null)]),
  ]);
  draw("use", {
    scales: { x, y: { range: (_, from, to) => [0, to * 1.05] } },
    axes: [axis("extra stacks", whole), axis("", { size: 70 })],
    series: [
      { label: "stacks" },
      { label: "in use on average", stroke: color("--curve"), width: 2, value: (_, value) => value == null ? "--" : Number(value.toPrecision(3)) },
      { label: "most at once", stroke: color("--formula"), width: 1.5, dash: [6, 4] },
    ],
  }, [stacks, column((point) => point.meanInUse), column((point) => point.highWater)]);
})();
`;
