import { SpillwayError } from "@spillway/core";
import type { GroundTruth, Scenario } from "./scenario.ts";
import { SCENARIO_MODULE } from "./scenario-module.ts";

/** From the scenario's start function out to the write system call: the same for all scenarios of the module. */
const WRITE = ["run_command", "vandal_write", "proc_reg_write", "vfs_write", "ksys_write", "do_syscall_64"] as const;

type Truth = Pick<GroundTruth, "verdict" | "chain"> & Partial<GroundTruth>;

/** A scenario of the module. Its chain ends with its start function; the way there through the system call is added. */
function scenario(name: string, description: string, truth: Truth, setup: readonly string[] = []): Scenario {
  return {
    name,
    description,
    trigger: `echo ${name} >/proc/vandal`,
    setup,
    expected: {
      alsoRight: [],
      cause: null,
      culprits: [],
      module: SCENARIO_MODULE,
      stack: "task",
      inferred: [],
      lost: [],
      absent: [],
      cycle: [],
      damage: null,
      ...truth,
      chain: [...truth.chain, ...WRITE],
    },
  };
}

const LOGIN = ["parse_field", "parse_packet", "handle_login"] as const;

const DEEP_CHAIN = [
  ...["mirror_map", "cipher_convert", "cipher_map", "cache_writeback", "cache_lookup", "thin_provision", "thin_map"],
  ...["volume_remap", "volume_submit", "journal_commit", "journal_extend", "extent_insert", "extent_allocate"],
  ...["block_allocate", "page_write_back", "file_flush", "file_sync", "start_deep_chain"],
] as const;

/**
 * Every way of breaking a kernel that the lab knows, with the truth about it. Function names and which return addresses
 * are lost were checked against the module built by Debian 12's gcc for both kernels.
 */
