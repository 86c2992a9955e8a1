/** The characters of the drawing: box drawing, or plain ASCII where the locale has none. */
export interface Glyphs {
  readonly top: string;
  readonly bottom: string;
  readonly side: string;
  readonly dotted: string;
  readonly corners: readonly [string, string, string, string];
  readonly tee: readonly [string, string];
  readonly damage: string;
  readonly guard: string;
  readonly used: string;
  readonly free: string;
  readonly proven: string;
  readonly inferred: string;
  readonly arrow: string;
  readonly cycle: readonly [string, string, string];
  readonly times: string;
  readonly ellipsis: string;
  readonly dot: string;
}

export const UNICODE: Glyphs = {
  top: "─",
  bottom: "─",
  side: "│",
  dotted: "┊",
  corners: ["┌", "┐", "└", "┘"],
  tee: ["├", "┤"],
  damage: "█",
  guard: "▒",
  used: "▄",
  free: "·",
  proven: "●",
  inferred: "○",
  arrow: "◀",
  cycle: ["╭", "│", "╰"],
  times: "×",
  ellipsis: "…",
  dot: "·",
};

export const ASCII: Glyphs = {
  top: "-",
  bottom: "-",
  side: "|",
  dotted: ":",
  corners: ["+", "+", "+", "+"],
  tee: ["+", "+"],
  damage: "#",
  guard: "/",
  used: "=",
  free: ".",
  proven: "*",
  inferred: "o",
  arrow: "<-",
  cycle: ["/", "|", "\\"],
  times: "x",
  ellipsis: "...",
  dot: "-",
};
