// SPDX-License-Identifier: GPL-2.0
/* Requests on the stack that are completed when their frame is long dead: counted down, or filled in. */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "vandal.h"

/* --- foreign-count: the completion only drops a reference, which changes the word by one. --- */

#define LANES 24

struct transfer_request {
	u64 users[LANES];
};

struct transfer {
	struct transfer_request *request;
	struct task_struct *waiter;
	u32 lane;
	struct timer_list timeout;
};

/* The lane whose counter lies where the frame now living there keeps its canary. */
static noinline u32 find_lane(const struct transfer *transfer)
{
	u32 lane;

	for (lane = 0; lane < LANES; lane++)
		if (transfer->request->users[lane] == transfer->waiter->stack_canary)
			return lane;
	return LANES;
}

static noinline void put_request(struct transfer_request *request, u32 lane)
{
	request->users[lane]--;
}

static void transfer_timeout(struct timer_list *timer)
{
	struct transfer *transfer = container_of(timer, struct transfer, timeout);

	transfer->lane = find_lane(transfer);
	if (transfer->lane < LANES)
		put_request(transfer->request, transfer->lane);
}

static noinline struct transfer *queue_transfer(struct transfer_request *request)
{
	unsigned int other = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());
	struct transfer *transfer = kzalloc(sizeof(*transfer), GFP_KERNEL);

	if (!transfer)
		return NULL;
	transfer->request = request;
	transfer->waiter = current;
	timer_setup(&transfer->timeout, transfer_timeout, TIMER_PINNED);
	transfer->timeout.expires = jiffies + msecs_to_jiffies(60);
	add_timer_on(&transfer->timeout, other);
	return transfer;
}

static noinline int read_sector(u64 sector)
{
	struct transfer_request request;
	struct transfer *transfer;
	int i;

	for (i = 0; i < LANES; i++)
		request.users[i] = 1;
	transfer = queue_transfer(&request);
	if (!transfer)
		return -ENOMEM;
	msleep(4);
	/* Does not wait for the transfer to end, which keeps the address of a frame that is left now. */
	return request.users[sector % LANES] ? -EAGAIN : 0;
}

static noinline void fill_readahead(u32 *blocks, int count, u32 first)
{
	int i;

	for (i = 0; i < count; i++)
		blocks[i] = first ^ (i * 2654435761u);
	msleep(150);
}

static noinline u64 plan_readahead(u64 sector, int rounds)
{
	u32 blocks[64];
	u64 sum = 0;
	int i;

	fill_readahead(blocks, ARRAY_SIZE(blocks), sector);
	for (i = 0; i < rounds; i++)
		sum += blocks[i] & 0xff;
	return sum;
}

static noinline int read_again(u64 sector)
{
	int error = read_sector(sector);

	if (error == -EAGAIN)
		error = plan_readahead(sector + 8, 64) ? 0 : -EIO;
	return error;
}

static int start_foreign_count(void)
{
	return read_again(4711) + 1;
}

/* --- foreign-return: part of the result is written, over the return address of whoever sleeps there now. --- */

struct probe_result {
	u64 codes[32];
};

static struct probe_result *probe_result;

static noinline u64 settle_bus(u32 port, u32 wait);

/* The first code of the port's own, which lies where somebody sleeping there now keeps a return address. */
static noinline long first_code(const struct probe_result *result)
{
	long distance = bytes_to_return(result, settle_bus);

	return distance < 0 ? -1 : distance / 8;
}

static void probe_work(struct work_struct *work)
{
	long first;
	int i;

	msleep(60);
	first = first_code(probe_result);
	for (i = 0; first >= 0 && i < 2; i++)
		probe_result->codes[first + i] = 0x100000000ULL + i;
}

static DECLARE_WORK(probe, probe_work);

static noinline u64 start_probe(u32 port)
{
	struct probe_result result;

	result.codes[port & 3] = port;
	barrier_data(&result);
	probe_result = &result;
	schedule_work(&probe);
	msleep(4);
	return result.codes[port & 3];
}

static noinline u64 settle_port(u32 port, u32 wait)
{
	msleep(wait);
	return port * 3;
}

static noinline u64 settle_bus(u32 port, u32 wait)
{
	return settle_port(port + 1, wait) + wait;
}

static noinline u64 settle_device(u32 port)
{
	return settle_bus(port, 150) + port;
}

static noinline u64 probe_port(u32 port)
{
	u64 code = start_probe(port);

	return settle_device(port) + code;
}

static int start_foreign_return(void)
{
	return probe_port(3) ? 0 : -EINVAL;
}

const struct scenario late_scenarios[] = {
	{ "foreign-count", start_foreign_count },
	{ "foreign-return", start_foreign_return },
	{}
};
