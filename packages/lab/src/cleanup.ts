/**
 * Things that must not outlive this process, however it ends: they are undone on exit and on the signals that end it.
 * (SIGKILL cannot be caught: QEMU is started with a parent-death signal for that.)
 */
type Undo = () => void;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const undos = new Set<Undo>();

function undoAll(): void {
  for (const undo of undos) {
    try {
      undo();
    } catch {
      // The others still have to be undone.
    }
  }
  undos.clear();
}

function onSignal(signal: NodeJS.Signals): void {
  undoAll();
  uninstall();
  // Ends the way it would have ended without us, unless somebody else has a handler of their own.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function install(): void {
  process.on("exit", undoAll);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function uninstall(): void {
  process.off("exit", undoAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

/**
 * Registers something to undo, synchronously, if the process ends early.
 * @returns a function that undoes it now; calling it again does nothing
 */
export function undoAtExit(undo: Undo): Undo {
  if (undos.size === 0) install();
  undos.add(undo);
  return () => {
    if (!undos.delete(undo)) return;
    if (undos.size === 0) uninstall();
    undo();
  };
}
