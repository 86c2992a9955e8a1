/** Levels given on the command line: "706,840:0.4,350:0.5*0.3,420". */
import { SpillwayError } from "../../errors.ts";
import { DEFAULT_PROFILE } from "./default-profile.ts";
import type { Level, MachineProfile } from "./profile.ts";

/** BYTES or LEAST-MOST, then :CHANCE to get there from the level before, then *CHANCE to go through it once more. */
const SPELLING = /^(\d{1,9})(?:-(\d{1,9}))?(?::(\d*\.?\d+))?(?:\*(\d*\.?\d+))?$/;

/** CPU time at a level that nobody said anything of. */
const MICROS = 10;

function refuse(part: string, why: string): never {
  throw new SpillwayError("SPW_MACHINE_BAD_LEVELS", `no level: ${JSON.stringify(part.slice(0, 40))}: ${why}`, {
    class: "usage",
    facts: { level: part },
    hint: "BYTES[-MOST][:CHANCE][*AGAIN],…: 706,840:0.4,350*0.3",
  });
}

/**
 * A profile of levels one below the other, called level-1, level-2, …, each but the first with a critical point before it; an
 * operation waits for I/O wherever it ends. Everything else is as in the built-in profile.
 * @throws SpillwayError SPW_MACHINE_BAD_LEVELS
 */
export function parseLevels(text: string): MachineProfile {
  const parts = text.split(",").map((part) => {
    const match = SPELLING.exec(part.trim());
    if (match === null) refuse(part, "not spelled like one");
    const least = Number(match[1]);
    const most = Number(match[2] ?? least);
    const chance = Number(match[3] ?? 1);
    const again = Number(match[4] ?? 0);
    if (most < least) refuse(part, "the most is less than the least");
    if (chance > 1 || again >= 1) refuse(part, "a chance is at most 1, and less than 1 after *");
    return { least, most, chance, again };
  });
  const name = (at: number) => `level-${at + 1}`;
  const levels = parts.map(({ least, most, again }, at): Level => {
    const below = parts[at + 1];
    return {
      name: name(at),
      bytes: [least, most],
      micros: MICROS,
      point: at > 0,
      sleeps: true,
      next: {
        ...(again > 0 ? { [name(at)]: again } : {}),
        ...(below === undefined ? {} : { [name(at + 1)]: (1 - again) * below.chance }),
      },
    };
  });
  return {
    ...DEFAULT_PROFILE,
    name: "levels",
    source: `--levels ${text}; interrupts and times of the built-in profile`,
    start: { [name(0)]: parts[0]!.chance },
    levels,
  };
}
