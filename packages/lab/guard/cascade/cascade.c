// SPDX-License-Identifier: GPL-2.0
/*
 * cascade: /dev/cascade0 to /dev/cascade31, each of which writes what it gets
 * through a buffer on its stack to the one below, and the lowest to a file: a
 * real nested I/O path as deep as one likes, for the tests of spillway.ko.
 *
 * /sys/module/cascade/parameters:
 *   target  the file below cascade0 ("sink": none; "none": closes all)
 *   act     what cascade0 does once: "oops", "runaway", "trace"
 *   hold    cascade0 sleeps while this is not 0
 *   spin    while it holds, cascade0 keeps its CPU busy rather than sleep
 *   holding tasks that sleep so just now
 *   iter    pass on through vfs_iter_write rather than kernel_write
 *   long    bytes that a letter copies too many, 0 or more
 *   occupy  takes the name /sys/kernel/spillway while this is 1
 *   bench   N times kernel_write of 64 bytes to cascade0; prints ns for each
 */
#define pr_fmt(fmt) "cascade: " fmt

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched/debug.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/version.h>

#define LEVELS 32
/* On every level's stack: with the frames between, about 860 bytes a level. */
#define BUFFER 512

static dev_t first_device;
static struct cdev device;
static struct class *class;
static struct file *below[LEVELS];
static DEFINE_MUTEX(open_mutex);

static char act[16];
module_param_string(act, act, sizeof(act), 0644);
static int hold;
module_param(hold, int, 0644);
static int spin;
module_param(spin, int, 0644);
static int iter;
module_param(iter, int, 0644);
static int too_many;
module_param_named(long, too_many, int, 0644);
static atomic_t holding;

static int holding_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(&holding));
}

static const struct kernel_param_ops holding_ops = { .get = holding_get };
module_param_cb(holding, &holding_ops, NULL, 0444);

static noinline int run_away(int n)
{
	volatile char frame[256];

	frame[0] = n;
	return n ? run_away(n - 1) + frame[0] : 0;
}

/*
 * A buffer on the stack of the write(2) that came in at the top, handed down
 * to the lowest level, which fills it from user space.
 */
struct letter {
	void __user *from;
	void *to;
};

static DEFINE_MUTEX(letter_mutex);
static struct letter letter;

static void lowest_level(void)
{
	if (!strncmp(act, "oops", 4)) {
		act[0] = 0;
		*(volatile int *)8 = 1;
	} else if (!strncmp(act, "runaway", 7)) {
		act[0] = 0;
		run_away(1 << 20);
	} else if (!strncmp(act, "trace", 5)) {
		act[0] = 0;
		pr_info("trace from the lowest level\n");
		dump_stack();
	} else if (letter.to) {
		/* The length is not constant: the check of usercopy runs. */
		volatile size_t n = 64 + too_many;

		pr_info("the letter's buffer lies at a %s address, %lu bytes left\n",
			letter.to < __builtin_frame_address(0) ? "lower" :
								 "higher",
			copy_from_user(letter.to, letter.from, n));
	}
	if (READ_ONCE(hold)) {
		atomic_inc(&holding);
		while (READ_ONCE(hold) && !fatal_signal_pending(current))
			if (spin)
				cond_resched();
			else
				schedule_timeout_killable(HZ / 20);
		atomic_dec(&holding);
	}
}

static ssize_t pass_on(struct file *file, char *buffer, size_t bytes,
		       loff_t *position)
{
	struct kvec piece = { buffer, bytes };
	struct iov_iter from;

	if (!iter)
		return kernel_write(file, buffer, bytes, position);
	iov_iter_kvec(&from, ITER_SOURCE, &piece, 1, bytes);
	return vfs_iter_write(file, &from, position, 0);
}

static ssize_t cascade_write(struct kiocb *iocb, struct iov_iter *from)
{
	int level = iminor(file_inode(iocb->ki_filp));
	loff_t position = iocb->ki_pos;
	ssize_t done = 0, rc = 0;
	char buffer[BUFFER];

	if (level == 0)
		lowest_level();
	while (iov_iter_count(from)) {
		size_t bytes = min_t(size_t, BUFFER, iov_iter_count(from));

		if (copy_from_iter(buffer, bytes, from) != bytes) {
			rc = -EFAULT;
			break;
		}
		if (below[level]) {
			rc = pass_on(below[level], buffer, bytes, &position);
		} else {
			rc = bytes;
			position += bytes;
		}
		if (rc > 0)
			done += rc;
		if (rc < (ssize_t)bytes)
			break;
	}
	iocb->ki_pos = position;
	return done ?: rc;
}

