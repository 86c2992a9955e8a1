/** The kernel's answers, as the programs that load and unload modules word them. */

/** How libc, kmod and busybox word an error number, in English. */
const WORDINGS: readonly (readonly [RegExp, string])[] = [
  [/operation not permitted/i, "EPERM"],
  [/permission denied/i, "EACCES"],
  [/file exists/i, "EEXIST"],
  [/(invalid module format|exec format error)/i, "ENOEXEC"],
  [/(unknown symbol in module|no such file or directory|not found)/i, "ENOENT"],
  [/(wrong symbol version|no such process)/i, "ESRCH"],
  [/(invalid parameters?|invalid argument)/i, "EINVAL"],
  [/(resource busy|resource temporarily unavailable|is in use|try again)/i, "EBUSY"],
  [/cannot allocate memory|out of memory/i, "ENOMEM"],
  [/key was rejected/i, "EKEYREJECTED"],
  [/required key not available/i, "ENOKEY"],
  [/argument list too long/i, "E2BIG"],
  [/unknown error 524|error 524/i, "ENOTSUPP"],
  [/operation not supported/i, "EOPNOTSUPP"],
  [/not currently loaded|is not loaded/i, "NOTLOADED"],
];

/** The error's name in what insmod, modprobe or rmmod printed; null where none is known. */
export function errnoIn(message: string): string | null {
  const last = message.trimEnd().split("\n").at(-1) ?? "";
  return WORDINGS.find(([wording]) => wording.test(last))?.[1] ?? null;
}
