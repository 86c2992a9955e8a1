// SPDX-License-Identifier: GPL-2.0
/*
 * spillway: at a few critical points, a task whose kernel stack is nearly full
 * continues on an extra stack from a small pool; if the pool is empty the call
 * fails with -EIO. Either beats crashing the machine (Keith Owens' RFC
 * "Handling kernel stack overflows", 2007).
 */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/cc_platform.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/task_stack.h>
#include "spillway.h"

#ifndef CONFIG_X86_64
#error "spillway switches stacks on x86_64 only"
#endif
#ifndef CONFIG_THREAD_INFO_IN_TASK
#error "the task lives in its stack on this kernel: a second stack is impossible"
#endif
#ifndef CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS
#error "spillway needs CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"
#endif
/* A task that dies on a stack leaves the poison of its frames there. */
#ifdef CONFIG_KASAN_STACK
#error "spillway does not work with CONFIG_KASAN_STACK"
#endif

static unsigned int stacks;
module_param(stacks, uint, 0444);
MODULE_PARM_DESC(stacks, "extra stacks in all (0: per_cpu for each CPU)");
static unsigned int per_cpu = 2;
module_param(per_cpu, uint, 0444);
MODULE_PARM_DESC(per_cpu, "extra stacks for each CPU that comes online");
static unsigned int threshold = THREAD_SIZE / 2;
module_param(threshold, uint, 0444);
MODULE_PARM_DESC(threshold, "bytes of a stack in use above which to switch");
static char *points =
	"vfs_read,vfs_write,vfs_iter_read,vfs_iter_write,kernel_read,kernel_write,iterate_dir,submit_bio_noacct";
module_param(points, charp, 0444);
MODULE_PARM_DESC(points,
		 "critical points: NAME[:int|long|ptr|bio],...; what a function returns is to be said of those that are not known");
static char *mode = "auto";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "how to hook: direct, ipmodify, or auto");

/* Everything that the fast test of a stack pointer relies on. */
static int spw_check_kernel(void)
{
	unsigned long own = (unsigned long)task_stack_page(current);

	if (!IS_ALIGNED(own, THREAD_SIZE)) {
		pr_err("stacks are not aligned to their size on this kernel\n");
		return -EOPNOTSUPP;
	}
	/*
	 * There vc_switch_off_ist() takes a stack that it does not know for one
	 * that must not be used, and the exceptions of I/O end in a panic.
	 */
	if (cc_platform_has(CC_ATTR_GUEST_STATE_ENCRYPT)) {
		pr_err("SEV-ES and SEV-SNP guests cannot have extra stacks\n");
		return -EOPNOTSUPP;
	}
	if (!stacks && !per_cpu) {
		pr_err("a pool of no stacks would fail every deep call\n");
		return -EINVAL;
	}
	if (stacks > SPW_MAX_STACKS || per_cpu > 64) {
		pr_err("at most %d stacks, and 64 for each CPU\n",
		       SPW_MAX_STACKS);
		return -EINVAL;
	}
	if (strcmp(mode, "auto") && strcmp(mode, "direct") &&
	    strcmp(mode, "ipmodify")) {
		pr_err("mode is auto, direct or ipmodify, not \"%s\"\n", mode);
		return -EINVAL;
	}
	if (spw_threshold_set(threshold)) {
		pr_err("a threshold is at most %lu bytes\n",
		       THREAD_SIZE - PAGE_SIZE);
		return -EINVAL;
	}
	return 0;
}

/* Unhooks the points, and lets the last tasks out of our text. */
static void spw_leave(void)
{
	spw_drain_set(true);
	spw_points_unhook();
	/* Whoever is on the way to a stack has it, or none, after this ... */
	synchronize_rcu_tasks();
	spw_pool_wait();
	/* ... and whoever gave one back is out of our text. */
	synchronize_rcu_tasks();
}

static int __init spw_init(void)
{
	int rc = spw_check_kernel();

	if (rc)
		return rc;
	rc = spw_points_read(points);
	if (rc)
		goto no_pool;
	rc = spw_pool_init(stacks, per_cpu);
	if (rc) {
		pr_err("no memory for the pool: %d\n", rc);
		goto no_pool;
	}
	rc = spw_reap_hook();
	if (rc)
		goto no_reap;
	rc = spw_unwind_hook();
	if (rc)
		goto no_unwind;
	rc = spw_usercopy_hook();
	if (rc)
		goto no_usercopy;
	rc = spw_selftest();
	if (rc)
		goto no_points;
	rc = spw_points_hook(mode);
	if (!rc)
		rc = spw_controls_create();
	if (rc)
		goto no_points;
	pr_info("%u extra stacks of %lu bytes, %u critical points, threshold %u bytes\n",
		spw_total, (unsigned long)THREAD_SIZE, spw_points_count(),
		spw_threshold_get());
	return 0;

no_points:
	spw_leave();
	spw_usercopy_unhook();
no_usercopy:
	spw_unwind_unhook();
no_unwind:
	spw_reap_unhook();
no_reap:
	spw_pool_exit();
no_pool:
	spw_points_free();
	return rc;
}

static void __exit spw_exit(void)
{
	spw_controls_remove();
	spw_leave();
	spw_usercopy_unhook();
	spw_unwind_unhook();
	spw_reap_unhook();
	spw_pool_exit();
	spw_points_free();
	pr_info("unloaded\n");
}

module_init(spw_init);
module_exit(spw_exit);
MODULE_DESCRIPTION("Extra kernel stacks for tasks whose own one is nearly full");
MODULE_AUTHOR("The Spillway authors");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
