import { expect, test } from "vitest";
import { FunctionTable } from "./function-table.ts";
import { addSecurityHooks } from "./security-hooks.ts";
import { tinyProgram } from "./tiny-program.fixture.ts";

test("all trampolines of a hook lead to all functions that lists have for it", () => {
  const names = ["open_0", "open_1", "close_0"].map((hook) => `__SCT__lsm_static_call_${hook}`);
  const functions = [...names, "selinux_open", "bpf_open", "bpf_close", "other"];
  const data = {
    key: ["key"],
    static_calls_table: names.flatMap((trampoline) => ["key", trampoline, "key", "key"]),
    lists: [
      ...["static_calls_table", "selinux_open", "key"],
      ...["static_calls_table", "bpf_open", "key"],
      ...["static_calls_table+64", "bpf_close", "key"],
      // Not the beginning of a hook's entries.
      ...["static_calls_table+8", "other"],
    ],
  };
  const { program, at } = tinyProgram({
    functions: Object.fromEntries(functions.map((name) => [name, "c3  ret"])),
    data,
  });
  const address = at("static_calls_table");
  const area = { start: at("key"), end: at("lists") + 88n, module: null, section: ".data", init: false };
  const table = new FunctionTable(program);
  const targets = new Map<number, number[]>();
  const byName = (name: string) => ({ name, address, type: "d", module: null });
  addSecurityHooks({ ...program, symbols: { ...program.symbols, byName }, data: [area] }, table, targets);
  const told = [...targets].map(([f, callees]) => [table.name[f], ...callees.map((callee) => table.name[callee])]);
  expect(told).toEqual([
    [names[0], "selinux_open", "bpf_open"],
    [names[1], "selinux_open", "bpf_open"],
    [names[2], "bpf_close"],
  ]);
});
