/**
 * What is right for each sample, written down by hand from what its scenario did: not what diagnose happened to say. Chains run
 * from the innermost frame named outwards; `?` marks a frame that can only be inferred.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Diagnosis, diagnose, type Kernel } from "@spillway/core";
import { beforeAll, describe, expect, test } from "vitest";
import { openFiles } from "../src/io/open-files.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "samples");

interface Truth {
  readonly release: string;
  readonly levels: 4 | 5;
  readonly kind: Diagnosis["verdict"]["kind"];
  readonly cause: Diagnosis["verdict"]["cause"];
  /** Any of these is right: in a circle nobody is first. */
  readonly culprits: readonly string[];
  readonly chain: readonly string[];
  readonly cycle: readonly string[];
  /** First bytes of what was written over the stack. */
  readonly pattern: RegExp | null;
}

const SYSTEM_CALL = ["run_command", "vandal_write", "proc_reg_write", "vfs_write", "ksys_write", "do_syscall_64"];

const TRUTH: Record<string, Truth> = {
  "stack-buffer-overflow-6.1.kdump": {
    release: "6.1.0-56-cloud-amd64",
    levels: 4,
    kind: "stack-buffer-overflow",
    cause: null,
    culprits: ["parse_value"],
    chain: ["panic", "__stack_chk_fail", "parse_value", "parse_field?", "parse_packet?", "handle_login"].concat(
      "start_overrun_long",
      SYSTEM_CALL,
    ),
    cycle: [],
    pattern: /abcdefghij/,
  },
  "stack-overflow-6.12-la57.kdump": {
    release: "6.12.117+deb12-cloud-amd64",
    levels: 5,
    kind: "stack-overflow",
    cause: "recursion",
    culprits: ["propagate_features", "bond_update_features", "vlan_update_features", "tunnel_update_features"],
    chain: [
      ...["exc_double_fault", "asm_exc_double_fault", "vlan_update_features", "propagate_features"],
      ...["bond_update_features", "change_features", "start_recursion_indirect"],
      ...SYSTEM_CALL,
    ],
    cycle: [
      ...["bond_update_features", "propagate_features", "propagate_features", "propagate_features"],
      ...["tunnel_update_features", "vlan_update_features"],
    ],
    pattern: null,
  },
};

/** The first of `wanted` that `names` lacks, or has in another order. */
function firstMissing(names: readonly string[], wanted: readonly string[]): string | null {
  let from = 0;
  for (const name of wanted) {
    const at = names.indexOf(name, from);
    if (at < 0) return name;
    from = at + 1;
  }
  return null;
}

test("every sample has its truth", () => {
  expect(readdirSync(folder).filter((name) => name.endsWith(".kdump"))).toEqual(Object.keys(TRUTH).sort());
});

describe.each(Object.entries(TRUTH))("%s", (name, truth) => {
  let kernel: Kernel;
  let diagnosis: Diagnosis;
  beforeAll(() => {
    kernel = openFiles([join(folder, name)]).kernel;
    diagnosis = diagnose(kernel, { path: name });
  });

  test("is that kernel", () => {
    expect({ release: kernel.release, levels: kernel.pagingLevels }).toEqual({
      release: truth.release,
      levels: truth.levels,
    });
  });

  test("gets its verdict and culprit, without a doubt", () => {
    const { kind, cause, confidence, culprit } = diagnosis.verdict;
    expect({ kind, cause, confidence }).toEqual({ kind: truth.kind, cause: truth.cause, confidence: "certain" });
    expect(truth.culprits).toContain(culprit?.function);
    expect(culprit?.module).toBe("vandal");
  });

  test("gets its chain, and says what is inferred", () => {
    const names = diagnosis.frames.map((frame) => `${frame.function}${frame.certainty === "inferred" ? "?" : ""}`);
    expect(firstMissing(names, truth.chain)).toBeNull();
    expect(names.filter((one) => one.endsWith("?"))).toEqual(truth.chain.filter((one) => one.endsWith("?")));
  });

  test("gets its damage and its circle", () => {
    if (truth.pattern === null) expect(diagnosis.corruption).toBeNull();
    else expect(diagnosis.corruption?.pattern).toMatch(truth.pattern);
    expect([...(diagnosis.recursion?.functions ?? [])].sort()).toEqual(truth.cycle);
  });

  test("lacks nothing that the diagnosis would miss", () => {
    expect(diagnosis.missing).toEqual([]);
  });
});
