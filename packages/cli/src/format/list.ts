import type { WalkedList } from "@spillway/core";
import { hex } from "../text/hex.ts";

/** Why a list ended early, in words; null where it did not. */
export function brokenListText(list: WalkedList): string | null {
  const { broken } = list;
  if (broken === null) return null;
  const last = hex(broken.entry);
  switch (broken.reason) {
    case "unreadable":
      return `the list is broken: after ${last} it leads to ${hex(broken.address)}, which cannot be read`;
    case "null":
      return `the list is broken: after ${last} it leads to NULL instead of back to its head`;
    case "duplicate":
      return `the list is broken: after ${last} it leads back to ${hex(broken.address)}, which it has been at`;
    case "limit":
      return `the list goes on after ${last}; -c COUNT shows more`;
  }
}

/** What a link that is not returned says; null where all point back. */
export function mismatchText(list: WalkedList): string | null {
  const { mismatch } = list;
  if (mismatch === null) return null;
  const { link, neighbour, back } = mismatch;
  return `the list is damaged or was being changed: ${hex(link)} leads to ${hex(neighbour)}, which points back to ${hex(back)}`;
}
