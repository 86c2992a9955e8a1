import { describe, expect, test } from "vitest";
import type { Culprit, DiagnosisFrame, VerdictKind } from "../diagnose/diagnosis.ts";
import type { Changelog, ChangelogForm } from "./changelog.ts";
import { buildTime, crashedVersion } from "./crashed-version.ts";
import { searchChangelog } from "./search.ts";
import { type SubjectSource, subjectOf } from "./subject.ts";

const DEBIAN_BANNER =
  "Linux version 6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)";
const UBUNTU_BANNER =
  "Linux version 5.15.0-55-generic (buildd@lcy02) (gcc (Ubuntu 11.3.0-1ubuntu1~22.04) 11.3.0, GNU ld (GNU Binutils for Ubuntu) 2.38) #61-Ubuntu SMP Mon Jan 1 10:00:00 UTC 2024 (Ubuntu 5.15.0-55.61-generic 5.15.74)";

describe("the crashed kernel's version", () => {
  test.each<[ChangelogForm, string, string, string | null]>([
    ["debian", "6.1.0-56-cloud-amd64", DEBIAN_BANNER, "6.1.192-2"],
    ["debian", "6.1.0-56-amd64", "CPU: 1 PID: 9 Comm: sh Not tainted 6.1.0-56-amd64 #1  Debian 6.1.192-2", "6.1.192-2"],
    ["debian", "5.15.0-55-generic", UBUNTU_BANNER, "5.15.0-55.61"],
    ["debian", "6.1.0-56-amd64", "", null],
    ["debian", "6.9.0", "Linux version 6.9.0 (gcc (Debian 12.2.0-14) 12.2.0) #1 SMP", null],
    ["rpm", "3.10.0-862.14.2.el7.x86_64", "", "3.10.0-862.14.2.el7"],
    ["rpm", "4.18.0-553.el8_10.x86_64+debug", "", "4.18.0-553.el8_10"],
    ["rpm", "6.6.9-200.fc39.aarch64", "", "6.6.9-200.fc39"],
    ["rpm", "", "", null],
    ["git-log", "6.1.100", "", "6.1.100"],
    ["git-log", "6.9.0-rc3+", "", "6.9.0-rc3"],
    ["git-log", "6.1.0-56-cloud-amd64", DEBIAN_BANNER, "6.1.192"],
    ["git-log", "5.15.0-55-generic", UBUNTU_BANNER, "5.15.74"],
    ["git-log", "", "", null],
  ])("%s, %s %s", (form, release, banner, version) => {
    expect(crashedVersion(form, { release, banner })).toBe(version);
  });

  test("its build time", () => {
    expect(buildTime("#1 SMP PREEMPT_DYNAMIC Tue Feb 13 11:08:22 UTC 2024 (abc1234)")).toBe(
      "Tue Feb 13 11:08:22 UTC 2024",
    );
    expect(buildTime(DEBIAN_BANNER)).toBeNull();
  });
});

function frame(name: string, module: string | null = null): DiagnosisFrame {
  const rest = { offset: 0, address: "0x0", sp: "0x0", certainty: "proven", inlined: false, why: null } as const;
  return { function: name, module, ...rest };
}

function about(kind: VerdictKind, culprit: Partial<Culprit> | null, rest: Partial<SubjectSource> = {}): SubjectSource {
  const whole = culprit === null ? null : { function: "f", module: null, file: null, line: null, ...culprit };
  return {
    verdict: { kind, cause: null, confidence: "certain", summary: "", culprit: whole },
    frames: [],
    recursion: null,
    ...rest,
  };
}

