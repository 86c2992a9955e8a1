// SPDX-License-Identifier: MIT
/*
 * stairs: a module whose deepest path is known, because every path through it can be walked. climb() goes down three
 * landings, each a table of operations with a choice of three steps; "0 2 1" written to /proc/stairs says which. The file
 * then tells how far below climb()'s frame the stack pointer came.
 */
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#define CHOICES 3

struct walk {
	unsigned int choice[3];
	unsigned long lowest;
};

struct upper_ops {
	int (*step)(struct walk *walk);
};

struct middle_ops {
	int (*step)(struct walk *walk, int seed);
};

struct ground_ops {
	int (*step)(struct walk *walk, int seed, u8 *mark);
};

extern const struct upper_ops upper[CHOICES];
extern const struct middle_ops middle[CHOICES];
extern const struct ground_ops ground[CHOICES];

/* Where the stack pointer is in the middle of the function. */
static __always_inline void look(struct walk *walk)
{
	unsigned long sp;

	asm volatile("mov %%rsp, %0" : "=r"(sp) : : "memory");
	walk->lowest = min(walk->lowest, sp);
}

/* A step with so many bytes of its own; what the next one gives back decides how it goes on, so that it is no tail call. */
#define STEP(name, bytes, parameters, next)                                    \
	static noinline int name parameters                                   \
	{                                                                      \
		u8 own[bytes];                                                 \
		int result;                                                    \
                                                                               \
		OPTIMIZER_HIDE_VAR(walk);                                      \
		own[0] = (bytes) & 0xff;                                       \
		barrier_data(own);                                             \
		look(walk);                                                    \
		result = next;                                                 \
		barrier_data(own);                                             \
		return result + own[0];                                        \
	}

#define UPPER(name, bytes) STEP(name, bytes, (struct walk *walk), middle[walk->choice[1]].step(walk, own[0]))
#define MIDDLE(name, bytes) STEP(name, bytes, (struct walk *walk, int seed), ground[walk->choice[2]].step(walk, seed, own))
#define GROUND(name, bytes) STEP(name, bytes, (struct walk *walk, int seed, u8 *mark), seed + *mark)

UPPER(oak_step, 40)
UPPER(ash_step, 328)
UPPER(elm_step, 104)
MIDDLE(red_step, 600)
MIDDLE(tan_step, 72)
MIDDLE(jet_step, 240)
GROUND(old_step, 24)
GROUND(new_step, 88)
GROUND(far_step, 744)

const struct upper_ops upper[CHOICES] = { { oak_step }, { ash_step }, { elm_step } };
const struct middle_ops middle[CHOICES] = { { red_step }, { tan_step }, { jet_step } };
const struct ground_ops ground[CHOICES] = { { old_step }, { new_step }, { far_step } };

static unsigned long cfa, lowest;

/* The entry: everything that it reaches is a step. Its CFA is where RSP was before the call that entered it. */
static noinline int climb(struct walk *walk)
{
	int result;

	cfa = (unsigned long)__builtin_frame_address(0) + 2 * sizeof(long);
	result = upper[walk->choice[0]].step(walk);
	return result ^ 1;
}

static ssize_t stairs_write(struct file *file, const char __user *text, size_t length, loff_t *offset)
{
	struct walk walk = { .lowest = ULONG_MAX };
	char line[16] = {};
	int i;

	if (length >= sizeof(line) || copy_from_user(line, text, length))
		return -EINVAL;
	if (sscanf(line, "%u %u %u", &walk.choice[0], &walk.choice[1], &walk.choice[2]) != 3)
		return -EINVAL;
	for (i = 0; i < 3; i++)
		if (walk.choice[i] >= CHOICES)
			return -EINVAL;
	climb(&walk);
	lowest = walk.lowest;
	return length;
}

static int stairs_show(struct seq_file *out, void *unused)
{
	seq_printf(out, "%lu\n", cfa - lowest);
	return 0;
}

static int stairs_open(struct inode *inode, struct file *file)
{
	return single_open(file, stairs_show, NULL);
}

static const struct proc_ops stairs_ops = {
	.proc_open = stairs_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = stairs_write,
};

static int __init stairs_init(void)
{
	return proc_create("stairs", 0600, NULL, &stairs_ops) ? 0 : -ENOMEM;
}

static void __exit stairs_exit(void)
{
	remove_proc_entry("stairs", NULL);
}

module_init(stairs_init);
module_exit(stairs_exit);
MODULE_DESCRIPTION("Paths of known depth");
MODULE_LICENSE("Dual MIT/GPL");
