import { expect, test } from "vitest";
import { cacheFolder } from "./cache-folder.ts";

test.each([
  ["/var/cache/me", /^\/var\/cache\/me\/spillway$/],
  ["relative", /\/\.cache\/spillway$/],
  [undefined, /\/\.cache\/spillway$/],
])("with XDG_CACHE_HOME %s", (XDG_CACHE_HOME, expected) => {
  expect(cacheFolder({ XDG_CACHE_HOME })).toMatch(expected);
});
