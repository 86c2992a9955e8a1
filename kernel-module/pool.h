/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Taking a stack and giving it back: inline, as their calls would be a good
 * part of what a switch costs.
 */
#ifndef SPILLWAY_POOL_H
#define SPILLWAY_POOL_H

#include <linux/log2.h>
#include <linux/magic.h>
#include <linux/timex.h>
#include "spillway.h"

/* The stack that a CPU gave out last: likely free again, and in its cache. */
DECLARE_PER_CPU(struct spw_stack *, spw_last);
extern bool spw_module_held;

void spw_hold_module(void);
void spw_note_high_water(unsigned int in_use);
struct spw_stack *spw_claim_any(void);

/*
 * The claim is the cmpxchg alone: spw_remove() waits for us before it frees
 * what we look at (we do not sleep, which is all that rcu_tasks asks).
 */
static inline bool spw_claim(struct spw_stack *stack)
{
	struct task_struct *nobody = NULL;

	return !READ_ONCE(stack->owner) &&
	       try_cmpxchg(&stack->owner, &nobody, current);
}

/*
 * Takes a free stack for the current task, which is at sp of its own stack or
 * of "from". NULL when none is left, or the task is on too many already.
 */
static inline struct spw_stack *spw_pool_get(unsigned int point,
					     unsigned long sp,
					     const struct spw_stack *from)
{
	unsigned int level = from ? from->level + 1 : 0;
	struct spw_stack *stack = raw_cpu_read(spw_last);
	unsigned int in_use;

	if (unlikely(level >= SPW_MAX_LEVELS))
		return NULL;
	if (unlikely(!stack || !spw_claim(stack))) {
		stack = spw_claim_any();
		if (!stack)
			return NULL;
		raw_cpu_write(spw_last, stack);
	}

	stack->prev_sp = sp;
	stack->level = level;
	stack->point = point;
	stack->cpu = raw_smp_processor_id();
	/* Fully ordered, as spw_let_go() relies on. */
	in_use = atomic_inc_return(&spw_in_use);
	if (unlikely(!READ_ONCE(spw_module_held)))
		spw_hold_module();
	if (unlikely(in_use > READ_ONCE(spw_high_water)))
		spw_note_high_water(in_use);
	/* One that is being given back may still be counted. */
	if (likely(in_use <= SPW_MAX_STACKS))
		raw_cpu_inc(spw_counts->occupancy[in_use]);
	raw_cpu_inc(spw_counts->switches[point]);
	stack->since = get_cycles();
	return stack;
}

/* Gives a stack back. The caller is not on it any more. */
static inline void spw_pool_put(struct spw_stack *stack)
{
	s64 held = get_cycles() - stack->since;

	if (unlikely(stack->cpu != raw_smp_processor_id()))
		raw_cpu_inc(spw_counts->migrated);
	/* Cycle counters of two CPUs may differ a little. */
	raw_cpu_inc(spw_counts->hold[held > 0 ? __fls(held) : 0]);
	WARN_ONCE(*(unsigned long *)spw_base(stack) != STACK_END_MAGIC,
		  "spillway: an extra stack was used to its last byte\n");
	/* What we read of it comes before what its next owner writes. */
	smp_store_release(&stack->owner, NULL);
	/* Last: with no stack in use the module may go. */
	atomic_dec(&spw_in_use);
}

#endif
