/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Taking a stack and giving it back: inline, as their calls would be a good
 * part of what a switch costs.
 */
#ifndef SPILLWAY_POOL_H
#define SPILLWAY_POOL_H

#include <linux/log2.h>
#include <linux/magic.h>
#include <linux/sched/task_stack.h>
#include <linux/timex.h>
#include "spillway.h"

extern unsigned int spw_slots;
DECLARE_PER_CPU(unsigned int, spw_last_slot);
extern bool spw_module_held;

void spw_hold_module(void);
void spw_note_high_water(unsigned int in_use);

/* Would the stack need the help of usercopy.c for a task with that own one? */
static inline bool spw_lies_above(const struct spw_stack *stack,
				  unsigned long own)
{
	return IS_ENABLED(CONFIG_HARDENED_USERCOPY) && spw_base(stack) > own;
}

/*
 * Claims a free stack; with "low" only one below the task's own. The claim is
 * the cmpxchg alone: spw_remove() waits for us before it frees what we look at
 * (we do not sleep, which is all that rcu_tasks asks).
 */
static inline struct spw_stack *spw_claim(unsigned long own, bool low)
{
	unsigned int slots = READ_ONCE(spw_slots);
	unsigned int slot = raw_cpu_read(spw_last_slot);
	unsigned int i;

	for (i = 0; i < slots; i++, slot++) {
		struct task_struct *nobody = NULL;
		struct spw_stack *stack;

		if (slot >= slots)
			slot = 0;
		stack = READ_ONCE(spw_table[slot]);
		if (!stack || READ_ONCE(stack->owner) ||
		    (low && spw_lies_above(stack, own)))
			continue;
		if (try_cmpxchg(&stack->owner, &nobody, current)) {
			raw_cpu_write(spw_last_slot, slot);
			return stack;
		}
	}
	return NULL;
}

/*
 * Takes a free stack for the current task, which is at sp of its own stack or
 * of "from". NULL when none is left, or the task is on too many already.
 */
static inline struct spw_stack *spw_pool_get(unsigned int point,
					     unsigned long sp,
					     const struct spw_stack *from)
{
	unsigned long own = (unsigned long)task_stack_page(current);
	unsigned int level = from ? from->level + 1 : 0;
	struct spw_stack *stack;
	unsigned int in_use;

	if (level >= SPW_MAX_LEVELS)
		return NULL;
	/* One above would make every copy ask usercopy.c. */
	stack = spw_claim(own, true);
	if (unlikely(!stack))
		stack = spw_claim(own, false);
	if (!stack)
		return NULL;

	stack->prev_sp = sp;
	stack->level = level;
	stack->point = point;
	stack->cpu = raw_smp_processor_id();
	stack->high = spw_lies_above(stack, own);
	if (stack->high)
		atomic_inc(&spw_high_in_use);
	/* Fully ordered, as spw_let_go() relies on. */
	in_use = atomic_inc_return(&spw_in_use);
	if (unlikely(!READ_ONCE(spw_module_held)))
		spw_hold_module();
	if (unlikely(in_use > READ_ONCE(spw_high_water)))
		spw_note_high_water(in_use);
	atomic_long_inc(&spw_occupancy[min_t(unsigned int, in_use,
					     SPW_MAX_STACKS)]);
	raw_cpu_inc(spw_counts->switches[point]);
	stack->since = get_cycles();
	return stack;
}

/* Gives a stack back. The caller is not on it any more. */
static inline void spw_pool_put(struct spw_stack *stack)
{
	u64 held = get_cycles() - stack->since;

	if (stack->cpu != raw_smp_processor_id())
		raw_cpu_inc(spw_counts->migrated);
	/* Cycle counters of two CPUs may differ a little. */
	raw_cpu_inc(spw_counts->hold[(s64)held > 0 ? ilog2(held) : 0]);
	WARN_ONCE(*(unsigned long *)spw_base(stack) != STACK_END_MAGIC,
		  "spillway: an extra stack was used to its last byte\n");
	if (stack->high)
		atomic_dec(&spw_high_in_use);
	smp_store_release(&stack->owner, NULL);
	/* Last: with no stack in use the module may go. */
	atomic_dec(&spw_in_use);
}

#endif
