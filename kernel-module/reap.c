// SPDX-License-Identifier: GPL-2.0
/*
 * Takes back the stacks of tasks that will not come back to the points at which
 * they switched: an oops ends in make_task_dead(), and that in do_exit(), if
 * the task is not in it already (a point called from there, say).
 */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/ftrace.h>
#include <linux/sched/task.h>
#include <linux/workqueue.h>
#include "compat.h"
#include "pool.h"
#include "spillway.h"

#define SPW_DEAD_POLL (HZ / 5)

/*
 * The stack of a task that died on it can be used again when the task will
 * never run again.
 */
static void spw_reap_dead(struct work_struct *work);
static DECLARE_DELAYED_WORK(spw_dead_work, spw_reap_dead);

static void spw_reap_dead(struct work_struct *work)
{
	bool again = false;
	unsigned int i;

	for (i = 0; i < READ_ONCE(spw_slots); i++) {
		struct spw_stack *stack = READ_ONCE(spw_table[i]);
		struct task_struct *task;

		if (!stack || !READ_ONCE(stack->dying))
			continue;
		task = stack->owner;
		if (READ_ONCE(task->__state) != TASK_DEAD ||
		    spw_on_cpu(task)) {
			again = true;
			continue;
		}
		WRITE_ONCE(stack->dying, false);
		spw_pool_put(stack);
		put_task_struct(task);
	}
	if (again)
		schedule_delayed_work(&spw_dead_work, SPW_DEAD_POLL);
}

/*
 * The current task dies, at sp: it will not return to the points it switched at.
 */
static notrace void spw_reap(unsigned long sp)
{
	unsigned int i;

	if (likely(!atomic_read(&spw_in_use)))
		return;
	for (i = 0; i < READ_ONCE(spw_slots); i++) {
		struct spw_stack *stack = READ_ONCE(spw_table[i]);

		if (!stack || READ_ONCE(stack->owner) != current ||
		    READ_ONCE(stack->dying))
			continue;
		raw_cpu_inc(spw_counts->reaped);
		if (!spw_holds(stack, sp)) {
			spw_pool_put(stack);
			continue;
		}
		get_task_struct(current);
		WRITE_ONCE(stack->dying, true);
		schedule_delayed_work(&spw_dead_work, SPW_DEAD_POLL);
	}
}

static notrace void spw_exit_callback(unsigned long ip, unsigned long parent,
				      struct ftrace_ops *ops,
				      struct ftrace_regs *fregs)
{
	spw_reap(spw_fregs(fregs)->sp);
}

static struct ftrace_ops spw_exit_ops = {
	.func = spw_exit_callback,
	.flags = FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_RECURSION,
};

static struct ftrace_ops spw_dead_ops = {
	.func = spw_exit_callback,
	.flags = FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_RECURSION,
};

int spw_reap_hook(void)
{
	int rc = spw_hook_one(&spw_exit_ops, "do_exit");

	if (rc)
		return rc;
	rc = spw_hook_one(&spw_dead_ops, "make_task_dead");
	if (rc)
		spw_unhook_one(&spw_exit_ops);
	return rc;
}

/* No stack is in use any more. */
void spw_reap_unhook(void)
{
	spw_unhook_one(&spw_dead_ops);
	spw_unhook_one(&spw_exit_ops);
	cancel_delayed_work_sync(&spw_dead_work);
}
