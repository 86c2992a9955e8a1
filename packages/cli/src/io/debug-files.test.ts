import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DebugFileRequest } from "@spillway/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DiskDebugFiles } from "./debug-files.ts";
import { filesBelow, type PlacesEnvironment, usualFiles, usualModuleTrees } from "./debug-places.ts";

const RELEASE = "6.1.0-56-cloud-amd64";
const ID = "3b43fad5";
const kernel: DebugFileRequest = { kind: "kernel", release: RELEASE, buildId: ID };
const module: DebugFileRequest = { kind: "module", name: "snd_hda_intel", release: RELEASE, buildId: ID };

let root = "";
let environment: PlacesEnvironment;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "spillway-debug-"));
  environment = { root, variables: {}, home: join(root, "home") };
});
afterEach(() => rmSync(root, { recursive: true }));

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), path);
  }
}

/** What is offered for a request, without the root. */
function found(request: DebugFileRequest, named: readonly string[] = []): string[] {
  const files = new DiskDebugFiles(
    named.map((path) => join(root, path)),
    environment,
  );
  return [...files.candidates(request)].map((source) => source.name.slice(root.length));
}

describe("the kernel's file in the usual places", () => {
  test.each([
    `/usr/lib/debug/.build-id/3b/43fad5.debug`,
    `/usr/lib/debug/boot/vmlinux-${RELEASE}`,
    `/usr/lib/debug/lib/modules/${RELEASE}/vmlinux`,
    `/lib/modules/${RELEASE}/build/vmlinux`,
    `/boot/vmlinux-${RELEASE}`,
    `/home/.cache/debuginfod_client/${ID}/debuginfo`,
  ])("%s", (path) => {
    put(path, "/boot/vmlinux-other", `/usr/lib/debug/.build-id/3b/other.debug`);
    expect(found(kernel)).toEqual([path]);
  });

  test("the build-id's own comes first, a link to it does not come again, and empty files are none", () => {
    put(`/usr/lib/debug/.build-id/3b/43fad5.debug`, `/boot/vmlinux-${RELEASE}`);
    mkdirSync(join(root, "usr/lib/debug/boot"), { recursive: true });
    symlinkSync(
      join(root, "usr/lib/debug/.build-id/3b/43fad5.debug"),
      join(root, `usr/lib/debug/boot/vmlinux-${RELEASE}`),
    );
    mkdirSync(join(root, `lib/modules/${RELEASE}`), { recursive: true });
    writeFileSync(join(root, `lib/modules/${RELEASE}/vmlinux`), "");
    expect(found(kernel)).toEqual(["/usr/lib/debug/.build-id/3b/43fad5.debug", `/boot/vmlinux-${RELEASE}`]);
  });

  test.each([
    ["DEBUGINFOD_CACHE_PATH", "mine", `/mine/${ID}/debuginfo`],
    ["XDG_CACHE_HOME", "xdg", `/xdg/debuginfod_client/${ID}/debuginfo`],
  ])("%s says where debuginfod's cache is", (variable, folder, path) => {
    environment = { ...environment, variables: { [variable]: join(root, folder) } };
    put(path);
    expect(found(kernel)).toEqual([path]);
  });

  test.each(["../../etc", "a/b", "", "-x", "a\nb"])("a release like %j becomes no path", (release) => {
    const paths = [...usualFiles({ ...kernel, release }, environment), ...usualModuleTrees(release, environment)];
    expect(paths.filter((path) => !path.includes(ID) && !path.includes(".build-id"))).toEqual([]);
    expect(filesBelow("/d", { ...kernel, release }).every((path) => /\.build-id|debuginfo/.test(path))).toBe(true);
  });
});

describe("a module's file", () => {
  const DEBIAN = `/usr/lib/debug/lib/modules/${RELEASE}/kernel/sound/pci/hda/snd-hda-intel.ko`;

  test.each([
    DEBIAN,
    `/usr/lib/debug/lib/modules/${RELEASE}/kernel/sound/pci/hda/snd-hda-intel.ko.debug`,
    `/usr/lib/debug/usr/lib/modules/${RELEASE}/kernel/sound/snd_hda_intel.ko.debug`,
    `/lib/modules/${RELEASE}/updates/dkms/snd-hda-intel.ko`,
    "/usr/lib/debug/.build-id/3b/43fad5.debug",
  ])("%s", (path) => {
    put(path, `/usr/lib/debug/lib/modules/${RELEASE}/kernel/fs/ext4.ko`);
    expect(found(module)).toEqual([path]);
  });

  test("links among directories are not followed", () => {
    put(DEBIAN);
    symlinkSync(join(root, "usr"), join(root, `usr/lib/debug/lib/modules/${RELEASE}/build`));
    expect(found(module)).toEqual([DEBIAN]);
  });
});

describe("what the user named", () => {
  test("a directory is looked in first, as a plain one and as a tree", () => {
    put("/given/vmlinux", `/given/usr/lib/debug/boot/vmlinux-${RELEASE}`, `/boot/vmlinux-${RELEASE}`);
    expect(found(kernel, ["/given"])).toEqual([
      "/given/vmlinux",
      `/given/usr/lib/debug/boot/vmlinux-${RELEASE}`,
      `/boot/vmlinux-${RELEASE}`,
    ]);
  });

  test("modules are found anywhere below a directory", () => {
    put("/given/a/b/snd-hda-intel.ko", "/given/a/c.ko");
    expect(found(module, ["/given"])).toEqual(["/given/a/b/snd-hda-intel.ko"]);
  });

  test("files are handed on as they are, and have to be there", () => {
    put("/given/x.debug");
    const files = new DiskDebugFiles([join(root, "given/x.debug"), join(root, "given")], environment);
    expect(files.named.map((source) => source.name)).toEqual([join(root, "given/x.debug")]);
    expect(() => new DiskDebugFiles([join(root, "none")], environment)).toThrow(
      expect.objectContaining({ code: "SPW_INPUT_NOT_FOUND" }),
    );
  });

  test("a link that leads to itself cannot be read", () => {
    symlinkSync(join(root, "circle"), join(root, "circle"));
    expect(() => new DiskDebugFiles([join(root, "circle")], environment)).toThrow(
      expect.objectContaining({ code: "SPW_INPUT_UNREADABLE" }),
    );
  });
});
