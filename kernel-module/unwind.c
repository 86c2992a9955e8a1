// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the kernel's unwinder cross a switch.
 *
 * There is no way to register a stack with get_stack_info(), which tells which
 * stack an address is on (arch/x86/kernel/dumpstack_64.c): it is hooked, and
 * answered for a task's own extra stacks only.
 */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/ftrace.h>
#include <linux/preempt.h>
#include <linux/sched/task_stack.h>
#include <asm/stacktrace.h>
#include "compat.h"
#include "spillway.h"

/* The words that spw_switch has between the point's entry and its %rbp. */
#define SPW_FRAME_BYTES 16

static int spw_get_stack_info(unsigned long *addr, struct task_struct *task,
			      struct stack_info *info,
			      unsigned long *visit_mask)
{
	struct spw_stack *stack;
	unsigned int type;
	int rc = -EINVAL;

	BUILD_BUG_ON(STACK_TYPE_EXCEPTION_LAST + SPW_MAX_LEVELS >=
		     BITS_PER_LONG);

	info->type = STACK_TYPE_UNKNOWN;
	preempt_disable_notrace();
	stack = spw_pool_find((unsigned long)addr);
	if (!stack || READ_ONCE(stack->owner) != (task ?: current))
		goto out;
	/*
	 * A type for each level: the unwinder takes going to a lower address
	 * within one type for a loop.
	 */
	type = STACK_TYPE_EXCEPTION_LAST + 1 +
	       min_t(unsigned int, READ_ONCE(stack->level), SPW_MAX_LEVELS - 1);
	if (visit_mask) {
		if (*visit_mask & BIT(type))
			goto out;
		*visit_mask |= BIT(type);
	}
	info->type = type;
	info->begin = (unsigned long *)spw_base(stack);
	info->end = (unsigned long *)stack->top;
	/* Where spw_switch's %rbp points: what it reports next lies above. */
	info->next_sp = (unsigned long *)(READ_ONCE(stack->prev_sp) -
					  SPW_FRAME_BYTES);
	rc = 0;
out:
	preempt_enable_notrace();
	return rc;
}

static notrace void spw_stack_info_callback(unsigned long ip,
					    unsigned long parent,
					    struct ftrace_ops *ops,
					    struct ftrace_regs *fregs)
{
	struct pt_regs *regs = spw_fregs(fregs);
	struct task_struct *task = (struct task_struct *)regs->si;
	struct spw_stack *stack;

	if (likely(!atomic_read(&spw_in_use)))
		return;
	stack = spw_pool_find(regs->di);
	if (stack && READ_ONCE(stack->owner) == (task ?: current))
		spw_set_ip(fregs, (unsigned long)spw_get_stack_info);
}

static struct ftrace_ops spw_stack_info_ops = {
	.func = spw_stack_info_callback,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT |
		 FTRACE_OPS_FL_RECURSION,
};

int spw_unwind_hook(void)
{
	return spw_hook_one(&spw_stack_info_ops, "get_stack_info");
}

void spw_unwind_unhook(void)
{
	spw_unhook_one(&spw_stack_info_ops);
}
