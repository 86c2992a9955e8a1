// SPDX-License-Identifier: GPL-2.0
/*
 * The pool of extra stacks.
 *
 * The table is the free list: a stack belongs to whoever turns its owner from
 * NULL with cmpxchg. So taking and giving back (pool.h) need no lock, no
 * semaphore and no shared list head; a CPU looks first at the stack it used
 * last.
 */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include "pool.h"
#include "spillway.h"

/* How soon after the last switch the module may be unloaded. */
#define SPW_IDLE (HZ / 5)

struct spw_stack *spw_table[SPW_MAX_STACKS];
struct spw_counts __percpu *spw_counts;
atomic_t spw_in_use;
unsigned int spw_high_water;
unsigned int spw_total;

/* Slots of the table that were ever used: none is set at or above this. */
unsigned int spw_slots;
DEFINE_PER_CPU(struct spw_stack *, spw_last);
static DEFINE_MUTEX(spw_resize_mutex);
static unsigned int spw_per_cpu;
static int spw_hotplug_state = -1;

/*
 * For whoever reads a dump: where the pool is and how a stack is laid out.
 * Grows at its end only; "version" changes when a field changes its meaning.
 */
const struct {
	char magic[8];
	u32 version;
	u32 thread_size;
	u64 table;
	u32 slots;
	u32 top, owner, prev_sp, level, point, cpu;
	u32 points;
	u64 counts;		/* the __percpu pointer to them lies there */
	u64 high_water;
	u32 switches, refusals;	/* arrays of u64, one for each point */
} spw_layout = {
	.magic = "spillway",
	.version = 1,
	.thread_size = THREAD_SIZE,
	.table = (u64)spw_table,
	.slots = SPW_MAX_STACKS,
	.top = offsetof(struct spw_stack, top),
	.owner = offsetof(struct spw_stack, owner),
	.prev_sp = offsetof(struct spw_stack, prev_sp),
	.level = offsetof(struct spw_stack, level),
	.point = offsetof(struct spw_stack, point),
	.cpu = offsetof(struct spw_stack, cpu),
	.points = SPW_MAX_POINTS,
	.counts = (u64)&spw_counts,
	.high_water = (u64)&spw_high_water,
	.switches = offsetof(struct spw_counts, switches),
	.refusals = offsetof(struct spw_counts, refusals),
};

/*
 * A reference to the module while stacks are in use, so that rmmod is refused.
 * Taking one at each switch would cost as much as the switch: it is kept until
 * the pool was found idle.
 */
bool spw_module_held;
static void spw_let_go(struct work_struct *work);
static DECLARE_DELAYED_WORK(spw_idle_work, spw_let_go);

void spw_hold_module(void)
{
	if (xchg(&spw_module_held, true))
		return;
	/* Fails while the module goes away, which waits for us by itself. */
	if (!try_module_get(THIS_MODULE)) {
		WRITE_ONCE(spw_module_held, false);
		return;
	}
	schedule_delayed_work(&spw_idle_work, SPW_IDLE);
}

static void spw_let_go(struct work_struct *work)
{
	if (!atomic_read(&spw_in_use)) {
		/* xchg orders this before the second look: see spw_pool_get */
		xchg(&spw_module_held, false);
		if (!atomic_read(&spw_in_use)) {
			module_put(THIS_MODULE);
			return;
		}
		if (xchg(&spw_module_held, true)) {
			/* Somebody took a reference of their own meanwhile. */
			module_put(THIS_MODULE);
			return;
		}
	}
	schedule_delayed_work(&spw_idle_work, SPW_IDLE);
}

/* Where the last one is taken, by its own user or another CPU's. */
struct spw_stack *spw_claim_any(void)
{
	unsigned int slots = READ_ONCE(spw_slots);
	struct spw_stack *last = raw_cpu_read(spw_last);
	unsigned int slot = last ? last->slot : raw_smp_processor_id();
	unsigned int i;

