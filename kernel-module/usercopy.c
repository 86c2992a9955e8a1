// SPDX-License-Identifier: GPL-2.0
/*
 * Hardened usercopy and buffers on the old stack.
 *
 * A copy from or to user space may only touch an object on the task's stack if
 * it lies above RSP (2792d84e6da5, "usercopy: Check valid lifetime via stack
 * depth"). With RSP on an extra stack at a higher address every buffer on the
 * task's own stack would fail that test, and BUG. Nothing decides whether an
 * extra stack lies above a task's own. So stacks below are taken first, and
 * while one above is in use, the check is answered here for the bytes of the
 * old stack that are live; else it costs one comparison.
 */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/ftrace.h>
#include <linux/sched/task_stack.h>
#include "compat.h"
#include "spillway.h"

/* Stacks in use that lie above their owner's own stack. */
atomic_t spw_high_in_use;

asmlinkage bool spw_usercopy_allowed(unsigned long object, unsigned long bytes);

/* The RSP with which the current task left its own stack; 0 if it did not. */
static unsigned long spw_own_sp(void)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);
	unsigned long own = (unsigned long)task_stack_page(current);
	struct spw_stack *stack;

	while (here - own >= THREAD_SIZE) {
		stack = spw_pool_find(here);
		if (!stack || READ_ONCE(stack->owner) != current)
			return 0;
		here = stack->prev_sp;
	}
	return here;
}

asmlinkage bool spw_usercopy_allowed(unsigned long object, unsigned long bytes)
{
	unsigned long own = (unsigned long)task_stack_page(current);
	unsigned long here = (unsigned long)__builtin_frame_address(0);
	unsigned long left;

	/* On its own stack, or not about it: the kernel's check is right. */
	if (here - own < THREAD_SIZE || object - own >= THREAD_SIZE)
		return false;
	left = spw_own_sp();
	return left && object >= left && bytes <= own + THREAD_SIZE - object;
}

static struct ftrace_ops spw_usercopy_ops = {
	.flags = FTRACE_OPS_FL_PERMANENT,
};

int spw_usercopy_hook(void)
{
	char name[] = "__check_object_size";
	int rc;

	if (!IS_ENABLED(CONFIG_HARDENED_USERCOPY))
		return 0;
	rc = ftrace_set_filter(&spw_usercopy_ops, name, strlen(name), true);
	if (!rc)
		rc = spw_register_direct(&spw_usercopy_ops,
					 (unsigned long)spw_enter_usercopy);
	if (rc)
		pr_err("%s cannot be hooked: %d\n", name, rc);
	return rc;
}

void spw_usercopy_unhook(void)
{
	if (IS_ENABLED(CONFIG_HARDENED_USERCOPY))
		spw_unregister_direct(&spw_usercopy_ops,
				      (unsigned long)spw_enter_usercopy);
}
