/* SPDX-License-Identifier: GPL-2.0 */
/* spillway: extra kernel stacks for tasks whose own one is nearly full. */
#ifndef SPILLWAY_H
#define SPILLWAY_H

/* Critical points there can be; point 0 is the self-test's. */
#define SPW_MAX_POINTS 64
/* Stacks there can be. */
#define SPW_MAX_STACKS 1024
/* Stacks one task can be on: each needs a stack type of its own to unwind. */
#define SPW_MAX_LEVELS 32

/* Offsets of struct spw_stack that switch_asm.S uses. */
#define SPW_STACK_TOP 0

/* Fits in a sign-extended immediate; usercopy.c. */
#define SPW_PROBE_VALUE(n) (0x5b1a7700 + (n))

#ifndef __ASSEMBLY__

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/kobject.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <asm/page.h>
#include <asm/thread_info.h>

#define SPW_PAGES (THREAD_SIZE / PAGE_SIZE)

/*
 * One extra stack. "owner" is both the lock and the free flag: whoever turns
 * it from NULL has the stack. A dump's reader finds all of this through
 * spw_layout (pool.c).
 */
struct spw_stack {
	unsigned long top;		/* one past its last byte; SPW_STACK_TOP */
	struct task_struct *owner;	/* NULL: free */
	unsigned long prev_sp;		/* RSP at entry of the hooked function */
	u64 since;			/* get_cycles() at the switch */
	unsigned int level;		/* 0: switched to from the task's own */
	unsigned int point;
	unsigned int slot;		/* its place in spw_table */
	int cpu;			/* switched there; for "migrated" */
	int home;			/* the CPU whose pages these are */
	bool dying;			/* its owner is in do_exit() on it */
	struct page *pages[SPW_PAGES];
} ____cacheline_aligned_in_smp;

/* Not a task: marks a stack that is being taken out of the pool. */
#define SPW_REMOVED ((struct task_struct *)1)

static inline unsigned long spw_base(const struct spw_stack *stack)
{
	return stack->top - THREAD_SIZE;
}

static inline bool spw_holds(const struct spw_stack *stack, unsigned long addr)
{
	return addr - spw_base(stack) < THREAD_SIZE;
}

/* What counts up on every switch, without a lock or a shared cache line. */
struct spw_counts {
	u64 switches[SPW_MAX_POINTS];
	u64 refusals[SPW_MAX_POINTS];
	u64 hold[64];			/* log2 of cycles from switch to release */
	u64 occupancy[SPW_MAX_STACKS + 1]; /* stacks in use after a switch */
	u64 migrated;
	u64 reaped;
};

/* pool.c; pool.h for the path of a switch */
extern struct spw_stack *spw_table[SPW_MAX_STACKS];
extern unsigned int spw_slots;
extern struct spw_counts __percpu *spw_counts;
extern atomic_t spw_in_use;
extern unsigned int spw_high_water;
extern unsigned int spw_total;

int spw_pool_init(unsigned int total, unsigned int per_cpu);
void spw_pool_wait(void);
void spw_pool_exit(void);
void spw_forget_statistics(void);
int spw_pool_resize(unsigned int total);
struct spw_stack *spw_pool_find(unsigned long addr);
unsigned long spw_pool_deepest(void);

/* stacks.c */
struct spw_stack *spw_stack_make(int cpu);
void spw_stack_mark(struct spw_stack *stack);
void spw_stack_free(struct spw_stack *stack);
struct spw_stack *spw_stack_at(unsigned long sp);
unsigned long spw_stack_deepest(const struct spw_stack *stack);

/* reap.c */
int spw_reap_hook(void);
void spw_reap_unhook(void);

/* switch_asm.S */
extern const unsigned long spw_direct_entries[SPW_MAX_POINTS];
extern const unsigned long spw_redirect_entries[SPW_MAX_POINTS];

/* switch.c */
extern u32 spw_trigger[SPW_MAX_POINTS];
DECLARE_PER_CPU(u64[SPW_MAX_POINTS], spw_calls);

bool spw_enter_callback(unsigned int point, unsigned long sp);
unsigned int spw_threshold_get(void);
int spw_threshold_set(unsigned int bytes);
void spw_drain_set(bool drain);
bool spw_draining(void);
unsigned int spw_deepest(unsigned int point);
void spw_reset_point(unsigned int point);

/* points.c */
enum spw_returns { SPW_RETURNS_ERROR, SPW_RETURNS_BIO };

struct spw_point;
int spw_points_read(const char *list);
int spw_points_hook(const char *mode);
void spw_points_unhook(void);
unsigned int spw_points_count(void);
const char *spw_point_name(unsigned int point);
const char *spw_point_mode(unsigned int point);
enum spw_returns spw_point_returns(unsigned int point);
void spw_points_free(void);
int spw_hook_selftest(bool direct);
void spw_unhook_selftest(void);

/* hooks.c */
struct ftrace_ops;
int spw_hook_one(struct ftrace_ops *ops, char *name);
void spw_unhook_one(struct ftrace_ops *ops);

/* unwind.c */
int spw_unwind_hook(void);
void spw_unwind_unhook(void);

/* usercopy.c */
int spw_usercopy_hook(void);
void spw_usercopy_unhook(void);

/* controls.c */
int spw_controls_create(void);
void spw_controls_remove(void);

/* selftest.c */
int spw_selftest(void);
int spw_selftest_target(long a, long b, long c, long d, long e, long f);
extern struct task_struct *spw_selftest_task;
extern bool spw_selftest_refuse;

#endif /* __ASSEMBLY__ */
#endif
