import type { ErrorClass } from "@spillway/core";

/** What `spillway` exits with. Documented in docs/errors.md; scripts rely on it, so a number never changes its meaning. */
export const EXIT_OK = 0;
/** All went well, and a limit that was asked for is exceeded, or a model does not hold. */
export const EXIT_LIMIT = 6;

/** Exit code of each class of error. */
export const EXIT_CODES: Readonly<Record<ErrorClass, number>> = {
  internal: 1,
  usage: 2,
  input: 3,
  missing: 4,
  environment: 5,
};
