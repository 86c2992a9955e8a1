/** The page's script, after uPlot: draws the charts that the page's data describe (machine-chart.ts). */
export const SCRIPT = `
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const HEIGHT = 340;
  const RIGHT = 130;
  const LINE = 14;

  const axis = ({ label, ticks }, more) => ({
    label, stroke: color("--dim"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 },
    splits: () => ticks.map((tick) => tick.at), filter: (_, splits) => splits, values: () => ticks.map((tick) => tick.text), ...more,
  });
  const scale = ({ log, min, max }) => ({ time: false, distr: log ? 3 : 1, range: [min, max] });

  const draw = (chart, element) => {
    const xs = [...new Set(chart.series.flatMap((one) => one.points.map((point) => point.x)))].sort((a, b) => a - b);
    const within = (y) => Math.min(chart.y.max, Math.max(chart.y.min, y));
    const byX = chart.series.map((one) => new Map(one.points.map((point) => [point.x, point])));
    // A stepped line has a value between its points too: at every x where another line has one.
    const columns = chart.series.map((one, which) => xs.map((x) => {
      const point = byX[which].get(x) ?? (one.stepped && x <= one.points.at(-1)?.x ? one.points.findLast((at) => at.x < x) : undefined);
      return point === undefined ? null : within(point.y);
    }));
    const strokes = chart.series.map((one) => color("--c" + one.colour));
    const overlay = (plot) => {
      const { ctx, bbox } = plot;
      const ratio = devicePixelRatio;
      ctx.save();
      ctx.font = 600 + " " + 11.5 * ratio + "px system-ui, sans-serif";
      ctx.textAlign = "left";
      ctx.textBaseline = "middle";
      for (const { x, text } of chart.marks) {
        const at = plot.valToPos(x, "x", true);
        ctx.strokeStyle = ctx.fillStyle = color("--mark");
        ctx.setLineDash([5 * ratio, 4 * ratio]);
        ctx.beginPath(); ctx.moveTo(at, bbox.top); ctx.lineTo(at, bbox.top + bbox.height); ctx.stroke();
        ctx.fillText(text, at + 4 * ratio, bbox.top + 9 * ratio);
      }
      ctx.setLineDash([]);
      chart.series.forEach((one, which) => {
        ctx.strokeStyle = strokes[which];
        ctx.lineWidth = 1.5 * ratio;
        for (const { x, low, high } of one.points) {
          if (low === undefined || high === undefined) continue;
          const at = plot.valToPos(x, "x", true);
          ctx.beginPath(); ctx.moveTo(at, plot.valToPos(within(low), "y", true)); ctx.lineTo(at, plot.valToPos(within(high), "y", true)); ctx.stroke();
        }
      });
      // Names beside the ends of their lines, moved apart where they would cover each other.
      const ends = chart.series.map((one, which) => ({ which, point: one.points.at(-1) })).filter(({ point }) => point)
        .map(({ which, point }) => ({ which, x: plot.valToPos(point.x, "x", true), y: plot.valToPos(within(point.y), "y", true) }))
        .sort((a, b) => a.y - b.y);
      ends.reduce((above, end) => end.at = Math.max(end.y, above + LINE * ratio), -Infinity);
      ends.reduceRight((below, end) => end.at = Math.min(end.at, below - LINE * ratio), bbox.top + bbox.height + 8 * ratio);
      const right = bbox.left + bbox.width;
      for (const { which, x, y, at } of ends) {
        ctx.strokeStyle = ctx.fillStyle = strokes[which];
        ctx.lineWidth = ratio;
        ctx.globalAlpha = 0.5;
        ctx.beginPath(); ctx.moveTo(x, y); ctx.lineTo(right + 9 * ratio, at); ctx.stroke();
        ctx.globalAlpha = 1;
        ctx.fillText(chart.series[which].name, right + 12 * ratio, at);
      }
      ctx.restore();
    };
    const width = () => Math.max(320, element.clientWidth);
    const plot = new uPlot({
      width: width(), height: HEIGHT, padding: [14, RIGHT, 0, 0],
      scales: { x: scale(chart.x), y: scale(chart.y) },
      axes: [axis(chart.x), axis(chart.y, { size: 78 })],
      series: [
        { label: chart.x.label, value: (_, value) => value ?? "--" },
        ...chart.series.map((one, which) => ({
          label: one.name, stroke: strokes[which], width: 2, ...(one.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
          points: { show: one.dots, size: 7, fill: strokes[which] },
          value: (_, value, __, at) => value == null ? "--" : byX[which].get(xs[at])?.told ?? Number(value.toPrecision(3)),
        })),
      ],
      hooks: { draw: [overlay] },
    }, [xs, ...columns], element);
    addEventListener("resize", () => plot.setSize({ width: width(), height: HEIGHT }));
  };
  charts.forEach((chart, index) => draw(chart, document.getElementById("chart-" + index)));
})();
`;
