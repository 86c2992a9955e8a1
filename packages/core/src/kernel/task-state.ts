/** Bits of `task_struct.__state`, include/linux/sched.h as renumbered in 4.14 (8ef9925b02c2, b5bf9a90bbeb, fa2c3254d7cf). */
const INTERRUPTIBLE = 0x1;
const UNINTERRUPTIBLE = 0x2;
const STOPPED = 0x4;
const TRACED = 0x8;
const EXIT_DEAD = 0x10;
const EXIT_ZOMBIE = 0x20;
const PARKED = 0x40;
const DEAD = 0x80;
const WAKING = 0x200;
const NOLOAD = 0x400;
const NEW = 0x800;

/** The two letters that crash's `ps` shows for a state; "??" for one that is none of them. */
export function stateLetters(state: number, exitState: number): string {
  if ((exitState & EXIT_ZOMBIE) !== 0) return "ZO";
  if ((exitState & EXIT_DEAD) !== 0 || (state & DEAD) !== 0) return "DE";
  if (state === 0) return "RU";
  if ((state & UNINTERRUPTIBLE) !== 0) return (state & NOLOAD) !== 0 ? "ID" : "UN";
  if ((state & INTERRUPTIBLE) !== 0) return "IN";
  if ((state & STOPPED) !== 0) return "ST";
  if ((state & TRACED) !== 0) return "TR";
  if ((state & PARKED) !== 0) return "PA";
  if ((state & WAKING) !== 0) return "WA";
  if ((state & NEW) !== 0) return "NE";
  return "??";
}