describe("what is looked for", () => {
  test.each<[string, SubjectSource, string[]]>([
    [
      "a module's function",
      about("stack-buffer-overflow", { function: "parse_value.isra.0", module: "vandal" }),
      ["function parse_value (culprit)", "module vandal"],
    ],
    [
      "culprit and detector",
      about(
        "foreign-write",
        { function: "exchange_timer", module: "vandal" },
        { frames: [frame("panic"), frame("__stack_chk_fail"), frame("estimate_delay", "vandal")] },
      ),
      ["function exchange_timer (culprit)", "function estimate_delay (detector)", "module vandal"],
    ],
    [
      "all functions of a cycle",
      about(
        "stack-overflow",
        { function: "resolve_name", module: "vandal" },
        {
          frames: [frame("resolve_alias", "vandal")],
          recursion: { functions: ["resolve_name", "resolve_alias"], firstFrame: 0, turns: 9, bytesPerTurn: 64 },
        },
      ),
      ["function resolve_name (culprit)", "function resolve_alias (recursion)", "module vandal"],
    ],
    [
      "built-in code with its source file",
      about("frame-mismatch", { function: "hrtimer_nanosleep", file: "kernel/time/hrtimer.c" }),
      [
        "function hrtimer_nanosleep (culprit)",
        "file kernel/time/hrtimer.c",
        "subsystem hrtimer",
        "subsystem nanosleep",
      ],
    ],
    [
      "without a culprit the innermost functions that say something",
      about("undetermined", null, { frames: [frame("panic"), frame("do_futex"), frame("do_syscall_64")] }),
      ["function do_futex (innermost)", "subsystem futex"],
    ],
  ])("%s", (_what, source, labels) => {
    expect(subjectOf(source).map((term) => term.label)).toEqual(labels);
  });

  const matching = (source: SubjectSource, text: string) =>
    subjectOf(source)
      .filter((term) => term.pattern.test(text))
      .map((term) => term.label.split(" ")[0]);

  test.each<[Partial<Culprit>, string, string[]]>([
    [{ function: "parse_value" }, "fix overflow in parse_value()", ["function"]],
    [{ function: "parse_value" }, "parse_values: fix", []],
    [{ function: "parse_value" }, "__parse_value: fix", []],
    [{ function: "parse_value" }, "lib/parse_value.c: tidy up", []],
    [{ function: "schedule" }, "fix the schedule of releases", []],
    [{ function: "schedule" }, "call schedule() in time", ["function"]],
    [{ function: "f", module: "ext4" }, "ext4: fix", ["module"]],
    [{ function: "f", module: "ext4" }, "[fs] ext4: fix", ["module"]],
    [{ function: "f", module: "ext4" }, "fs/ext4: fix", ["module"]],
    [{ function: "f", module: "ext4" }, "ext4/jbd2: fix", ["module"]],
    [{ function: "f", module: "ext4" }, "xfs: be like ext4", []],
    [{ function: "f", module: "ext4" }, "next4: fix", []],
    [{ function: "f", module: "dm_crypt" }, "dm-crypt: fix", ["module"]],
    [{ function: "f", module: "a+b(c" }, "a+b(c: fix", ["module"]],
    [{ function: "f", file: "net/core/dev.c" }, "see net/core/dev.c", ["file"]],
    [{ function: "f", file: "net/core/dev.c" }, "see linux/net/core/dev.c:12", ["file"]],
    [{ function: "f", file: "net/core/dev.c" }, "see drivers/score/dev.c", []],
  ])("%j in %j", (culprit, text, kinds) => {
    expect(matching(about("undetermined", culprit), text)).toEqual(kinds);
  });
});

function changelog(form: ChangelogForm, releases: Readonly<Record<string, readonly string[]>>): Changelog {
  return {
    form,
    releases: Object.entries(releases).map(([version, texts]) => ({
      version: version === "" ? null : version,
      date: "2026-11-14",
      author: null,
      changes: texts.map((text) => ({ text, body: "" })),
    })),
  };
}

const SUBJECT = about("stack-buffer-overflow", { function: "parse_value", module: "vandalfs" });
const CRASHED = { release: "6.1.0-7-amd64", banner: "#1 SMP Debian 6.1.19-1 (2026-10-01)" };

