// SPDX-License-Identifier: GPL-2.0
/* The reference canary is changed, and put right again or not, while functions that have stored it are active. */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/smp.h>
#include <linux/workqueue.h>
#include <asm/processor.h>

#include "vandal.h"

static noinline u32 sum_bytes(const u8 *bytes, int count)
{
	u32 sum = 0;

	while (count--)
		sum += *bytes++;
	return sum;
}

/* --- reference-renewed: the task and its CPU get a new canary, as boot_init_stack_canary() does, too late. --- */

static noinline void renew_canary(void)
{
	unsigned long canary = current->stack_canary ^ 0x1234567890abcd00UL;

	preempt_disable();
	current->stack_canary = canary;
	this_cpu_write(fixed_percpu_data.stack_canary, canary);
	preempt_enable();
}

static noinline u32 start_worker(u32 id)
{
	u8 name[24];
	int i;

	for (i = 0; i < sizeof(name); i++)
		name[i] = 'a' + (id + i) % 26;
	renew_canary();
	return sum_bytes(name, sizeof(name));
}

static noinline u32 spawn_worker(u32 id)
{
	return start_worker(id) + id;
}

static int start_reference_renewed(void)
{
	return spawn_worker(2) ? 0 : -EINVAL;
}

/* --- reference-switched: a switch of contexts by hand that takes the other task's canary along for a while. --- */

static noinline void use_canary_of(const struct task_struct *task)
{
	preempt_disable();
	this_cpu_write(fixed_percpu_data.stack_canary, task->stack_canary);
	preempt_enable();
}

static noinline u32 run_fiber(u32 seed)
{
	u8 state[40];
	int i;

	for (i = 0; i < sizeof(state); i++)
		state[i] = seed * 7 + i * i;
	use_canary_of(current);
	return sum_bytes(state, sizeof(state));
}

static noinline u32 switch_fiber(const struct task_struct *other, u32 seed)
{
	u32 result;

	use_canary_of(other);
	result = run_fiber(seed);
	return result + 1;
}

static int start_reference_switched(void)
{
	return switch_fiber(&init_task == current ? NULL : current->group_leader->real_parent, 5) ? 0 : -EINVAL;
}

/* --- reference-elsewhere: statistics of another CPU are reset, one index too far. --- */

static noinline void reset_counter(int cpu, int index)
{
	u64 *counters = (u64 *)per_cpu_ptr(&fixed_percpu_data, cpu);

	counters[index] = 0;
}

static void publish_statistics(struct work_struct *work)
{
	cond_resched();
}

static DECLARE_WORK(publication, publish_statistics);

static noinline int reset_statistics_of(int cpu, int count)
{
	int ms;

	reset_counter(cpu, count);
	/* The other CPU gets something to do, and so to notice. */
	schedule_work_on(cpu, &publication);
	for (ms = 0; ms < 3000; ms++)
		mdelay(1);
	return count;
}

static int start_reference_elsewhere(void)
{
	int result;

	preempt_disable();
	result = reset_statistics_of(cpumask_any_but(cpu_online_mask, raw_smp_processor_id()), 5);
	preempt_enable();
	return result - 5;
}

const struct scenario canary_scenarios[] = {
	{ "reference-renewed", start_reference_renewed },
	{ "reference-switched", start_reference_switched },
	{ "reference-elsewhere", start_reference_elsewhere },
	{}
};
