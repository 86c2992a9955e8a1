// SPDX-License-Identifier: GPL-2.0
/*
 * vandal: breaks the kernel's stacks, each time in one well-known way. For throw-away virtual machines only.
 * Writing the name of a scenario to /proc/vandal starts it.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

#include "vandal.h"

static const struct scenario *const lists[] = {
	overrun_scenarios, parser_scenarios, overflow_scenarios, layers_scenarios, interrupt_scenarios,
	reply_scenarios,   late_scenarios,    control_scenarios, canary_scenarios, stray_scenarios,
	stray_fp_scenarios, plain_scenarios,
};

static const struct scenario *find_scenario(const char *name)
{
	const struct scenario *scenario;
	int i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		for (scenario = lists[i]; scenario->name; scenario++)
			if (!strcmp(scenario->name, name))
				return scenario;
	return NULL;
}

static noinline int run_command(const char *name)
{
	const struct scenario *scenario = find_scenario(name);
	int result;

	if (!scenario)
		return -ENOENT;
	result = scenario->start();
	pr_notice("vandal: %s returned %d\n", name, result);
	return result;
}

static ssize_t vandal_write(struct file *file, const char __user *text, size_t length, loff_t *offset)
{
	char name[48];
	int result;

	if (length >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, text, length))
		return -EFAULT;
	name[length] = 0;
	result = run_command(strim(name));
	return result < 0 ? result : length;
}

static const struct proc_ops vandal_ops = {
	.proc_write = vandal_write,
};

static int __init vandal_init(void)
{
	return proc_create("vandal", 0200, NULL, &vandal_ops) ? 0 : -ENOMEM;
}

static void __exit vandal_exit(void)
{
	remove_proc_entry("vandal", NULL);
}

module_init(vandal_init);
module_exit(vandal_exit);
MODULE_DESCRIPTION("Breaks kernel stacks in well-known ways");
MODULE_LICENSE("GPL");
