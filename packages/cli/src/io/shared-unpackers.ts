/**
 * Unpackers of two threads that open the same file: what the first one unpacks, the second one gets in shared memory. Neither
 * tells the other which content it wants: it is the file's kernel for both.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { PACKINGS, type Unpacker, type Unpackers } from "@spillway/core";
import { nodeUnpackers } from "./node-unpackers.ts";

/** Set to 1 once the content is on its way. */
const SENT = 0;
/** Without the content for so long, the second thread unpacks the file itself. */
const PATIENCE_MS = 60_000;

/** A thread's end of the way from one to the other. */
export interface UnpackedLink {
  /** The same for both. */
  readonly state: Int32Array;
  readonly port: MessagePort;
}

/** Makes the state of a link. */
export function unpackedState(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** The first thread's: what is unpacked first is sent to the other, and kept once for both. */
export function sendingUnpackers({ state, port }: UnpackedLink): Unpackers {
  return wrapped((unpack) => (packed, most) => {
    if (Atomics.load(state, SENT) === 1) return unpack(packed, most);
    const content = unpack(packed, most, sharedBytes);
    const isShared = content.buffer instanceof SharedArrayBuffer;
    const shared = isShared ? content : sharedBytes(content.length);
    if (!isShared) shared.set(content);
    port.postMessage(shared);
    Atomics.store(state, SENT, 1);
    Atomics.notify(state, SENT);
    return shared;
  });
}

/** The second thread's: its first question is answered by what the other one has unpacked. */
export function receivingUnpackers({ state, port }: UnpackedLink): Unpackers {
  return wrapped((unpack) => (packed, most) => {
    Atomics.wait(state, SENT, 0, PATIENCE_MS);
    const content = receiveMessageOnPort(port)?.message as Uint8Array | undefined;
    return content !== undefined && content.length <= most ? content : unpack(packed, most);
  });
}

function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

function wrapped(wrap: (unpack: Unpacker) => Unpacker): Unpackers {
  const unpackers: Partial<Record<(typeof PACKINGS)[number], Unpacker>> = {};
  for (const packing of PACKINGS) {
    const unpack = nodeUnpackers[packing];
    if (unpack !== undefined) unpackers[packing] = wrap(unpack);
  }
  return unpackers;
}
