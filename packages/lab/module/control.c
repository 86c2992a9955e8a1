// SPDX-License-Identifier: GPL-2.0
/* Return addresses, the end of the stack and the reference canary, changed without a canary being hit. */
#include <linux/errno.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <asm/processor.h>

#include "vandal.h"

/* --- return-byte: a flag set at an index beyond the array, over the canary, in one byte of the return address. --- */

static noinline void set_flag(u8 *flags, long index, u8 flag)
{
	flags[index] ^= flag;
}

static noinline int mark_slots(const u8 *slots, int count, long (*locate)(const u8 *flags))
{
	u8 flags[32] = {};
	int i, marked = 0;

	for (i = 0; i < count; i++)
		set_flag(flags, slots[i], 0x80);
	set_flag(flags, locate(flags), 0x40);
	for (i = 0; i < sizeof(flags); i++)
		marked += flags[i] != 0;
	return marked;
}

static noinline int update_slots(void);

static long locate_return_byte(const u8 *flags)
{
	long distance = bytes_to_return(flags, update_slots);

	return distance < 0 ? 0 : distance + 3;
}

static noinline int update_slots(void)
{
	static const u8 slots[] = { 3, 8, 21 };
	int marked = mark_slots(slots, ARRAY_SIZE(slots), locate_return_byte);

	return marked > 3 ? -EINVAL : marked;
}

static int start_return_byte(void)
{
	return update_slots() < 0 ? -EIO : 0;
}

/* --- return-overwritten: text over the return address of a function without a canary. --- */

static noinline __attribute__((no_stack_protector)) int copy_label(const char *from, int length)
{
	char label[16];
	int i;

	for (i = 0; i < length; i++)
		label[i] = from[i];
	barrier_data(label);
	return label[0] + label[15];
}

static noinline int rename_volume(const char *name, int length)
{
	int hash = copy_label(name, length);

	return hash ^ length;
}

static int start_return_overwritten(void)
{
	static const char name[] = "a-volume-name-that-is-much-longer-than-any-label-ought-to-be-here";

	return rename_volume(name, 40) < 0 ? -EINVAL : 0;
}

/* --- return-zeroed: the same with zeros, so that the CPU ends up at address 0 by a return and not by a call. --- */

static noinline __attribute__((no_stack_protector)) u32 clear_counters(u32 first, int count)
{
	u32 counters[8];
	int i;

	counters[0] = first;
	barrier_data(counters);
	for (i = 1; i < count; i++)
		counters[i] = 0;
	barrier_data(counters);
	return counters[0];
}

static noinline u32 reset_statistics(int count)
{
	u32 first = clear_counters(77, count);

	return first + count;
}

static int start_return_zeroed(void)
{
	return reset_statistics(8 + 8) ? 0 : -EINVAL;
}

/* --- stack-end: the magic word at the low end of the stack, found changed by the scheduler. --- */

static noinline void clear_words(unsigned long *words, int count)
{
	while (count--)
		*words++ = 0x6b6b6b6b6b6b6b6bUL;
}

static noinline int scrub_stack(struct task_struct *task)
{
	clear_words(task_stack_page(task), 6);
	schedule_timeout_uninterruptible(2);
	return task->pid;
}

static int start_stack_end(void)
{
	return scrub_stack(current) ? 0 : -EINVAL;
}

/* --- reference-canary: a wild per-CPU counter. --- */

static noinline void add_to_counter(u64 __percpu *counters, int index, u64 amount)
{
	preempt_disable();
	this_cpu_add(counters[index], amount);
	preempt_enable();
}

static noinline u32 account_packets(const u32 *sizes, int count)
{
	u32 histogram[16] = {};
	int i;

	for (i = 0; i < count; i++)
		histogram[sizes[i] & 15]++;
	add_to_counter((u64 __percpu *)&fixed_percpu_data, 5, histogram[sizes[0] & 15] << 8);
	return histogram[sizes[1] & 15];
}

static noinline u32 flush_statistics(const u32 *sizes, int count)
{
	u32 most = account_packets(sizes, count);

	return most + 1;
}

static int start_reference_canary(void)
{
	static const u32 sizes[] = { 64, 1500, 9000, 64 };

	return flush_statistics(sizes, ARRAY_SIZE(sizes)) ? 0 : -EINVAL;
}

const struct scenario control_scenarios[] = {
	{ "return-byte", start_return_byte },
	{ "return-overwritten", start_return_overwritten },
	{ "return-zeroed", start_return_zeroed },
	{ "stack-end", start_stack_end },
	{ "reference-canary", start_reference_canary },
	{}
};
