/** Which release of a changelog a crashed kernel is: what `uname -r` says is not how packages are numbered. */
import type { ChangelogForm } from "./changelog.ts";

export interface CrashedKernel {
  /** As `uname -r` prints it. */
  readonly release: string;
  /**
   * The kernel's banner ("Linux version …"), or what a log has of it ("… Not tainted 6.1.0-56-amd64 #1 Debian 6.1.192-1").
   * Empty where there is none.
   */
  readonly banner: string;
}

/** "Debian 6.1.192-1" stands in the banner and in every oops; "(Debian 12.2.0-14)" is the compiler's. */
const DEBIAN = /(?<![(\w])Debian (\d[\w.+~:-]*)/g;
/** "(Ubuntu 5.15.0-55.61-generic 5.15.74)": the package's version with the flavour, and the stable release it is based on. */
const UBUNTU = /\(Ubuntu (\d[\d.]*-[\d.]+(?:~[\d.]+)?)(?:-[a-z][\w-]*)? (\d+\.\d+\.\d+)\)/;
/** Architectures that RPM-based distributions put at the end of `uname -r`, and the kinds of kernel behind them. */
const ARCHITECTURE = /\.(?:x86_64|i[3-6]86|aarch64|ppc64(?:le)?|s390x|riscv64|noarch)(?:[.+][\w.]+)?$/;
const UPSTREAM = /^\d+\.\d+(?:\.\d+)?(?:-rc\d+)?/;

/** The crashed kernel's version in the numbering of a changelog's form; null where what is known does not tell it. */
export function crashedVersion(form: ChangelogForm, kernel: CrashedKernel): string | null {
  const { release, banner } = kernel;
  const debian = [...banner.matchAll(DEBIAN)].at(-1)?.[1] ?? null;
  const ubuntu = UBUNTU.exec(banner);
  switch (form) {
    case "debian":
      return debian ?? ubuntu?.[1] ?? null;
    case "rpm":
      return release === "" ? null : release.replace(ARCHITECTURE, "");
    case "git-log": {
      const based = debian ?? ubuntu?.[2] ?? release;
      return UPSTREAM.exec(based)?.[0] ?? null;
    }
  }
}

/** "#1 SMP PREEMPT_DYNAMIC Tue Feb 13 11:08:22 UTC 2024 (abc1234)": when it was built, for changelogs without versions. */
export function buildTime(banner: string): string | null {
  return (
    /#\d+.*?\b((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d{1,2} [\d:]+ (?:[A-Z]{2,5} )?\d{4})/.exec(
      banner,
    )?.[1] ?? null
  );
}
