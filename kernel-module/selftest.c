// SPDX-License-Identifier: GPL-2.0
/*
 * At load, before any point of the kernel's is hooked: do hooks fire, does
 * switching work, does the unwinder cross it, on this very kernel? The points
 * of the test are functions of our own.
 */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sched/task_stack.h>
#include <linux/stacktrace.h>
#include "spillway.h"

/* The task that runs the test: it switches at point 0, however much is left. */
struct task_struct *spw_selftest_task;
/* Point 0 finds no stack. */
bool spw_selftest_refuse;

static struct {
	unsigned long sp;
	long arguments;
	unsigned int calls;
	bool crossed;
} spw_seen;

static noinline bool spw_selftest_trace(unsigned long caller)
{
	unsigned long entries[32];
	unsigned int n, i;

	n = stack_trace_save(entries, ARRAY_SIZE(entries), 0);
	for (i = 0; i < n; i++)
		if (entries[i] - caller < 1024)
			return true;
	return false;
}

static void spw_selftest_call(long *result);

noinline int spw_selftest_target(long a, long b, long c, long d, long e, long f)
{
	spw_seen.calls++;
	spw_seen.sp = (unsigned long)__builtin_frame_address(0);
	spw_seen.arguments = a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f;
	spw_seen.crossed = spw_selftest_trace((unsigned long)spw_selftest_call);
	return 4711;
}

static noinline void spw_selftest_call(long *result)
{
	*result = spw_selftest_target(1, 20, 300, 4000, 50000, 600000);
	barrier();
}

static const char *spw_selftest_mode(void)
{
	unsigned long own = (unsigned long)task_stack_page(current);
	struct spw_stack *stack;
	long result = 0;

	memset(&spw_seen, 0, sizeof(spw_seen));
	spw_selftest_refuse = false;
	spw_selftest_call(&result);
	if (spw_seen.calls != 1)
		return "the hooked function did not run once";
	if (spw_seen.sp - own < THREAD_SIZE)
		return "the hook did not fire: no switch took place";
	stack = spw_pool_find(spw_seen.sp);
	if (!stack)
		return "the function ran on a stack that is not ours";
	if (spw_seen.arguments != 1 + 40 + 900 + 16000 + 250000 + 3600000)
		return "an argument got lost on the way";
	if (result != 4711)
		return "the result got lost on the way back";
	if (stack->owner || atomic_read(&spw_in_use))
		return "the stack was not given back";
	if (!spw_seen.crossed)
		return "the unwinder does not cross the switch";

	spw_selftest_refuse = true;
	spw_selftest_call(&result);
	spw_selftest_refuse = false;
	if (spw_seen.calls != 1 || result != -EIO)
		return "an empty pool did not make the call fail with -EIO";
	return NULL;
}

/*
 * 0 if both modes of hooking, or the one that this kernel has, work.
 * A mode that cannot be had is no failure: points then take the other one.
 */
int spw_selftest(void)
{
	const char *trouble = NULL;
	int working = 0;
	int direct;

	WRITE_ONCE(spw_selftest_task, current);
	for (direct = 1; direct >= 0 && !trouble; direct--) {
		int rc = spw_hook_selftest(direct);

		if (rc) {
			pr_warn("self-test: no %s hooks on this kernel: %d\n",
				direct ? "direct" : "ipmodify", rc);
			continue;
		}
		trouble = spw_selftest_mode();
		spw_unhook_selftest();
		if (trouble)
			pr_err("self-test with %s hooks: %s\n",
			       direct ? "direct" : "ipmodify", trouble);
		else
			working++;
	}
	WRITE_ONCE(spw_selftest_task, NULL);
	spw_forget_statistics();
	if (!trouble && working)
		return 0;
	return -EOPNOTSUPP;
}
