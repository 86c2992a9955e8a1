// SPDX-License-Identifier: GPL-2.0
/* Writes into a frame by somebody else: a request that timed out, whose answer comes when its frame is long dead. */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/timer.h>

#include "vandal.h"

struct exchange {
	struct timer_list timer;
	struct task_struct *waiter;
	u64 *reply;
	int words;
	bool whole;
	bool done;
};

static struct exchange exchange;

/* Runs on another CPU, in a timer. */
static void exchange_timer(struct timer_list *timer)
{
	struct exchange *exchange = container_of(timer, struct exchange, timer);
	int i;

	for (i = 0; i < exchange->words; i++) {
		/* The single status word lands where the frame now living there keeps its canary. */
		if (exchange->whole || exchange->reply[i] == exchange->waiter->stack_canary)
			exchange->reply[i] = 0xc0de0000 + i;
	}
	exchange->done = true;
}

static noinline void arm_exchange(struct exchange *exchange, u64 *reply, int words)
{
	unsigned int other = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());

	exchange->reply = reply;
	exchange->words = words;
	exchange->waiter = current;
	timer_setup(&exchange->timer, exchange_timer, TIMER_PINNED);
	exchange->timer.expires = jiffies + msecs_to_jiffies(60);
	add_timer_on(&exchange->timer, other);
}

static noinline int send_request(struct exchange *exchange)
{
	u64 reply[24];

	arm_exchange(exchange, reply, ARRAY_SIZE(reply));
	msleep(4);
	/* Gives up, and leaves the exchange with a pointer to the frame it returns from. */
	return exchange->done ? (int)reply[0] : -ETIMEDOUT;
}

static noinline void sample_clock(u64 *samples, int count, u64 base)
{
	int i;

	for (i = 0; i < count; i++)
		samples[i] = base + i;
	msleep(150);
}

static noinline u64 estimate_delay(struct exchange *exchange, u64 base, u64 weight, int rounds)
{
	u64 samples[32];
	u64 low = U64_MAX, high = 0, sum = 0;
	int i;

	sample_clock(samples, ARRAY_SIZE(samples), base);
	for (i = 0; i < rounds; i++) {
		low = min(low, samples[i]);
		high = max(high, samples[i] * weight);
		sum += samples[i] + exchange->words;
	}
	return sum + low + high;
}

static noinline int retry_exchange(struct exchange *exchange)
{
	u64 delay;
	int error = send_request(exchange);

	if (error != -ETIMEDOUT)
		return error;
	delay = estimate_delay(exchange, 1000, 3, 32);
	return delay ? 0 : -EAGAIN;
}

static noinline int query_peer(bool whole)
{
	int error;

	exchange.whole = whole;
	exchange.done = false;
	error = retry_exchange(&exchange);
	return error == -EAGAIN ? 0 : error;
}

static int start_foreign_word(void)
{
	return query_peer(false) ? -EIO : 0;
}

static int start_foreign_block(void)
{
	return query_peer(true) ? -EIO : 0;
}

const struct scenario reply_scenarios[] = {
	{ "foreign-word", start_foreign_word },
	{ "foreign-block", start_foreign_block },
	{}
};
