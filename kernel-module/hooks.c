// SPDX-License-Identifier: GPL-2.0
/* A callback at one function of the kernel, for what is no critical point. */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/string.h>
#include "spillway.h"

/*
 * Calls ops->func at each call of the named function. Says what stands in the
 * way where that fails.
 */
int spw_hook_one(struct ftrace_ops *ops, char *name)
{
	int rc = ftrace_set_filter(ops, name, strlen(name), true);

	if (!rc)
		rc = register_ftrace_function(ops);
	if (!rc)
		return 0;
	ftrace_free_filter(ops);
	pr_err("%s cannot be hooked: %d%s\n", name, rc,
	       rc == -EBUSY ? " (a livepatch or another IPMODIFY hook is there)" : "");
	return rc;
}

/* On return no CPU is in the callback, and none comes to it any more. */
void spw_unhook_one(struct ftrace_ops *ops)
{
	unregister_ftrace_function(ops);
	ftrace_free_filter(ops);
}
