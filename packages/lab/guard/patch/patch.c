// SPDX-License-Identifier: GPL-2.0
/*
 * patch: a livepatch of kernel_write(), which spillway.ko hooks by default. It
 * writes through vfs_iter_write() and counts its calls in
 * /sys/module/patch/parameters/calls.
 */
#include <linux/fs.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/uio.h>

static int calls;
module_param(calls, int, 0444);

static ssize_t patched_kernel_write(struct file *file, const void *buffer,
				    size_t count, loff_t *position)
{
	struct kvec piece = { (void *)buffer, count };
	struct iov_iter from;

	calls++;
	iov_iter_kvec(&from, ITER_SOURCE, &piece, 1, count);
	return vfs_iter_write(file, &from, position, 0);
}

static struct klp_func functions[] = {
	{ .old_name = "kernel_write", .new_func = patched_kernel_write },
	{}
};

static struct klp_object objects[] = { { .funcs = functions }, {} };

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objects };

static int __init patch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit patch_exit(void)
{
}

module_init(patch_init);
module_exit(patch_exit);
MODULE_DESCRIPTION("A livepatch of kernel_write()");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