	for (i = 0; i < slots; i++, slot++) {
		struct spw_stack *stack;

		if (slot >= slots)
			slot = 0;
		stack = READ_ONCE(spw_table[slot]);
		if (stack && spw_claim(stack))
			return stack;
	}
	return NULL;
}

void spw_note_high_water(unsigned int in_use)
{
	unsigned int seen = READ_ONCE(spw_high_water);

	while (in_use > seen &&
	       !try_cmpxchg(&spw_high_water, &seen, in_use))
		;
}

/* Starts all counting anew; no stack is in use. */
void spw_forget_statistics(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(spw_counts, cpu), 0, sizeof(*spw_counts));
	WRITE_ONCE(spw_high_water, 0);
}

/* The stack that holds an address, in use or not. */
notrace struct spw_stack *spw_pool_find(unsigned long addr)
{
	unsigned int slots = READ_ONCE(spw_slots);
	unsigned int i;

	for (i = 0; i < slots; i++) {
		struct spw_stack *stack = READ_ONCE(spw_table[i]);

		if (stack && spw_holds(stack, addr))
			return stack;
	}
	return NULL;
}

static int spw_add(int cpu)
{
	struct spw_stack *stack;
	unsigned int slot;

	lockdep_assert_held(&spw_resize_mutex);
	if (spw_total >= SPW_MAX_STACKS)
		return -ENOSPC;
	stack = spw_stack_make(cpu);
	if (!stack)
		return -ENOMEM;
	for (slot = 0; spw_table[slot]; slot++)
		;
	stack->slot = slot;
	spw_stack_mark(stack);
	/* Whoever finds it there finds it complete. */
	smp_store_release(&spw_table[slot], stack);
	if (slot >= spw_slots)
		WRITE_ONCE(spw_slots, slot + 1);
	WRITE_ONCE(spw_total, spw_total + 1);
	return 0;
}

/*
 * Takes up to n free stacks out of the pool, those of a CPU (or -1 for any);
 * with "all", n of them or none. Stack walkers and claimants may still look at
 * them, so they are freed after both are gone.
 */
static int spw_remove(unsigned int n, int cpu, bool all)
{
	struct spw_stack **removed;
	unsigned int got = 0, i;
	int other, rc = 0;

	lockdep_assert_held(&spw_resize_mutex);
	if (!n)
		return 0;
	removed = kvcalloc(n, sizeof(*removed), GFP_KERNEL);
	if (!removed)
		return -ENOMEM;
	for (i = spw_slots; i-- && got < n;) {
		struct spw_stack *stack = spw_table[i];
		struct task_struct *nobody = NULL;

		if (stack && (cpu < 0 || stack->home == cpu) &&
		    try_cmpxchg(&stack->owner, &nobody, SPW_REMOVED))
			removed[got++] = stack;
	}
	if (all && got < n) {
		while (got)
			WRITE_ONCE(removed[--got]->owner, NULL);
		rc = -EBUSY;
		goto out;
	}
	for (i = 0; i < got; i++) {
		WRITE_ONCE(spw_table[removed[i]->slot], NULL);
		/* Who claims a stack notes it here before giving it back. */
		for_each_possible_cpu(other)
			cmpxchg(per_cpu_ptr(&spw_last, other), removed[i], NULL);
	}
	while (spw_slots && !spw_table[spw_slots - 1])
		WRITE_ONCE(spw_slots, spw_slots - 1);
	WRITE_ONCE(spw_total, spw_total - got);
	if (got) {
		/* Stack walkers, then those in the middle of spw_pool_get(). */
		synchronize_rcu();
		synchronize_rcu_tasks();
	}
	while (got)
		spw_stack_free(removed[--got]);
out:
	kvfree(removed);
	return rc;
}

/* Stacks are spread over the CPUs, so that no node gives all the memory. */
static int spw_next_home(void)
{
	static int last = -1;

	last = cpumask_next(last, cpu_online_mask);
	if (last >= nr_cpu_ids)
		last = cpumask_first(cpu_online_mask);
	return last;
}