export const scenarios: readonly Scenario[] = [
  scenario("overrun-short", "a loop copies a text into a local buffer: over the canary and half a saved register", {
    verdict: "stack-buffer-overflow",
    culprits: ["parse_value"],
    chain: ["parse_value", ...LOGIN, "start_overrun_short"],
    damage: "text",
  }),
  scenario("overrun-long", "the same loop runs on over the return addresses of several callers", {
    verdict: "stack-buffer-overflow",
    culprits: ["parse_value"],
    chain: ["parse_value", ...LOGIN, "start_overrun_long"],
    inferred: ["parse_field", "parse_packet"],
    damage: "text",
  }),
  scenario("overrun-very-long", "the same loop runs over all frames of its module and into those of the system call", {
    verdict: "stack-buffer-overflow",
    culprits: ["parse_value"],
    chain: ["parse_value", ...LOGIN, "start_overrun_very_long"],
    inferred: [...LOGIN, "start_overrun_very_long", "run_command", "vandal_write", "proc_reg_write", "vfs_write"],
    lost: ["start_overrun_very_long", "run_command", "vandal_write", "proc_reg_write"],
    damage: "text",
  }),
  scenario("overrun-into-return", "the overrun ends inside the return address: its two low bytes are text", {
    verdict: "stack-buffer-overflow",
    culprits: ["parse_tag"],
    chain: ["parse_tag", "parse_list", "handle_tags", "start_overrun_into_return"],
    inferred: ["parse_list"],
    damage: "text",
  }),
  scenario("canary-only", "an array gets one pointer too many, and nothing but the canary lies behind it", {
    verdict: "stack-buffer-overflow",
    culprits: ["collect_lanes"],
    chain: ["collect_lanes", "balance_lanes", "start_canary_only"],
    damage: "pointer",
  }),
  scenario("callee-overrun", "a callee writes past the end of the buffer that its caller lent it", {
    verdict: "stack-buffer-overflow",
    culprits: ["unpack_samples", "average_block"],
    chain: ["average_block", "measure_channel", "start_callee_overrun"],
    absent: ["unpack_samples"],
    damage: "16-bit counter",
  }),
  scenario("memcpy-overrun", "memcpy with a length from outside, over the return addresses of several callers", {
    verdict: "stack-buffer-overflow",
    culprits: ["copy_payload", "checksum_frame"],
    chain: ["checksum_frame", "verify_frame", "receive_frame", "start_memcpy_overrun"],
    inferred: ["verify_frame", "receive_frame", "start_memcpy_overrun"],
    absent: ["copy_payload"],
    damage: "32-bit counter",
  }),
  scenario("overrun-behind-tail-call", "an overrun in a function that was jumped to and not called", {
    verdict: "stack-buffer-overflow",
    culprits: ["format_reply"],
    chain: ["format_reply", "answer_query", "start_tail_call"],
    damage: "text",
  }),
  scenario("overrun-union", "48 bytes without a pattern go into a union of 34, over the canary of the same frame", {
    verdict: "stack-buffer-overflow",
    culprits: ["read_mailbox"],
    chain: ["read_mailbox", "query_firmware", "start_overrun_union"],
    damage: "binary data",
  }),
  scenario("recursion-direct", "a function calls itself without end", {
    verdict: "stack-overflow",
    cause: "recursion",
    culprits: ["walk_tree"],
    chain: ["walk_tree", "walk_tree", "walk_tree", "measure_tree", "start_recursion_direct"],
    cycle: ["walk_tree"],
  }),
  scenario("recursion-indirect", "three devices stacked in a ring call each other through function pointers", {
    verdict: "stack-overflow",
    cause: "recursion",
    culprits: ["propagate_features", "bond_update_features", "vlan_update_features", "tunnel_update_features"],
    chain: [
      ...["tunnel_update_features", "propagate_features", "vlan_update_features", "propagate_features"],
      ...["bond_update_features", "change_features", "start_recursion_indirect"],
    ],
    cycle: [
      ...["propagate_features", "tunnel_update_features", "propagate_features"],
      ...["vlan_update_features", "propagate_features", "bond_update_features"],
    ],
  }),
  scenario(
    "recursion-mutual",
    "two functions call each other, and a formatter that each turn calls hits the guard page",
    {
      verdict: "stack-overflow",
      cause: "recursion",
      culprits: ["resolve_name", "resolve_alias"],
      chain: ["resolve_name", "resolve_alias", "resolve_name", "start_recursion_mutual"],
      cycle: ["resolve_name", "resolve_alias"],
    },
  ),
  scenario("large-frame", "one function with 16 KiB of local variables", {
    verdict: "stack-overflow",
    cause: "large-frame",
    culprits: ["expand_block"],
    chain: ["expand_block", "read_block", "start_large_frame"],
  }),
  scenario("large-frame-leaf", "one function with 14 KiB of local variables, whose callees hit the guard page", {
    verdict: "stack-overflow",
    cause: "large-frame",
    culprits: ["inflate_extent"],
    chain: ["build_codes", "inflate_extent", "read_extent", "start_large_frame_leaf"],
  }),
  scenario("deep-chain", "a storage stack of 24 layers with moderate frames and no recursion", {
    verdict: "stack-overflow",
    cause: "deep-call-chain",
    chain: DEEP_CHAIN,
  }),
  scenario("hardirq-recursion", "an interrupt handler calls itself without end on the hardirq stack", {
    verdict: "irq-stack-overflow",
    cause: "recursion",
    culprits: ["poll_channel"],
    stack: "hardirq",
    chain: [
      ...["poll_channel", "poll_channel", "poll_channel", "drain_channel", "channel_interrupt", "irq_work_single"],
      ...["irq_work_run_list", "irq_work_run", "raise_channel", "start_hardirq_recursion"],
    ],
    cycle: ["poll_channel"],
  }),
  scenario("softirq-large-frame", "a tasklet with a table larger than the stack that soft interrupts run on", {
    verdict: "irq-stack-overflow",
    cause: "large-frame",
    culprits: ["rebalance_flows"],
    stack: "hardirq",
    chain: ["rebalance_flows", "flow_tasklet", "tasklet_action_common", "flush_flows", "start_softirq_large_frame"],
  }),
  scenario("nmi-recursion", "a handler of non-maskable interrupts calls itself without end on the NMI stack", {
    verdict: "irq-stack-overflow",
    cause: "recursion",
    culprits: ["report_records"],
    stack: "exception",
    chain: [
      ...["report_records", "report_records", "report_records", "error_interrupt", "nmi_handle", "default_do_nmi"],
      ...["exc_nmi", "inject_error", "start_nmi_recursion"],
    ],
    cycle: ["report_records"],
  }),
  scenario("stack-end", "the magic word at the end of the stack is overwritten, and the scheduler notices", {
    verdict: "stack-end-corrupted",
    culprits: ["scrub_stack", "clear_words"],
    chain: ["schedule", "schedule_timeout", "scrub_stack", "start_stack_end"],
    absent: ["clear_words"],
    damage: "one byte repeated",
  }),
  scenario("foreign-word", "a late timer on another CPU writes one word into a frame that is not its own any more", {
    verdict: "foreign-write",
    alsoRight: ["stack-buffer-overflow"],
    culprits: ["exchange_timer", "send_request"],
    chain: ["estimate_delay", "retry_exchange", "query_peer", "start_foreign_word"],
    absent: ["send_request", "sample_clock"],
    damage: "one word",
  }),
  scenario(
    "foreign-block",
    "a late timer on another CPU writes a whole block into a frame that is not its own any more",
    {
      verdict: "foreign-write",
      alsoRight: ["stack-buffer-overflow"],
      culprits: ["exchange_timer", "send_request"],
      chain: ["estimate_delay", "retry_exchange", "query_peer", "start_foreign_block"],
      absent: ["send_request", "sample_clock"],
      damage: "64-bit counter",
    },
  ),
  scenario("foreign-count", "a late timer counts one word down in a frame that is not its own any more", {
    verdict: "foreign-write",
    culprits: ["transfer_timeout", "put_request", "read_sector"],
    chain: ["plan_readahead", "read_again", "start_foreign_count"],
    absent: ["read_sector", "fill_readahead"],
    damage: "one word, less by one",
  }),
  scenario("foreign-return", "a late work item writes its result over the return address of a frame that sleeps", {
    verdict: "foreign-write",
    culprits: ["probe_work", "start_probe"],
    chain: ["settle_bus", "settle_device", "probe_port", "start_foreign_return"],
    inferred: ["settle_bus"],
    absent: ["start_probe"],
    damage: "64-bit counter",
  }),
  scenario(
    "frame-mismatch",
    "a stray function pointer enters the tail of a function, which checks a slot not its own",
    {
      verdict: "frame-mismatch",
      culprits: ["complete_request", "audit_record"],
      chain: ["audit_record", "complete_request", "close_request", "start_frame_mismatch"],
    },
  ),
  scenario("frame-mismatch-rbp", "the same where the slot is found through RBP, which belongs to the caller", {
    verdict: "frame-mismatch",
    culprits: ["wait_queue_sleep", "timer_sleep"],
    chain: ["timer_sleep", "wait_queue_sleep", "wait_for_turn", "start_frame_mismatch_rbp"],
  }),
  scenario("reference-canary", "a wild per-CPU counter changes the reference canary", {
    verdict: "reference-canary-changed",
    culprits: ["add_to_counter", "account_packets"],
    chain: ["account_packets", "flush_statistics", "start_reference_canary"],
    absent: ["add_to_counter"],
  }),
  scenario(
    "reference-renewed",
    "task and CPU get a new canary while a protected function is active, as in early boot",
    {
      verdict: "reference-canary-changed",
      culprits: ["renew_canary", "start_worker"],
      chain: ["start_worker", "spawn_worker", "start_reference_renewed"],
    },
  ),
  scenario("reference-switched", "a protected function is entered with another task's canary as the reference", {
    verdict: "reference-canary-changed",
    culprits: ["use_canary_of", "run_fiber", "switch_fiber"],
    chain: ["run_fiber", "switch_fiber", "start_reference_switched"],
  }),
  {
    name: "reference-elsewhere",
    description: "code on another CPU wipes the reference canary of one that knows nothing of it",
    trigger: "echo reference-elsewhere >/proc/vandal",
    setup: [],
    expected: {
      verdict: "reference-canary-changed",
      alsoRight: [],
      cause: null,
      culprits: ["reset_counter", "reset_statistics_of"],
      module: SCENARIO_MODULE,
      // An interrupt may come first, too.
      stack: null,
      // The task that panics is whichever the other CPU comes to run first, mostly the idle one.
      chain: [],
      inferred: [],
      lost: [],
      absent: [],
      cycle: [],
      damage: null,
    },
  },
  scenario("return-byte", "one byte of a return address is changed, and the canary in front of it is not", {
    verdict: "return-address-corrupted",
    culprits: ["mark_slots", "set_flag"],
    chain: ["update_slots", "start_return_byte"],
    inferred: ["update_slots"],
    damage: "one byte",
  }),
  scenario("return-overwritten", "text over the return address of a function that has no canary", {
    verdict: "return-address-corrupted",
    alsoRight: ["stack-buffer-overflow"],
    culprits: ["copy_label"],
    chain: ["rename_volume", "start_return_overwritten"],
    inferred: ["rename_volume", "start_return_overwritten"],
    damage: "text",
  }),
  scenario("return-zeroed", "zeros over the return address of a function that has no canary", {
    verdict: "return-address-corrupted",
    alsoRight: ["stack-buffer-overflow"],
    culprits: ["clear_counters"],
    chain: ["reset_statistics", "start_return_zeroed"],
    inferred: ["reset_statistics", "start_return_zeroed"],
    damage: "zeros",
  }),
  scenario("null-dereference", "a NULL pointer is read", {
    verdict: "not-stack-related",
    culprits: ["peer_bytes"],
    chain: ["peer_bytes", "report_session", "start_null_dereference"],
  }),
  scenario("null-call", "a function pointer that is NULL is called", {
    verdict: "not-stack-related",
    culprits: ["close_session"],
    chain: ["close_session", "start_null_call"],
  }),
  scenario("null-deep", "a NULL pointer is read with most of the stack in use", {
    verdict: "not-stack-related",
    culprits: ["peer_bytes"],
    chain: ["peer_bytes", "sum_history", "replay_history", "start_null_deep"],
  }),
  scenario("null-awaited", "a NULL pointer is read while a timer and a wait queue point into the stack, by right", {
    verdict: "not-stack-related",
    culprits: ["peer_bytes"],
    chain: ["peer_bytes", "await_session", "start_null_awaited"],
  }),
  {
    name: "null-in-timer",
    description: "a NULL pointer is read by a timer, on the stack of soft interrupts",
    trigger: "echo null-in-timer >/proc/vandal",
    setup: [],
    expected: {
      verdict: "not-stack-related",
      alsoRight: [],
      cause: null,
      culprits: ["peer_bytes"],
      module: SCENARIO_MODULE,
      stack: "hardirq",
      chain: ["peer_bytes", "expire_session", "session_timeout", "call_timer_fn"],
      inferred: [],
      lost: [],
      absent: [],
      cycle: [],
      damage: null,
    },
  },
  scenario("bug", "BUG_ON", {
    verdict: "not-stack-related",
    culprits: ["check_session"],
    chain: ["check_session", "start_bug"],
  }),
  scenario("warn-panic", "a warning, and then a panic by a module", {
    verdict: "not-stack-related",
    culprits: ["repair_session"],
    chain: ["repair_session", "start_warn_panic"],
  }),
  {
    name: "hung-task",
    description: "a task waits without end, and the hung task detector panics",
    trigger: "echo hung-task >/proc/vandal",
    setup: ["echo 1 >/proc/sys/kernel/hung_task_timeout_secs", "echo 1 >/proc/sys/kernel/hung_task_panic"],
    expected: {
      verdict: "not-stack-related",
      alsoRight: [],
      cause: null,
      culprits: [],
      module: null,
      stack: "task",
      // The task that panics is the detector's own.
      chain: ["panic", "watchdog", "kthread", "ret_from_fork"],
      inferred: [],
      lost: [],
      absent: [],
      cycle: [],
      damage: null,
    },
  },
  {
    name: "sysrq",
    description: "a crash that was asked for: echo c >/proc/sysrq-trigger",
    trigger: "echo c >/proc/sysrq-trigger",
    setup: [],
    expected: {
      verdict: "not-stack-related",
      alsoRight: [],
      cause: null,
      culprits: ["sysrq_handle_crash"],
      module: null,
      stack: "task",
      chain: [
        ...["panic", "sysrq_handle_crash", "__handle_sysrq", "write_sysrq_trigger"],
        ...["proc_reg_write", "vfs_write", "ksys_write", "do_syscall_64"],
      ],
      inferred: [],
      lost: [],
      absent: [],
      cycle: [],
      damage: null,
    },
  },
];

/** @throws SpillwayError SPW_LAB_NO_SCENARIO */
export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new SpillwayError("SPW_LAB_NO_SCENARIO", `there is no scenario "${name}"`, {
    class: "usage",
    facts: { given: name, known: scenarios.map((one) => one.name) },
    hint: "`spillway lab list` shows them all",
  });
}
