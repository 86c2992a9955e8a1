import { allTypes, bytesInMemory, formatTypeName, type Kernel, type TypeProvider } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { cpuAddresses } from "../cpu-spec.ts";
import { formatMemoryRows } from "../format/rd.ts";
import { formatDefinition, formatMembers } from "../format/struct.ts";
import { toJson } from "../json.ts";
import { parseCount } from "../location.ts";
import { formatRead, plainRead, readRequest, type StructRequest, structRequest } from "../struct-request.ts";
import { hex16 } from "../text/hex.ts";
import { printable } from "../text/printable.ts";
import { parseOffset } from "../type-lookup.ts";
import { type RadixOptions, radixOf, valueStyle } from "../value-style.ts";
import { type DumpOptions, dumpCommand, openOne } from "./dump-command.ts";

interface StructOptions extends DumpOptions, RadixOptions {
  readonly o?: boolean;
  readonly r?: boolean;
  readonly l?: string;
  readonly c?: string;
}

/** Structs of one command at most; more is a mistyped count. */
const MAX_COUNT = 100_000;

/** The addresses that were asked for, each with the CPU where it is a per-CPU one. */
function addresses(
  kernel: Kernel,
  types: TypeProvider,
  where: string,
  size: number,
  count: string | undefined,
  options: StructOptions,
) {
  const back = options.l === undefined ? 0n : BigInt(parseOffset(types, options.l).offset);
  const text = count ?? options.c ?? "1";
  const before = text.startsWith("-");
  const many = parseCount(before ? text.slice(1) : text, MAX_COUNT);
  return cpuAddresses(kernel, where).flatMap(({ cpu, address }) => {
    const first = address - back - (before ? BigInt(size * (many - 1)) : 0n);
    return Array.from({ length: many }, (_, index) => ({
      cpu: index === 0 ? cpu : null,
      address: BigInt.asUintN(64, first + BigInt(index * size)),
    }));
  });
}

/** What `--json` prints of a definition. */
function plainDefinition({ type, name, members }: StructRequest) {
  const all =
    members.length > 0
      ? members.map(({ path, location }) => ({ ...location, name: path }))
      : type.members.map((member) => ({ ...member, offset: Math.floor(member.bitOffset / 8) }));
  return {
    kind: type.kind,
    name: type.name || name,
    size: type.size,
    members: all.map((member) => ({
      name: member.name,
      type: formatTypeName(member.type),
      offset: Math.floor(member.bitOffset / 8),
      bitOffset: member.bitOffset,
      bitSize: member.bitSize,
    })),
  };
}

function rawRows(kernel: Kernel, address: bigint, size: number): string {
  const data = bytesInMemory(kernel.memory, address, Math.ceil(size / 8) * 8);
  const whole = data.missing(0, data.bytes.length) ? new Uint8Array() : data.bytes;
  if (whole.length === 0) return `${hex16(address)}:  <not in the dump>\n`;
  return formatMemoryRows(whole, address, { bits: 64, ascii: true, symbolize: null });
}

function registerOne(program: Command, context: Context, kind: "struct" | "union"): void {
  dumpCommand(program, {
    name: kind,
    usesDebugInfo: true,
    summary:
      kind === "struct" ? "structs: their definition, or their content in memory" : "unions, as struct does structs",
    description: `${kind}s: definition with size and offsets, or content in memory.\nTypes come from the type information that the kernel and its modules carry (BTF), or from debug information.`,
    examples:
      kind === "struct"
        ? [
            ["struct vmcore task_struct -o", "its members, with their offsets"],
            ["struct vmcore task_struct.pid,comm,se.load init_task", "some members, at a symbol"],
            ["struct vmcore list_head modules", "the content"],
            ["struct vmcore module -l module.list ffffffffc04a00c8", "the address is that of a member"],
            ["struct vmcore pcpu_hot -x pcpu_hot:a", "a per-CPU variable on all CPUs"],
          ]
        : [["union vmcore rcu_special -o", "its members"]],
  })
    .argument("<file>", "the dump")
    .argument("<name>", `NAME of a ${kind} (or of a typedef), NAME.member, NAME.member,member[2].inner`)
    .argument("[where]", "an address (hexadecimal) or a symbol; :CPUS after it (:0, :0-3,5, :a) for a per-CPU one")
    .argument("[count]", "how many, one after the other; negative: up to and including the one at WHERE")
    .option("-o", "offsets of the members; with WHERE their addresses")
    .option("-l <offset>", "WHERE is this far into the struct: bytes, or STRUCT.member")
    .option("-c <count>", "like the last argument")
    .option("-r", "raw memory")
    .option("-x", "numbers in hexadecimal")
    .option("-d", "numbers in decimal (the default)")
    .action(
      (file: string, word: string, where: string | undefined, count: string | undefined, options: StructOptions) => {
        const radix = radixOf(options);
        const { kernel } = openOne(context, file, options);
        const types = allTypes(kernel);
        const asked = structRequest(types, word);
        const show = options.o ? "offset" : "none";
        if (where === undefined) {
          const text =
            asked.members.length > 0
              ? formatMembers(asked.type, asked.members, { show, radix })
              : formatDefinition(asked.type, { show, radix });
          context.terminal.write(options.json ? toJson(plainDefinition(asked)) : printable(text, { keepLines: true }));
          return;
        }
        const places = addresses(kernel, types, where, asked.type.size, count, options);
        if (options.json) {
          context.terminal.write(
            toJson(
              places.map(({ cpu, address }) => ({
                address,
                cpu,
                value: plainRead(readRequest(kernel, asked, address)),
              })),
            ),
          );
          return;
        }
        const style = valueStyle(kernel, options);
        const blocks = places.map(({ cpu, address }) => {
          const head = cpu === null ? "" : `[${cpu}]: ${hex16(address)}\n`;
          if (options.r) return head + rawRows(kernel, address, asked.type.size);
          if (options.o) {
            const column = { show: { address }, radix };
            return (
              head +
              (asked.members.length > 0
                ? formatMembers(asked.type, asked.members, column)
                : formatDefinition(asked.type, column))
            );
          }
          return head + formatRead(asked, readRequest(kernel, asked, address), style);
        });
        const gap = asked.members.length > 0 || options.r ? "" : "\n";
        context.terminal.write(printable(blocks.join(gap), { keepLines: true }));
      },
    );
}

export function registerStruct(program: Command, context: Context): void {
  registerOne(program, context, "struct");
  registerOne(program, context, "union");
}
