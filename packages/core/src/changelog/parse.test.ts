import { describe, expect, test } from "vitest";
import { isoDate } from "./changelog.ts";
import { parseChangelog } from "./parse.ts";

const DEBIAN = `linux-signed-amd64 (6.1.20+2) bookworm; urgency=high

  * Sign kernel from linux 6.1.20-2

  * vandalfs: stop at the last entry

 -- A. Maintainer <a@example.org>  Mon, 16 Nov 2026 11:17:40 +0100

linux (6.1.20-1) bookworm; urgency=high

  * New upstream stable update:
    https://example.org/ChangeLog-6.1.20
    - vandalfs: fix stack buffer overflow in
      parse_value() (CVE-2026-00001)
    - [x86] hrtimer: keep the frame

  [ B. Maintainer ]
  * Bump ABI to 7

 -- B. Maintainer <b@example.org>  Sat,  7 Nov 2026 09:00:00 +0100
`;

const RPM = `* Fri Nov 13 2015 A. Packager <a@example.org> [3.10.0-327.2.1.el7]
- [fs] vandalfs: bound the copy in parse_value (A. Author) [1234 5678] {CVE-2015-0001}
- [kernel] hrtimer: keep
  the frame

* Mon Nov 02 2015 B. Packager <b@example.org> - 3.10.0-327.el7
- rebuild
* Sun Nov 01 2015 c@example.org
- vandalfs: a change without a version (bsc#1)
`;

const GIT = `commit 0123456789abcdef0123456789abcdef01234567
Author: A. Maintainer <a@example.org>
Date:   Sat Nov 14 11:29:58 2026 +0100

    Linux 6.1.20

    Link: https://example.org/

commit 1123456789abcdef0123456789abcdef01234567
Author: B. Author <b@example.org>
Date:   Fri Nov 13 10:00:00 2026 +0100

    vandalfs: bound the copy

    [ Upstream commit 89 ]

    parse_value() copies what it is given.

commit 2123456789abcdef0123456789abcdef01234567
Author: A. Maintainer <a@example.org>
Date:   Sat Oct 31 11:29:58 2026 +0100

    Linux 6.1.19-rc2
`;

/** One line for each change: version, date, text. */
function lines(text: string): (string | null)[] | undefined {
  return parseChangelog(text)?.releases.flatMap((one) =>
    one.changes.map((change) => `${one.version} ${one.date} ${change.text}`),
  );
}

describe("changelogs", () => {
  test("Debian's: two levels of entries, the signed package's version is its source's", () => {
    expect(parseChangelog(DEBIAN)?.form).toBe("debian");
    expect(lines(DEBIAN)).toEqual([
      "6.1.20-2 2026-11-16 Sign kernel from linux 6.1.20-2",
      "6.1.20-2 2026-11-16 vandalfs: stop at the last entry",
      "6.1.20-1 2026-11-07 New upstream stable update: https://example.org/ChangeLog-6.1.20",
      "6.1.20-1 2026-11-07 vandalfs: fix stack buffer overflow in parse_value() (CVE-2026-00001)",
      "6.1.20-1 2026-11-07 [x86] hrtimer: keep the frame",
      "6.1.20-1 2026-11-07 Bump ABI to 7",
    ]);
    expect(parseChangelog(DEBIAN)?.releases[0]?.author).toBe("A. Maintainer <a@example.org>");
  });

  const rpm = [
    "3.10.0-327.2.1.el7 2015-11-13 [fs] vandalfs: bound the copy in parse_value (A. Author) [1234 5678] {CVE-2015-0001}",
    "3.10.0-327.2.1.el7 2015-11-13 [kernel] hrtimer: keep the frame",
    "3.10.0-327.el7 2015-11-02 rebuild",
    "null 2015-11-01 vandalfs: a change without a version (bsc#1)",
  ];

  test("RPM's, with Red Hat's, Fedora's and no version", () => {
    expect(parseChangelog(RPM)?.form).toBe("rpm");
    expect(lines(RPM)).toEqual(rpm);
  });

  test("a spec file's section", () => {
    const spec = `Name: kernel\n* not an entry\n%files\n- nor this\n%changelog\n${RPM}\n%check\n- nor this\n`;
    expect(lines(spec)).toEqual(rpm);
  });

  test("git's, with the messages", () => {
    const parsed = parseChangelog(GIT);
    expect(parsed?.form).toBe("git-log");
    expect(parsed?.releases.map((one) => [one.version, one.date, one.changes.length])).toEqual([
      ["6.1.20", "2026-11-14", 1],
      ["6.1.19-rc2", "2026-10-31", 0],
    ]);
    const [fix] = parsed!.releases[0]!.changes;
    expect(fix?.text).toBe("vandalfs: bound the copy");
    expect(fix?.body).toContain("parse_value() copies");
  });

  test("line ends and a byte order mark make no difference", () => {
    for (const text of [DEBIAN, RPM, GIT]) {
      expect(parseChangelog(`\ufeff${text.replaceAll("\n", "\r\n")}`)).toEqual(parseChangelog(text));
    }
  });

  test.each([
    ["", "nothing"],
    ["linux is a kernel\n", "prose"],
    ["* a list\n* of things\n", "a list"],
    ["\u0000\u0001\u0002", "bytes"],
  ])("%j is none", (text) => {
    expect(parseChangelog(text)).toBeNull();
  });

  test("damaged ones end, and give what is there", () => {
    for (const text of [DEBIAN, RPM, GIT]) {
      for (let length = 0; length <= text.length; length += 7) {
        const parsed = parseChangelog(text.slice(0, length));
        expect(parsed?.releases.length ?? 0).toBeLessThanOrEqual(3);
      }
    }
  });
});

describe("dates", () => {
  test.each([
    ["Sat, 14 Nov 2026 11:29:58 +0100", "2026-11-14"],
    ["Wed Sep  6 2018", "2018-09-06"],
    ["Wed Sep 26 15:12:11 2018 +0000", "2018-09-26"],
    ["Tue Feb 13 11:08:22 UTC 2024", "2024-02-13"],
    ["2026-11-14", "2026-11-14"],
    ["yesterday", null],
  ])("%s", (text, date) => {
    expect(isoDate(text)).toBe(date);
  });
});
