/** The order of package versions: dpkg's (deb-version(7)) and RPM's (rpm-version(7)). */

/** Splits "epoch:upstream-revision"; no epoch is 0. */
function parts(version: string): { epoch: number; upstream: string; revision: string } {
  const colon = version.indexOf(":");
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  return {
    epoch: colon < 0 ? 0 : Number(version.slice(0, colon)) || 0,
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? "" : rest.slice(dash + 1),
  };
}

type Compare = (a: string, b: string) => number;

function byParts(part: Compare, a: string, b: string): number {
  const left = parts(a);
  const right = parts(b);
  return (
    Math.sign(left.epoch - right.epoch) || part(left.upstream, right.upstream) || part(left.revision, right.revision)
  );
}

/** Runs of digits are numbers of any length; leading zeros do not count. */
function compareDigits(a: string, b: string): number {
  const left = a.replace(/^0+/, "");
  const right = b.replace(/^0+/, "");
  return Math.sign(left.length - right.length) || (left < right ? -1 : left > right ? 1 : 0);
}

/** Order of a character outside numbers for dpkg: `~` before the end, the end before letters, letters before the rest. */
function weight(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === "~") return -1;
  return /[a-z]/i.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}

function dpkgPart(a: string, b: string): number {
  let [left, right] = [a, b];
  while (left !== "" || right !== "") {
    const leftText = /^\D*/.exec(left)![0];
    const rightText = /^\D*/.exec(right)![0];
    for (let index = 0; index < Math.max(leftText.length, rightText.length); index++) {
      const order = weight(leftText[index]) - weight(rightText[index]);
      if (order !== 0) return Math.sign(order);
    }
    left = left.slice(leftText.length);
    right = right.slice(rightText.length);
    const leftDigits = /^\d*/.exec(left)![0];
    const rightDigits = /^\d*/.exec(right)![0];
    const order = compareDigits(leftDigits, rightDigits);
    if (order !== 0) return order;
    left = left.slice(leftDigits.length);
    right = right.slice(rightDigits.length);
  }
  return 0;
}

/** dpkg's order: negative where `a` is older than `b`, 0 where they are the same, positive where it is newer. */
export function compareDebianVersions(a: string, b: string): number {
  return byParts(dpkgPart, a, b);
}

/** The next segment of an RPM version: digits or letters, `~`, `^`, or null at the end. What separates segments is dropped. */
function segment(text: string): { head: string; rest: string } | null {
  const found = /^[^a-zA-Z0-9~^]*(\d+|[a-zA-Z]+|~|\^)/.exec(text);
  return found === null ? null : { head: found[1]!, rest: text.slice(found[0].length) };
}

function rpmPart(a: string, b: string): number {
  let [left, right] = [a, b];
  for (;;) {
    const one = segment(left);
    const other = segment(right);
    if (one?.head === "~" || other?.head === "~") {
      // A tilde is older than anything, the end included.
      if (one?.head !== "~") return 1;
      if (other?.head !== "~") return -1;
    } else if (one?.head === "^" || other?.head === "^") {
      // A caret is newer than the end, and older than anything else.
      if (one === null) return -1;
      if (other === null) return 1;
      if (one.head !== "^") return 1;
      if (other.head !== "^") return -1;
    } else if (one === null || other === null) {
      return one === null ? (other === null ? 0 : -1) : 1;
    } else {
      const numbers = /^\d/.test(one.head);
      if (numbers !== /^\d/.test(other.head)) return numbers ? 1 : -1;
      const order = numbers ? compareDigits(one.head, other.head) : compareText(one.head, other.head);
      if (order !== 0) return order;
    }
    left = one!.rest;
    right = other!.rest;
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** RPM's order of "epoch:version-release". A release that only one of them has does not count. */
export function compareRpmVersions(a: string, b: string): number {
  if (a.includes("-") && b.includes("-")) return byParts(rpmPart, a, b);
  const one = parts(a.includes("-") ? a : `${a}-`);
  const other = parts(b.includes("-") ? b : `${b}-`);
  return Math.sign(one.epoch - other.epoch) || rpmPart(one.upstream, other.upstream);
}
