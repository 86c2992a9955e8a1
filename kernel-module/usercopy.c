// SPDX-License-Identifier: GPL-2.0
/*
 * Hardened usercopy and buffers on the old stack.
 *
 * A copy from or to user space may only touch an object on the task's own
 * stack if it lies above RSP (2792d84e6da5, "usercopy: Check valid lifetime
 * via stack depth"). With RSP on an extra stack at a higher address every
 * buffer on the own stack fails that test, and the kernel BUGs. Nothing
 * decides which of the two lies higher, and nothing is to be added to the path
 * of copies that pass: so usercopy_abort() is hooked, where those end that do
 * not. If the object is in the live part of the owner's own stack after all,
 * __check_object_size() is made to return to its caller as if it had passed.
 *
 * For that its frame has to be undone, so where it saves which register is
 * learnt at load: it is called with known values in the registers and an
 * object below RSP, and the values are looked for in its frame. What was learnt
 * counts for that one call of usercopy_abort(); all others abort as ever.
 */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/ftrace.h>
#include <linux/sched/task_stack.h>
#include "compat.h"
#include "spillway.h"

#ifdef CONFIG_HARDENED_USERCOPY

/* Above this it is no frame of __check_object_size(). */
#define SPW_MAX_FRAME 512

/* The registers that a called function gives back as they were. */
static const struct {
	unsigned int in_regs;
	unsigned long value;	/* what the probe has in it: SPW_PROBE_VALUE */
} spw_saved_registers[] = {
	{ offsetof(struct pt_regs, bx), SPW_PROBE_VALUE(1) },
	{ offsetof(struct pt_regs, bp), SPW_PROBE_VALUE(2) },
	{ offsetof(struct pt_regs, r12), SPW_PROBE_VALUE(3) },
	{ offsetof(struct pt_regs, r13), SPW_PROBE_VALUE(4) },
	{ offsetof(struct pt_regs, r14), SPW_PROBE_VALUE(5) },
	{ offsetof(struct pt_regs, r15), SPW_PROBE_VALUE(6) },
};

/* All in words from RSP at the entry of usercopy_abort(). */
static struct {
	unsigned long caller;	/* what is at RSP then; 0: nothing learnt */
	unsigned int frame;	/* where __check_object_size() returns to */
	/* 0: was not saved, and is in its register still */
	unsigned int saved[ARRAY_SIZE(spw_saved_registers)];
} spw_abort_frame;

/* The task that probes, the object it asks about, and its RSP at the call. */
static struct task_struct *spw_probe_task;
static unsigned long spw_probe_object;
static bool spw_probe_failed;
unsigned long spw_probe_sp;

asmlinkage bool spw_probe_usercopy(unsigned long object, unsigned long bytes);
asmlinkage void spw_return_r10(void);

static notrace unsigned long *spw_register(struct pt_regs *regs, unsigned int i)
{
	return (void *)regs + spw_saved_registers[i].in_regs;
}

/* False where the frame is not understood. */
static notrace bool spw_learn(struct pt_regs *regs, unsigned long object)
{
	const unsigned long *sp = (unsigned long *)regs->sp;
	unsigned int frame, i, at;

	/* The call of __check_object_size() pushed one word below spw_probe_sp. */
	frame = (spw_probe_sp - regs->sp) / sizeof(*sp) - 1;
	if (frame > SPW_MAX_FRAME / sizeof(*sp) || object != spw_probe_object)
		return false;
	for (i = 0; i < ARRAY_SIZE(spw_saved_registers); i++) {
		unsigned long value = spw_saved_registers[i].value;

		/* From the top: below may be what an earlier call left. */
		for (at = frame - 1; at && sp[at] != value; at--)
			;
		if (!at && *spw_register(regs, i) != value)
			return false;
		spw_abort_frame.saved[i] = at;
	}
	spw_abort_frame.frame = frame;
	spw_abort_frame.caller = sp[0];
	return true;
}

