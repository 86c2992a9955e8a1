// SPDX-License-Identifier: GPL-2.0
/* The decision at a critical point: stay, switch, or fail the call. */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/bio.h>
#include <linux/errno.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched/task_stack.h>
#include "pool.h"
#include "spillway.h"

/*
 * A point's slow path is taken when fewer bytes than this are left on the
 * stack: fewer than the threshold leaves, or fewer than ever seen there.
 */
u32 spw_trigger[SPW_MAX_POINTS] = {
	[0 ... SPW_MAX_POINTS - 1] = THREAD_SIZE
};
DEFINE_PER_CPU(u64[SPW_MAX_POINTS], spw_calls);

/* Fewest bytes that were left on a stack when a point was called. */
static u32 spw_least_left[SPW_MAX_POINTS] = {
	[0 ... SPW_MAX_POINTS - 1] = THREAD_SIZE
};
static u32 spw_min_left = THREAD_SIZE / 2;
static bool spw_drained;
static DEFINE_RAW_SPINLOCK(spw_trigger_lock);

asmlinkage struct spw_stack *spw_acquire(unsigned int point, unsigned long sp,
					 void *arg);
asmlinkage void spw_release(struct spw_stack *stack);

static void spw_set_trigger(unsigned int point)
{
	u32 trigger = max(READ_ONCE(spw_min_left),
			  READ_ONCE(spw_least_left[point]));

	/* Point 0 is the self-test's, which decides by itself. */
	if (point)
		WRITE_ONCE(spw_trigger[point],
			   READ_ONCE(spw_drained) ? 0 : trigger);
}

static void spw_set_triggers(void)
{
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&spw_trigger_lock, flags);
	for (i = 0; i < SPW_MAX_POINTS; i++)
		spw_set_trigger(i);
	raw_spin_unlock_irqrestore(&spw_trigger_lock, flags);
}

/* Bytes of a stack that may be used before a critical point switches. */
unsigned int spw_threshold_get(void)
{
	return THREAD_SIZE - READ_ONCE(spw_min_left);
}

/*
 * 0 switches at every call. The upper bound leaves what the slow path itself
 * and an interrupt's entry need, and a page for the point to fail in.
 */
int spw_threshold_set(unsigned int bytes)
{
	if (bytes > THREAD_SIZE - PAGE_SIZE)
		return -EINVAL;
	WRITE_ONCE(spw_min_left, THREAD_SIZE - bytes);
	spw_set_triggers();
	return 0;
}

/* While draining, tasks stay on the stack they are on. */
void spw_drain_set(bool drain)
{
	WRITE_ONCE(spw_drained, drain);
	spw_set_triggers();
}

bool spw_draining(void)
{
	return READ_ONCE(spw_drained);
}

/* Most bytes of a stack that were in use when the point was called. */
unsigned int spw_deepest(unsigned int point)
{
	return THREAD_SIZE - READ_ONCE(spw_least_left[point]);
}

void spw_reset_point(unsigned int point)
{
	WRITE_ONCE(spw_least_left[point], THREAD_SIZE);
	spw_set_triggers();
}

static noinline void spw_note_depth(unsigned int point, u32 left)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&spw_trigger_lock, flags);
	if (left < spw_least_left[point]) {
		WRITE_ONCE(spw_least_left[point], left);
		spw_set_trigger(point);
	}
	raw_spin_unlock_irqrestore(&spw_trigger_lock, flags);
}

/*
 * Bytes left on the stack that sp is on; negative for a stack that is no
 * task's (interrupt, exception): never switched away from. "from" is set where
 * it is one of ours.
 */
static long spw_left(unsigned long sp, struct spw_stack **from)
{
	unsigned long own = (unsigned long)task_stack_page(current);
	struct spw_stack *stack;

	*from = NULL;
	if (sp - own < THREAD_SIZE)
		return sp - own;
	stack = spw_stack_at(sp);
	if (!stack || READ_ONCE(stack->owner) != current)
		return -1;
	*from = stack;
	return sp - spw_base(stack);
}

static noinline void spw_say_refused(unsigned int point, long left)
{
	static DEFINE_RATELIMIT_STATE(once_in_a_while, 5 * HZ, 1);

	ratelimit_set_flags(&once_in_a_while, RATELIMIT_MSG_ON_RELEASE);
	if (__ratelimit(&once_in_a_while))
		pr_err("no free stack (of %u) for %s[%d] in %s, %lu of %lu bytes used: -EIO\n",
		       READ_ONCE(spw_total), current->comm,
		       task_pid_nr(current), spw_point_name(point),
		       THREAD_SIZE - left, (unsigned long)THREAD_SIZE);
}

/* Point 0 switches whatever is left, and for the task of the test only. */
static noinline struct spw_stack *
spw_acquire_selftest(unsigned long sp, const struct spw_stack *from)
{
	struct spw_stack *stack = NULL;

	if (READ_ONCE(spw_selftest_task) != current)
		return NULL;
	if (!spw_selftest_refuse)
		stack = spw_pool_get(0, sp, from);
	return stack ?: ERR_PTR(-EIO);
}

/*
 * Called by spw_switch on a stack that may be too full, before the point had
 * any effect. NULL: stay on this stack; -EIO: fail the call; else switch.
 * Takes no lock that sleeps and allocates nothing.
 */
asmlinkage struct spw_stack *spw_acquire(unsigned int point, unsigned long sp,
					 void *arg)
{
	struct spw_stack *from, *stack;
	long left;

	/* An interrupt before it left the task's stack, say. */
	if (unlikely(!in_task()))
		return NULL;
	left = spw_left(sp, &from);
	if (unlikely(left < 0))
		return NULL;
	if (unlikely(!point))
		return spw_acquire_selftest(sp, from);
	if (unlikely(left < READ_ONCE(spw_least_left[point])))
		spw_note_depth(point, left);
	if (left >= READ_ONCE(spw_min_left) || unlikely(spw_draining()))
		return NULL;

	stack = spw_pool_get(point, sp, from);
	if (likely(stack))
		return stack;
	raw_cpu_inc(spw_counts->refusals[point]);
	spw_say_refused(point, left);
	if (spw_point_returns(point) == SPW_RETURNS_BIO)
		bio_io_error(arg);
	return ERR_PTR(-EIO);
}

/* Back on the old stack, after the point returned. */
asmlinkage void spw_release(struct spw_stack *stack)
{
	spw_pool_put(stack);
}

/* IPMODIFY mode: does the point have to go through the slow path? */
bool spw_enter_callback(unsigned int point, unsigned long sp)
{
	this_cpu_inc(spw_calls[point]);
	return (sp & (THREAD_SIZE - 1)) < READ_ONCE(spw_trigger[point]);
}
