// SPDX-License-Identifier: GPL-2.0
/*
 * The critical points: functions in which a task may sleep, that can return an
 * error, and that have all their arguments in registers.
 */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "compat.h"
#include "spillway.h"

/*
 * Functions known to be fit, whatever the kernel: the prototypes are the same
 * from 6.1 on in what counts here (at most six arguments; an int, a ssize_t or
 * an ERR_PTR as the result, or a bio to fail).
 */
static const struct {
	const char *name;
	enum spw_returns returns;
} spw_known[] = {
	{ "vfs_read", SPW_RETURNS_ERROR },
	{ "vfs_write", SPW_RETURNS_ERROR },
	{ "vfs_iter_read", SPW_RETURNS_ERROR },
	{ "vfs_iter_write", SPW_RETURNS_ERROR },
	{ "kernel_read", SPW_RETURNS_ERROR },
	{ "kernel_write", SPW_RETURNS_ERROR },
	{ "iterate_dir", SPW_RETURNS_ERROR },
	{ "vfs_fsync_range", SPW_RETURNS_ERROR },
	{ "vfs_getattr", SPW_RETURNS_ERROR },
	{ "notify_change", SPW_RETURNS_ERROR },
	{ "do_filp_open", SPW_RETURNS_ERROR },
	{ "vfs_create", SPW_RETURNS_ERROR },
	{ "vfs_mkdir", SPW_RETURNS_ERROR },
	{ "vfs_unlink", SPW_RETURNS_ERROR },
	{ "vfs_rename", SPW_RETURNS_ERROR },
	{ "vfs_statfs", SPW_RETURNS_ERROR },
	{ "submit_bio_noacct", SPW_RETURNS_BIO },
};

struct spw_point {
	char name[KSYM_NAME_LEN];
	enum spw_returns returns;
	bool direct;
	bool hooked;
	struct ftrace_ops ops;
};

/* Point 0 is the self-test's; the first that is free is spw_points_used. */
static struct spw_point *spw_points[SPW_MAX_POINTS];
static unsigned int spw_points_used = 1;

static notrace void spw_point_callback(unsigned long ip, unsigned long parent,
				       struct ftrace_ops *ops,
				       struct ftrace_regs *fregs)
{
	unsigned int point = (unsigned long)ops->private;
	struct pt_regs *regs = spw_fregs(fregs);

	if (likely(!spw_enter_callback(point, regs->sp)))
		return;
	regs->r10 = ip + MCOUNT_INSN_SIZE;
	spw_set_ip(fregs, spw_redirect_entries[point]);
}

static int spw_hook_direct(struct spw_point *point, unsigned int number)
{
	int rc;

	memset(&point->ops, 0, sizeof(point->ops));
	/* PERMANENT: ftrace_enabled=0 is refused while we are there. */
	point->ops.flags = FTRACE_OPS_FL_PERMANENT;
	rc = ftrace_set_filter(&point->ops, point->name, strlen(point->name),
			       true);
	if (!rc)
		rc = spw_register_direct(&point->ops,
					 spw_direct_entries[number]);
	if (rc)
		ftrace_free_filter(&point->ops);
	point->direct = true;
	return rc;
}

static int spw_hook_ipmodify(struct spw_point *point, unsigned int number)
{
	int rc;

	memset(&point->ops, 0, sizeof(point->ops));
	point->ops.func = spw_point_callback;
	point->ops.private = (void *)(unsigned long)number;
	point->ops.flags = FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_SAVE_REGS |
			   FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_RECURSION;
	rc = ftrace_set_filter(&point->ops, point->name, strlen(point->name),
			       true);
	if (!rc)
		rc = register_ftrace_function(&point->ops);
	if (rc)
		ftrace_free_filter(&point->ops);
	point->direct = false;
	return rc;
}

static void spw_unhook(struct spw_point *point, unsigned int number)
{
	if (!point->hooked)
		return;
	if (point->direct) {
		spw_unregister_direct(&point->ops, spw_direct_entries[number]);
	} else {
		unregister_ftrace_function(&point->ops);
		ftrace_free_filter(&point->ops);
	}
	point->hooked = false;
}

/*
 * Direct is the cheaper mode. It cannot share a function with a BPF
 * trampoline, nor IPMODIFY with a livepatch: take what goes.
 */
static int spw_hook(struct spw_point *point, unsigned int number,
		    const char *mode)
{
	int rc = -EINVAL;

	if (strcmp(mode, "ipmodify"))
		rc = spw_hook_direct(point, number);
	if (rc && strcmp(mode, "direct"))
		rc = spw_hook_ipmodify(point, number);
	point->hooked = !rc;
	return rc;
}

/*
 * What a point's result is called in the list. All but bio are the same here:
 * a function returns its int, long or pointer in one register, and -EIO is
 * -EIO in each.
 */
static const struct {
	const char *name;
	enum spw_returns returns;
} spw_kinds[] = {
	{ "int", SPW_RETURNS_ERROR },	/* a negative error number */
	{ "long", SPW_RETURNS_ERROR },	/* that, or ssize_t, loff_t */
	{ "ptr", SPW_RETURNS_ERROR },	/* ERR_PTR(); not NULL for failure */
	{ "bio", SPW_RETURNS_BIO },	/* void; the first argument is a bio */
};