/* The RSP with which the current task, at sp, left its own stack; else 0. */
static notrace unsigned long spw_own_sp(unsigned long sp)
{
	unsigned long own = (unsigned long)task_stack_page(current);

	while (sp - own >= THREAD_SIZE) {
		struct spw_stack *stack = spw_pool_find(sp);

		if (!stack || READ_ONCE(stack->owner) != current)
			return 0;
		sp = stack->prev_sp;
	}
	return sp;
}

/* Is the object in what is live of the own stack of a task on an extra one? */
static notrace bool spw_on_own_stack(unsigned long sp, unsigned long object,
				     unsigned long bytes)
{
	unsigned long own = (unsigned long)task_stack_page(current);
	unsigned long left;

	/* On its own stack, or not about it: the kernel is right. */
	if (sp - own < THREAD_SIZE || object - own >= THREAD_SIZE)
		return false;
	left = spw_own_sp(sp);
	return left && object >= left && bytes <= own + THREAD_SIZE - object;
}

/* usercopy_abort(name, detail, to_user, RSP of its caller - object, bytes) */
static notrace void spw_abort_callback(unsigned long ip, unsigned long parent,
				       struct ftrace_ops *ops,
				       struct ftrace_regs *fregs)
{
	struct pt_regs *regs = spw_fregs(fregs);
	const unsigned long *sp = (unsigned long *)regs->sp;
	unsigned long object = regs->sp + sizeof(*sp) - regs->cx;
	unsigned int i;

	if (unlikely(READ_ONCE(spw_probe_task) == current)) {
		spw_probe_failed = !spw_learn(regs, object);
		if (spw_probe_failed) {
			/* The probe needs no register but RSP to come back. */
			regs->r10 = spw_probe_sp - sizeof(*sp);
			spw_set_ip(fregs, (unsigned long)spw_return_r10);
			return;
		}
	} else if (sp[0] != spw_abort_frame.caller ||
		   !spw_on_own_stack(regs->sp, object, regs->r8)) {
		return;
	}
	for (i = 0; i < ARRAY_SIZE(spw_saved_registers); i++)
		if (spw_abort_frame.saved[i])
			*spw_register(regs, i) = sp[spw_abort_frame.saved[i]];
	regs->r10 = (unsigned long)&sp[spw_abort_frame.frame];
	spw_set_ip(fregs, (unsigned long)spw_return_r10);
}

static struct ftrace_ops spw_abort_ops = {
	.func = spw_abort_callback,
	.flags = FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_SAVE_REGS |
		 FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_RECURSION,
};

/*
 * Asks about an object that the kernel refuses. A kernel with
 * hardened_usercopy=off, which refuses none, teaches nothing and needs nothing.
 */
static noinline int spw_probe(void)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);
	bool kept;

	spw_probe_failed = false;
	spw_probe_object = here - 2048;
	WRITE_ONCE(spw_probe_task, current);
	kept = spw_probe_usercopy(spw_probe_object, 64);
	WRITE_ONCE(spw_probe_task, NULL);
	if (kept && !spw_probe_failed)
		return 0;
	spw_abort_frame.caller = 0;
	pr_err("self-test: the frame of __check_object_size() is not understood\n");
	return -EOPNOTSUPP;
}

int spw_usercopy_hook(void)
{
	int rc;

	memset(&spw_abort_frame, 0, sizeof(spw_abort_frame));
	rc = spw_hook_one(&spw_abort_ops, "usercopy_abort");
	if (rc)
		return rc;
	rc = spw_probe();
	if (rc)
		spw_usercopy_unhook();
	return rc;
}

void spw_usercopy_unhook(void)
{
	spw_unhook_one(&spw_abort_ops);
}

#else

int spw_usercopy_hook(void)
{
	return 0;
}

void spw_usercopy_unhook(void)
{
}

#endif