/* ioctl 1: the argument is 64 bytes of user memory for the letter. */
static long cascade_ioctl(struct file *file, unsigned int command,
			  unsigned long argument)
{
	char buffer[64] = "";
	loff_t position = 0;
	long rc;

	if (command != 1)
		return -ENOTTY;
	mutex_lock(&letter_mutex);
	letter.from = (void __user *)argument;
	letter.to = buffer;
	rc = kernel_write(file, "x", 1, &position);
	letter.to = NULL;
	mutex_unlock(&letter_mutex);
	if (rc != 1)
		return rc < 0 ? rc : -EIO;
	/* What came in, for the caller to compare. */
	return copy_to_user((void __user *)(argument + 64), buffer, 64) ?
		       -EFAULT :
		       0;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.write_iter = cascade_write,
	.unlocked_ioctl = cascade_ioctl,
	.llseek = noop_llseek,
};

static void close_all(void)
{
	int i;

	for (i = LEVELS - 1; i >= 0; i--) {
		if (below[i])
			filp_close(below[i], NULL);
		below[i] = NULL;
	}
}

static int target_set(const char *value, const struct kernel_param *kp)
{
	char name[128];
	int i, rc = 0;

	if (strscpy(name, value, sizeof(name)) < 0)
		return -EINVAL;
	mutex_lock(&open_mutex);
	close_all();
	for (i = 0; !rc && strcmp(strim(name), "none") && i < LEVELS; i++) {
		int flags = O_WRONLY | O_LARGEFILE;
		struct file *file;
		char path[32];

		if (i == 0 && !strcmp(strim(name), "sink"))
			continue;
		snprintf(path, sizeof(path), "/dev/cascade%d", i - 1);
		file = filp_open(i ? path : strim(name),
				 i ? flags : flags | O_CREAT | O_TRUNC, 0600);
		rc = PTR_ERR_OR_ZERO(file);
		if (!rc)
			below[i] = file;
	}
	if (rc)
		close_all();
	mutex_unlock(&open_mutex);
	return rc;
}

static const struct kernel_param_ops target_ops = { .set = target_set };
module_param_cb(target, &target_ops, NULL, 0200);

/* Another module that has the name which spillway's controls need. */
static struct kobject *occupant;

static int occupy_set(const char *value, const struct kernel_param *kp)
{
	bool wanted;
	int rc = kstrtobool(value, &wanted);

	if (rc)
		return rc;
	kobject_put(occupant);
	occupant = NULL;
	if (wanted)
		occupant = kobject_create_and_add("spillway", kernel_kobj);
	return wanted && !occupant ? -ENOMEM : 0;
}

static const struct kernel_param_ops occupy_ops = { .set = occupy_set };
module_param_cb(occupy, &occupy_ops, NULL, 0200);

static int bench_set(const char *value, const struct kernel_param *kp)
{
	char buffer[64] = { 1 };
	struct file *file;
	loff_t position = 0;
	int i, n, rc = kstrtoint(value, 0, &n);
	u64 took;

	if (rc || n < 1)
		return rc ?: -EINVAL;
	file = filp_open("/dev/cascade0", O_WRONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	took = ktime_get_ns();
	for (i = 0; i < n; i++)
		kernel_write(file, buffer, sizeof(buffer), &position);
	took = ktime_get_ns() - took;
	filp_close(file, NULL);
	pr_info("kernel_write: %llu ns each\n", div_u64(took, n));
	return 0;
}

static const struct kernel_param_ops bench_ops = { .set = bench_set };
module_param_cb(bench, &bench_ops, NULL, 0200);

static int __init cascade_init(void)
{
	int i, rc = alloc_chrdev_region(&first_device, 0, LEVELS, "cascade");

	if (rc)
		return rc;
	cdev_init(&device, &operations);
	device.owner = THIS_MODULE;
	rc = cdev_add(&device, first_device, LEVELS);
	if (rc)
		goto out;
	/* The owner argument went in 6.4 (1aaba11da9aa). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	class = class_create(THIS_MODULE, "cascade");
#else
	class = class_create("cascade");
#endif
	for (i = 0; i < LEVELS; i++)
		device_create(class, NULL, first_device + i, NULL, "cascade%d", i);
	return 0;
out:
	unregister_chrdev_region(first_device, LEVELS);
	return rc;
}

static void __exit cascade_exit(void)
{
	int i;

	kobject_put(occupant);
	for (i = 0; i < LEVELS; i++)
		device_destroy(class, first_device + i);
	class_destroy(class);
	cdev_del(&device);
	unregister_chrdev_region(first_device, LEVELS);
}

module_init(cascade_init);
module_exit(cascade_exit);
MODULE_DESCRIPTION("A chain of devices that write to one another");
MODULE_LICENSE("GPL");