static int spw_parse_kind(struct spw_point *point, const char *kind)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(spw_kinds); i++) {
		if (!strcmp(spw_kinds[i].name, kind)) {
			point->returns = spw_kinds[i].returns;
			return 0;
		}
	}
	pr_err("%s:%s: a point returns int, long, ptr or bio\n", point->name,
	       kind);
	return -EINVAL;
}

/*
 * One word of the list:
 *
 *	point	= NAME [ ":" kind ]
 *	kind	= "int" | "long" | "ptr" | "bio"
 *
 * NAME is a function as /proc/kallsyms has it, with its suffix (".isra.0"). It
 * may sleep, has at most six arguments, all in registers, and can fail.
 * The kind may be left out for the functions of spw_known.
 */
static int spw_parse(struct spw_point *point, char *word)
{
	char *kind = strchr(word, ':');
	unsigned int i;
	int rc;

	if (kind)
		*kind++ = '\0';
	if (!*word || strpbrk(word, "*?[!") ||
	    strscpy(point->name, word, sizeof(point->name)) < 0) {
		pr_err("\"%s\" is no function's name\n", word);
		return -EINVAL;
	}
	for (i = 1; i < spw_points_used; i++) {
		if (!strcmp(spw_points[i]->name, word)) {
			pr_err("%s is named twice\n", word);
			return -EINVAL;
		}
	}
	if (kind) {
		rc = spw_parse_kind(point, kind);
		if (rc)
			return rc;
	}
	for (i = 0; i < ARRAY_SIZE(spw_known); i++) {
		if (strcmp(spw_known[i].name, word))
			continue;
		if (kind && point->returns != spw_known[i].returns) {
			pr_err("%s:%s: it does not return that\n", word, kind);
			return -EINVAL;
		}
		point->returns = spw_known[i].returns;
		return 0;
	}
	if (!kind) {
		pr_err("%s is not known: say what it returns, as %s:int, %s:long, %s:ptr or %s:bio\n",
		       word, word, word, word, word);
		return -EINVAL;
	}
	return 0;
}

static int spw_add_point(char *word)
{
	struct spw_point *point;
	int rc;

	if (spw_points_used == SPW_MAX_POINTS) {
		pr_err("at most %d critical points\n", SPW_MAX_POINTS - 1);
		return -E2BIG;
	}
	point = kzalloc(sizeof(*point), GFP_KERNEL);
	if (!point)
		return -ENOMEM;
	rc = spw_parse(point, word);
	if (rc) {
		kfree(point);
		return rc;
	}
	spw_points[spw_points_used++] = point;
	return 0;
}

/*
 * Reads a list of points with commas between them. Nothing is hooked yet; what
 * was read is freed with spw_points_free(), after a failure too.
 */
int spw_points_read(const char *list)
{
	char *copy, *rest, *word;
	int rc = 0;

	copy = kstrdup(list, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = strim(copy);
	while (!rc && (word = strsep(&rest, ",")))
		rc = spw_add_point(strim(word));
	kfree(copy);
	return rc;
}

static const char *spw_why_not(int rc)
{
	switch (rc) {
	case -EINVAL:
		return "no such function, or one that was inlined or cannot be traced";
	case -EBUSY:
		return "a BPF program or a livepatch is there";
	case -ENODEV:
		return "ftrace is switched off: kernel.ftrace_enabled";
	default:
		return "ftrace refuses";
	}
}

/*
 * Hooks all points. What went before the first that fails stays hooked: the
 * caller undoes it with spw_points_unhook().
 */
int spw_points_hook(const char *mode)
{
	unsigned int i;
	int rc;

	for (i = 1; i < spw_points_used; i++) {
		rc = spw_hook(spw_points[i], i, mode);
		if (!rc)
			continue;
		pr_err("%s cannot be hooked: %d (%s)\n", spw_points[i]->name,
		       rc, spw_why_not(rc));
		return rc;
	}
	return 0;
}

/* Unhooks all; they keep their names and counters until the module goes. */
void spw_points_unhook(void)
{
	unsigned int i;

	for (i = 1; i < spw_points_used; i++)
		spw_unhook(spw_points[i], i);
}

void spw_points_free(void)
{
	while (spw_points_used > 1)
		kfree(spw_points[--spw_points_used]);
}

/* The self-test's own point. */
int spw_hook_selftest(bool direct)
{
	struct spw_point *point = kzalloc(sizeof(*point), GFP_KERNEL);
	int rc;

	if (!point)
		return -ENOMEM;
	strscpy(point->name, "spw_selftest_target", sizeof(point->name));
	spw_points[0] = point;
	rc = spw_hook(point, 0, direct ? "direct" : "ipmodify");
	if (rc) {
		spw_points[0] = NULL;
		kfree(point);
	}
	return rc;
}

void spw_unhook_selftest(void)
{
	if (!spw_points[0])
		return;
	spw_unhook(spw_points[0], 0);
	/* A CPU may be between the site and the end of the callback. */
	synchronize_rcu_tasks();
	kfree(spw_points[0]);
	spw_points[0] = NULL;
}

/* Points there are, from number 1 on. */
unsigned int spw_points_count(void)
{
	return spw_points_used - 1;
}

const char *spw_point_name(unsigned int point)
{
	return spw_points[point]->name;
}

const char *spw_point_mode(unsigned int point)
{
	return spw_points[point]->direct ? "direct" : "ipmodify";
}

enum spw_returns spw_point_returns(unsigned int point)
{
	return spw_points[point]->returns;
}
