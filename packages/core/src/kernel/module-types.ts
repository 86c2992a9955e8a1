import { SpillwayError } from "../errors.ts";
import type { KernelModule } from "../symbols/symbol-table.ts";
import { BtfProvider, openBtf } from "../types/btf.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import { isKernelAddress } from "./context.ts";
import type { Kernel } from "./kernel.ts";

/** The largest modules' BTF is a few MB. */
const LARGEST = 64 << 20;
const MAX_MODULES = 8192;

/**
 * Types of a module on top of the kernel's: the kernel keeps a copy of each module's split BTF, in the list `btf_modules`
 * (36e68442d1af, 5.11). That copy is the one whose ids fit: modules built apart from the kernel bring a base of their own,
 * which is replaced when they are loaded (6.11). Else the section as the module brought it.
 * Null where the module has no BTF (it was built without, or failed to match) or the dump lacks it.
 */
export function moduleTypes(
  kernel: Pick<Kernel, "memory" | "symbols" | "types">,
  module: KernelModule,
): TypeProvider | null {
  const { types } = kernel;
  if (!(types instanceof BtfProvider)) return null;
  const bytes = loadedCopy(kernel, module) ?? ownSection(kernel, module);
  if (bytes === null) return null;
  try {
    return openBtf(bytes, types);
  } catch (error) {
    if (error instanceof SpillwayError) return null; // these bytes are no BTF: as good as none
    throw error;
  }
}

function loadedCopy(kernel: Pick<Kernel, "memory" | "symbols" | "types">, module: KernelModule): Uint8Array | null {
  const { memory, types } = kernel;
  const head = kernel.symbols.byName("btf_modules", null)?.address ?? null;
  const at = (struct: string, member: string): bigint | null => {
    const found = types.member(struct, member);
    return found === null ? null : BigInt(found.offset);
  };
  const list = at("btf_module", "list");
  const owner = at("btf_module", "module");
  const btfAt = at("btf_module", "btf");
  const dataAt = at("btf", "data");
  const sizeAt = at("btf", "data_size");
  if (head === null || list === null || owner === null || btfAt === null || dataAt === null || sizeAt === null)
    return null;
  let link = memory.u64(head);
  for (let n = 0; n < MAX_MODULES && link !== null && link !== head && isKernelAddress(link); n++) {
    const entry = link - list;
    if (memory.u64(entry + owner) === module.address) {
      const btf = memory.u64(entry + btfAt);
      if (btf === null || !isKernelAddress(btf)) return null;
      return section(kernel, memory.u64(btf + dataAt), memory.u32(btf + sizeAt));
    }
    link = memory.u64(link);
  }
  return null;
}

function ownSection(kernel: Pick<Kernel, "memory" | "types">, module: KernelModule): Uint8Array | null {
  const data = kernel.types.member("module", "btf_data");
  const size = kernel.types.member("module", "btf_data_size");
  if (data === null || size === null) return null;
  const { memory } = kernel;
  return section(
    kernel,
    memory.u64(module.address + BigInt(data.offset)),
    memory.u32(module.address + BigInt(size.offset)),
  );
}

function section(kernel: Pick<Kernel, "memory">, data: bigint | null, size: number | null): Uint8Array | null {
  if (data === null || size === null || !isKernelAddress(data) || size === 0 || size > LARGEST) return null;
  return kernel.memory.read(data, size);
}