/*
 * Makes the pool hold "total" stacks. -EBUSY where more are in use (then
 * nothing changes), -ENOMEM where memory ends (then neither), -EINVAL above
 * SPW_MAX_STACKS.
 */
int spw_pool_resize(unsigned int total)
{
	unsigned int before;
	int rc = 0;

	if (total > SPW_MAX_STACKS)
		return -EINVAL;
	cpus_read_lock();
	mutex_lock(&spw_resize_mutex);
	before = spw_total;
	if (total < before)
		rc = spw_remove(before - total, -1, true);
	while (!rc && spw_total < total)
		rc = spw_add(spw_next_home());
	if (rc && spw_total > before)
		spw_remove(spw_total - before, -1, false);
	mutex_unlock(&spw_resize_mutex);
	cpus_read_unlock();
	return rc;
}

/* Most bytes of any extra stack that were ever in use. */
unsigned long spw_pool_deepest(void)
{
	unsigned long deepest = 0;
	unsigned int i;

	mutex_lock(&spw_resize_mutex);
	for (i = 0; i < spw_slots; i++)
		if (spw_table[i])
			deepest = max(deepest, spw_stack_deepest(spw_table[i]));
	mutex_unlock(&spw_resize_mutex);
	return deepest;
}

static int spw_cpu_online(unsigned int cpu)
{
	unsigned int there = 0, i;
	int rc = 0;

	mutex_lock(&spw_resize_mutex);
	/* Those in use stayed when the CPU went away. */
	for (i = 0; i < spw_slots; i++)
		there += spw_table[i] && spw_table[i]->home == cpu;
	for (; !rc && there < spw_per_cpu; there++)
		rc = spw_add(cpu);
	mutex_unlock(&spw_resize_mutex);
	/* A CPU without stacks of its own uses those of the others. */
	if (rc)
		pr_warn("no extra stacks for CPU %u: %d\n", cpu, rc);
	return 0;
}

static int spw_cpu_offline(unsigned int cpu)
{
	mutex_lock(&spw_resize_mutex);
	spw_remove(spw_per_cpu, cpu, false);
	mutex_unlock(&spw_resize_mutex);
	return 0;
}

/*
 * Makes the pool: "total" stacks, or with 0 per_cpu for each CPU that is or
 * comes online.
 */
int spw_pool_init(unsigned int total, unsigned int per_cpu)
{
	int rc;

	spw_counts = alloc_percpu(struct spw_counts);
	if (!spw_counts)
		return -ENOMEM;
	if (total) {
		rc = spw_pool_resize(total);
	} else {
		spw_per_cpu = per_cpu;
		rc = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "spillway:online",
				       spw_cpu_online, spw_cpu_offline);
		if (rc > 0) {
			spw_hotplug_state = rc;
			rc = 0;
		}
		if (!rc && spw_total < per_cpu)
			rc = -ENOMEM;
	}
	if (rc)
		spw_pool_exit();
	return rc;
}

/*
 * Waits until no stack is in use; the points are unhooked. A task may sleep on
 * one for as long as it likes, so that this says what it waits for.
 */
void spw_pool_wait(void)
{
	unsigned long next = jiffies + 10 * HZ;

	while (atomic_read(&spw_in_use)) {
		if (time_after(jiffies, next)) {
			pr_warn("waiting for %d stacks whose tasks sleep on them\n",
				atomic_read(&spw_in_use));
			next = jiffies + 10 * HZ;
		}
		msleep(20);
	}
}

/* Frees it all. No point is hooked any more; waits for the last tasks. */
void spw_pool_exit(void)
{
	spw_pool_wait();
	if (cancel_delayed_work_sync(&spw_idle_work))
		module_put(THIS_MODULE);
	if (spw_hotplug_state > 0)
		cpuhp_remove_state_nocalls(spw_hotplug_state);
	spw_hotplug_state = -1;
	WARN_ON(spw_pool_resize(0));
	free_percpu(spw_counts);
	spw_counts = NULL;
}
