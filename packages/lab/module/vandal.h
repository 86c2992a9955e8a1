/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VANDAL_H
#define VANDAL_H

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

/* Does not return when the scenario works: the kernel has panicked by then. */
typedef int (*scenario_start)(void);

struct scenario {
	const char *name;
	scenario_start start;
};

/* Each file has its own list, ended by an empty entry. */
extern const struct scenario overrun_scenarios[];
extern const struct scenario parser_scenarios[];
extern const struct scenario overflow_scenarios[];
extern const struct scenario layers_scenarios[];
extern const struct scenario interrupt_scenarios[];
extern const struct scenario reply_scenarios[];
extern const struct scenario late_scenarios[];
extern const struct scenario canary_scenarios[];
extern const struct scenario control_scenarios[];
extern const struct scenario stray_scenarios[];
extern const struct scenario stray_fp_scenarios[];
extern const struct scenario plain_scenarios[];

/*
 * The address of the canary check in the tail of a function: the load of the slot just before it is compared with the
 * reference canary. NULL when the compiler wrote it in a way not known here.
 */
void *find_canary_check(void *function);

/*
 * How far above `buffer` the first return address into `caller` is, or negative when there is none. The victims' own code
 * has nothing special in it; this is how a scenario aims at one word of a frame whatever the compiler made of it.
 */
long bytes_to_return(const void *buffer, const void *caller);

#endif