describe("the search", () => {
  const releases = {
    "6.1.21-1": ["vandalfs: speak softly", "perf vandalfs: fix overflow in parse_value"],
    "6.1.20-1": ["vandalfs: fix overflow", "net: use parse_value()", "vandalfs: fix overflow in parse_value()", "rest"],
    "6.1.19-1": ["vandalfs: fix overflow in parse_value() too early"],
  };

  test("goes through what is newer, and ranks: functions before modules, fitting wording before other", () => {
    const result = searchChangelog(changelog("debian", releases), CRASHED, SUBJECT, "changelog.gz");
    expect(result).toMatchObject({ source: "changelog.gz", from: "6.1.19-1", to: "6.1.21-1", searched: 6, found: 4 });
    expect(result.entries.map(({ version, text }) => `${version} ${text}`)).toEqual([
      "6.1.20-1 vandalfs: fix overflow in parse_value()",
      "6.1.20-1 net: use parse_value()",
      "6.1.20-1 vandalfs: fix overflow",
      "6.1.21-1 vandalfs: speak softly",
    ]);
    expect(result.entries[0]?.matches).toEqual([
      "function parse_value (culprit)",
      "module vandalfs",
      'wording "overflow"',
    ]);
    expect(result.notes).toEqual([]);
  });

  test("a commit's message counts, less than its subject", () => {
    const change = { text: "a change", body: "Call Trace:\n parse_value+0x10/0x20" };
    const log: Changelog = {
      form: "git-log",
      releases: [{ version: "6.1.20", date: null, author: null, changes: [change, { text: "parse_value", body: "" }] }],
    };
    const result = searchChangelog(log, CRASHED, SUBJECT, "ChangeLog");
    expect(result.entries.map((entry) => entry.text)).toEqual(["parse_value", "a change"]);
  });

  test("nothing found is told with what was searched", () => {
    const result = searchChangelog(changelog("debian", { "6.1.20-1": ["a", "b"] }), CRASHED, SUBJECT, "c");
    expect(result).toMatchObject({ entries: [], found: 0, searched: 2 });
  });

  test("many are cut, and counted", () => {
    const many = changelog("debian", { "6.1.20-1": Array.from({ length: 70 }, (_, i) => `vandalfs: ${i}`) });
    const result = searchChangelog(many, CRASHED, SUBJECT, "c");
    expect([result.entries.length, result.found]).toEqual([50, 70]);
  });

  test.each<[string, Changelog, { release: string; banner: string }, number, RegExp | null]>([
    [
      "the crashed one is the newest",
      changelog("debian", { "6.1.19-1": ["x"] }),
      CRASHED,
      0,
      /is the one that crashed/,
    ],
    ["it ends before", changelog("debian", { "6.1.18-1": ["x"] }), CRASHED, 0, /it ends with 6\.1\.18-1, before/],
    ["it begins behind", changelog("debian", { "6.2-1": ["x"] }), CRASHED, 1, /does not have 6\.1\.19-1 itself/],
    ["unknown", changelog("debian", { "6.2-1": ["x"] }), { release: "6.1.9", banner: "" }, 1, /could not be matched/],
    [
      "without its distribution's suffix",
      changelog("rpm", { "6.6.10-200": ["x"], "6.6.9-200": ["y"] }),
      { release: "6.6.9-200.fc39.x86_64", banner: "" },
      1,
      null,
    ],
    [
      "a candidate is older than its release",
      changelog("git-log", { "6.9": ["x"], "6.9-rc4": ["y"], "6.9-rc3": ["z"] }),
      { release: "6.9-rc3", banner: "" },
      2,
      null,
    ],
    [
      "by date where there are no versions",
      changelog("rpm", { "": ["x"] }),
      { release: "6.4.0-1-default", banner: "#1 SMP Tue Feb 13 11:08:22 UTC 2024 (abc)" },
      1,
      /dated after the crashed kernel's build/,
    ],
    [
      "by date, all of it before",
      changelog("rpm", { "": ["x"] }),
      { release: "6.4.0-1-default", banner: "#1 SMP Tue Feb 13 11:08:22 UTC 2029 (abc)" },
      0,
      /dated after/,
    ],
  ])("from where: %s", (_what, log, crashed, searched, note) => {
    const result = searchChangelog(log, crashed, SUBJECT, "c");
    expect(result.searched).toBe(searched);
    if (note === null) expect(result.notes).toEqual([]);
    else expect(result.notes[0]).toMatch(note);
  });
});
