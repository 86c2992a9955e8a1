// SPDX-License-Identifier: GPL-2.0
/*
 * frame-mismatch-rbp: as in stray.c, but built with frame pointers, so that the check finds its slot through RBP, which
 * still belongs to the function that went astray.
 */
#include <linux/errno.h>

#include "vandal.h"

struct sleeper {
	u64 deadline;
	u32 slack;
	u32 restarts;
};

typedef int (*wait_function)(struct sleeper *sleeper);

static noinline void read_deadlines(const struct sleeper *sleeper, u64 *deadlines, int count)
{
	int i;

	for (i = 0; i < count; i++)
		deadlines[i] = sleeper->deadline + i * sleeper->slack;
}

/* The function whose tail is entered: few saved registers, its canary close under RBP. */
static noinline int timer_sleep(struct sleeper *sleeper)
{
	u64 deadlines[6];

	read_deadlines(sleeper, deadlines, ARRAY_SIZE(deadlines));
	return deadlines[5] > deadlines[0];
}

/* The function that goes there: many saved registers, so that the same distance from RBP holds one of them. */
static noinline int wait_queue_sleep(struct sleeper *sleepers, wait_function wait, int count, u64 base, u32 slack)
{
	u64 deadlines[8];
	int i, woken = 0;

	for (i = 0; i < count; i++) {
		sleepers[i].deadline = base + i;
		sleepers[i].slack = slack;
		woken += wait(&sleepers[i]);
		sleepers[i].restarts += woken;
	}
	read_deadlines(&sleepers[0], deadlines, ARRAY_SIZE(deadlines));
	return woken + (deadlines[7] > base);
}

static noinline int wait_for_turn(wait_function wait)
{
	static struct sleeper sleepers[3];

	return wait_queue_sleep(sleepers, wait, ARRAY_SIZE(sleepers), 1000000, 50) + 1;
}

static int start_frame_mismatch_rbp(void)
{
	wait_function wait = (wait_function)find_canary_check(timer_sleep);

	if (!wait || !wait_for_turn(timer_sleep))
		return -ENOTSUPP;
	return wait_for_turn(wait) ? 0 : -EINVAL;
}

const struct scenario stray_fp_scenarios[] = {
	{ "frame-mismatch-rbp", start_frame_mismatch_rbp },
	{}
};
