/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that spillway supports. Each branch says
 * which release made it; where distributions backport, the test is on what is
 * there and not on the release.
 */
#ifndef SPILLWAY_COMPAT_H
#define SPILLWAY_COMPAT_H

#include <linux/ftrace.h>
#include <linux/sched.h>
#include <linux/version.h>

/*
 * One address for all functions of an ops: "_multi" before 6.4
 * (da8bdfbd4223 made it the only interface).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
static inline int spw_register_direct(struct ftrace_ops *ops, unsigned long to)
{
	return register_ftrace_direct_multi(ops, to);
}

static inline void spw_unregister_direct(struct ftrace_ops *ops,
					 unsigned long to)
{
	unregister_ftrace_direct_multi(ops, to);
}
#else
static inline int spw_register_direct(struct ftrace_ops *ops, unsigned long to)
{
	return register_ftrace_direct(ops, to);
}

static inline void spw_unregister_direct(struct ftrace_ops *ops,
					 unsigned long to)
{
	unregister_ftrace_direct(ops, to, true);
}
#endif

/*
 * struct ftrace_regs became opaque in 6.13 (7888af4166d4), which Debian's 6.12
 * has too. On x86 it begins with a struct pt_regs all along; without
 * FTRACE_OPS_FL_SAVE_REGS only the argument registers, sp, bp and ip are valid.
 */
static __always_inline struct pt_regs *spw_fregs(struct ftrace_regs *fregs)
{
#ifdef arch_ftrace_regs
	return &arch_ftrace_regs(fregs)->regs;
#else
	return &fregs->regs;
#endif
}

/* ftrace_instruction_pointer_set() before 6.4 (94d095ffa0e1). */
static __always_inline void spw_set_ip(struct ftrace_regs *fregs,
				       unsigned long ip)
{
	spw_fregs(fregs)->ip = ip;
}

/* Does a task still run its last instructions? A UP kernel has no on_cpu. */
static inline bool spw_on_cpu(struct task_struct *task)
{
#ifdef CONFIG_SMP
	return READ_ONCE(task->on_cpu);
#else
	return task == current;
#endif
}

#endif
