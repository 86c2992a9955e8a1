// SPDX-License-Identifier: GPL-2.0
/*
 * faults: makes calls of spillway.ko's fail, one at a time. What failslab and
 * fail_page_alloc would do, had Debian's kernels CONFIG_FAULT_INJECTION; and
 * beyond memory, for all that a module can be refused while it loads.
 *
 * /sys/module/faults/parameters:
 *   nth   the Nth such call from now on fails (0: none)
 *   every each Nth call fails, again and again (0: none)
 *   last  the function whose call failed last, since nth or every was set
 *   count calls that failed since the module was loaded
 */
#define pr_fmt(fmt) "faults: " fmt

#include <linux/atomic.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/string.h>

static noinline void *return_null(void)
{
	return NULL;
}

static noinline int return_enomem(void)
{
	return -ENOMEM;
}

struct fault {
	char *name;
	void *instead;
	bool there;
	struct kprobe probe;
};

/* Under the names of 6.1 and of 6.12; those that a kernel lacks stay out. */
static struct fault faults[] = {
	{ "__alloc_pages", return_null },
	{ "__alloc_pages_noprof", return_null },
	{ "kmalloc_trace", return_null },
	{ "kmalloc_node_trace", return_null },
	{ "__kmalloc", return_null },
	{ "__kmalloc_node", return_null },
	{ "__kmalloc_cache_noprof", return_null },
	{ "__kmalloc_cache_node_noprof", return_null },
	{ "__kmalloc_noprof", return_null },
	{ "__kmalloc_node_noprof", return_null },
	{ "kvmalloc_node", return_null },
	{ "__kvmalloc_node_noprof", return_null },
	{ "kstrdup", return_null },
	{ "kstrdup_noprof", return_null },
	{ "__alloc_percpu", return_null },
	{ "pcpu_alloc_noprof", return_null },
	{ "vmap", return_null },
	{ "ftrace_set_filter", return_enomem },
	{ "ftrace_set_filter_ip", return_enomem },
	{ "register_ftrace_function", return_enomem },
	{ "register_ftrace_direct", return_enomem },
	{ "register_ftrace_direct_multi", return_enomem },
	{ "__cpuhp_setup_state", return_enomem },
	{ "sysfs_create_group", return_enomem },
	{ "kobject_create_and_add", return_null },
};

static int nth;
static int every;
static atomic_t calls;
static atomic_t failed;
static char *last = "";

static int before_call(struct kprobe *probe, struct pt_regs *regs)
{
	struct fault *fault = container_of(probe, struct fault, probe);
	unsigned long caller = *(unsigned long *)regs->sp;
	char name[KSYM_SYMBOL_LEN];
	int call;

	/* Modules lie above the kernel's text. */
	if (likely(!READ_ONCE(nth) && !READ_ONCE(every)) ||
	    caller < (unsigned long)MODULES_VADDR)
		return 0;
	sprint_symbol(name, caller);
	if (!strstr(name, "[spillway]"))
		return 0;
	call = atomic_inc_return(&calls);
	if (call != READ_ONCE(nth) &&
	    (!READ_ONCE(every) || call % READ_ONCE(every)))
		return 0;
	WRITE_ONCE(last, fault->name);
	atomic_inc(&failed);
	/* The caller's return address is on top of the stack already. */
	regs->ip = (unsigned long)fault->instead;
	return 1;
}
NOKPROBE_SYMBOL(before_call);

/* A probe that has one is not optimized, and so may change regs->ip. */
static void after_call(struct kprobe *probe, struct pt_regs *regs,
		       unsigned long flags)
{
}
NOKPROBE_SYMBOL(after_call);

static int arm(const char *value, const struct kernel_param *kp)
{
	int rc, n;

	rc = kstrtoint(value, 0, &n);
	if (rc || n < 0)
		return rc ?: -EINVAL;
	atomic_set(&calls, 0);
	if (n)
		WRITE_ONCE(last, "");
	WRITE_ONCE(*(int *)kp->arg, n);
	return 0;
}

static const struct kernel_param_ops arm_ops = { .set = arm,
						 .get = param_get_int };
module_param_cb(nth, &arm_ops, &nth, 0644);
module_param_cb(every, &arm_ops, &every, 0644);
module_param(last, charp, 0444);

static int count_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(&failed));
}

static const struct kernel_param_ops count_ops = { .get = count_get };
module_param_cb(count, &count_ops, NULL, 0444);

static int __init faults_init(void)
{
	int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		struct fault *fault = &faults[i];

		fault->probe.symbol_name = fault->name;
		fault->probe.pre_handler = before_call;
		fault->probe.post_handler = after_call;
		fault->there = !register_kprobe(&fault->probe);
		n += fault->there;
	}
	pr_info("%d functions can be made to fail\n", n);
	return n ? 0 : -ENOENT;
}

static void __exit faults_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (faults[i].there)
			unregister_kprobe(&faults[i].probe);
}

module_init(faults_init);
module_exit(faults_exit);
MODULE_DESCRIPTION("Fault injection into spillway.ko");
MODULE_LICENSE("GPL");
