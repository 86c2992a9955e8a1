import { SpillwayError } from "../../errors.ts";
import type { Place } from "./model.ts";

/** A model that cannot be read as one, with where: SPW_CHECK_BAD_MODEL. */
export function badModel(at: Place | null, message: string, hint?: string): SpillwayError {
  const where = at === null || at === "" ? "" : `${at}: `;
  return new SpillwayError("SPW_CHECK_BAD_MODEL", `${where}${message}`, {
    facts: { at },
    hint: hint ?? "docs/check-models.md describes models; spillway check PRESET --source shows one.",
  });
}

/** A model that asks for more than is allowed: SPW_CHECK_TOO_LARGE. */
export function tooLarge(at: Place | null, message: string): SpillwayError {
  const where = at === null || at === "" ? "" : `${at}: `;
  return new SpillwayError("SPW_CHECK_TOO_LARGE", `${where}${message}`, {
    facts: { at },
    hint: "Check a smaller model: what goes wrong mostly does with two or three tasks.",
  });
}
