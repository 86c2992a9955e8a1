import { homedir } from "node:os";
import { join } from "node:path";
import type { DebugFileRequest } from "@spillway/core";

/** What of the environment decides where debug files are. */
export interface PlacesEnvironment {
  /** Put before every absolute place: "" but for tests. */
  readonly root: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

export function processEnvironment(): PlacesEnvironment {
  return { root: "", variables: process.env, home: homedir() };
}

/** Text from a dump becomes part of a path only where it is a plain name. */
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_.+~-]*$/;

/**
 * Where the packages of distributions, `make` and the debuginfod client leave debug files, likeliest first: paths of files that
 * may be there.
 */
export function usualFiles(request: DebugFileRequest, environment: PlacesEnvironment): string[] {
  const { root } = environment;
  const byId = request.buildId === null ? [] : filesByBuildId(request.buildId, environment);
  if (request.kind === "module" || !PLAIN.test(request.release)) return byId;
  const { release } = request;
  return [
    ...byId,
    ...[
      `/usr/lib/debug/boot/vmlinux-${release}`,
      `/usr/lib/debug/boot/vmlinux-${release}.debug`,
      `/usr/lib/debug/lib/modules/${release}/vmlinux`,
      `/usr/lib/debug/usr/lib/modules/${release}/vmlinux`,
      `/usr/lib/debug/vmlinux-${release}`,
      `/lib/modules/${release}/build/vmlinux`,
      `/lib/modules/${release}/vmlinux`,
      `/boot/vmlinux-${release}`,
    ].map((path) => root + path),
  ];
}

/** Directories below which a module's file may be, under its own name or with ".debug" (as .gnu_debuglink has it). */
export function usualModuleTrees(release: string, { root }: PlacesEnvironment): string[] {
  if (!PLAIN.test(release)) return [];
  return [
    `/usr/lib/debug/lib/modules/${release}`,
    `/usr/lib/debug/usr/lib/modules/${release}`,
    `/lib/modules/${release}`,
  ].map((path) => root + path);
}

/** The same within a directory that the user named: a directory of files, or a tree like the one below /. */
export function filesBelow(directory: string, request: DebugFileRequest): string[] {
  const { buildId, release } = request;
  const byId =
    buildId === null
      ? []
      : [join(directory, ".build-id", byIdPath(buildId)), join(directory, buildId, "debuginfo")].concat(
          join(directory, "usr/lib/debug/.build-id", byIdPath(buildId)),
        );
  if (request.kind === "module" || !PLAIN.test(release)) return byId;
  const names = [`vmlinux-${release}`, "vmlinux", `vmlinux-${release}.debug`, "vmlinux.debug"];
  const places = ["", "boot", `lib/modules/${release}`, "usr/lib/debug/boot", `usr/lib/debug/lib/modules/${release}`];
  return [...byId, ...places.flatMap((place) => names.map((name) => join(directory, place, name)))];
}

function filesByBuildId(buildId: string, { root, variables, home }: PlacesEnvironment): string[] {
  // debuginfod_find_debuginfo(3): the cache's path, or one below the user's cache directory, or that of old versions.
  const caches = [
    variables["DEBUGINFOD_CACHE_PATH"],
    join(variables["XDG_CACHE_HOME"] || join(home, ".cache"), "debuginfod_client"),
    join(home, ".debuginfod_client_cache"),
  ].filter((path) => path !== undefined && path !== "");
  return [
    `${root}/usr/lib/debug/.build-id/${byIdPath(buildId)}`,
    ...caches.map((path) => join(path as string, buildId, "debuginfo")),
  ];
}

/** "3b43fad5…" is 3b/43fad5….debug in a tree of build-ids. */
function byIdPath(buildId: string): string {
  return `${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`;
}
