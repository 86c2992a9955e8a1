// SPDX-License-Identifier: GPL-2.0
/* Overflow of the stacks that interrupts, soft interrupts and exceptions run on. */
#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/nmi.h>

#include "vandal.h"

/* --- hardirq-recursion: an interrupt handler that polls its channel again while it is busy. --- */

struct channel {
	struct irq_work work;
	u32 pending;
	u32 polls;
};

static struct channel channel;

static noinline u32 read_events(struct channel *channel, u32 *events, int count)
{
	int i;

	for (i = 0; i < count; i++)
		events[i] = channel->pending ^ i;
	return channel->pending;
}

static noinline u32 poll_channel(struct channel *channel)
{
	u32 events[40];
	u32 pending = read_events(channel, events, ARRAY_SIZE(events));

	channel->polls++;
	if (pending)
		pending += poll_channel(channel);
	return pending + events[3];
}

static noinline u32 drain_channel(struct channel *channel)
{
	return poll_channel(channel) + 1;
}

static void channel_interrupt(struct irq_work *work)
{
	struct channel *channel = container_of(work, struct channel, work);

	channel->polls = drain_channel(channel);
}

static noinline int raise_channel(struct channel *channel)
{
	irq_work_queue(&channel->work);
	mdelay(1000);
	return channel->polls;
}

static int start_hardirq_recursion(void)
{
	init_irq_work(&channel.work, channel_interrupt);
	channel.pending = 5;
	return raise_channel(&channel) ? 0 : -EIO;
}

/* --- softirq-large-frame: a tasklet with a table that is larger than its stack. --- */

static noinline u32 count_flows(const u32 *buckets, int count)
{
	u32 used = 0;

	while (count--)
		used += buckets[count] != 0;
	return used;
}

static noinline u32 rebalance_flows(u32 seed)
{
	u32 buckets[4096] = {};

	buckets[seed] = seed;
	return count_flows(buckets, ARRAY_SIZE(buckets)) + buckets[seed + 1];
}

static void flow_tasklet(struct tasklet_struct *tasklet)
{
	tasklet->data = rebalance_flows(jiffies & 1023) + 1;
}

static DECLARE_TASKLET(flow_work, flow_tasklet);

static noinline int flush_flows(void)
{
	local_bh_disable();
	tasklet_schedule(&flow_work);
	local_bh_enable();
	return flow_work.data ? 0 : -EAGAIN;
}

static int start_softirq_large_frame(void)
{
	return flush_flows() ? -EIO : 0;
}

/* --- nmi-recursion: a handler of non-maskable interrupts that follows a log entry chained to itself. --- */

struct error_record {
	struct error_record *next;
	u64 address;
};

static struct error_record record;
static u64 record_sum;

static noinline u64 read_record(const struct error_record *record, u64 *fields)
{
	fields[0] = record->address;
	fields[1] = record->address >> 12;
	return fields[1];
}

static noinline u64 report_records(const struct error_record *record)
{
	u64 fields[16];
	u64 sum = read_record(record, fields);

	if (record->next)
		sum += report_records(record->next);
	return sum + fields[0];
}

static int error_interrupt(unsigned int type, struct pt_regs *regs)
{
	record_sum = report_records(&record) + 1;
	return NMI_HANDLED;
}

static noinline int inject_error(void)
{
	int cpu = get_cpu();

	apic->send_IPI(cpu, NMI_VECTOR);
	mdelay(1000);
	put_cpu();
	return record_sum ? 0 : -EIO;
}

static int start_nmi_recursion(void)
{
	int error = register_nmi_handler(NMI_LOCAL, error_interrupt, 0, "vandal");

	if (error)
		return error;
	record.next = &record;
	record.address = 0x12345000;
	error = inject_error();
	unregister_nmi_handler(NMI_LOCAL, "vandal");
	return error;
}

const struct scenario interrupt_scenarios[] = {
	{ "hardirq-recursion", start_hardirq_recursion },
	{ "softirq-large-frame", start_softirq_large_frame },
	{ "nmi-recursion", start_nmi_recursion },
	{}
};
