// SPDX-License-Identifier: GPL-2.0
/* Buffer overruns that are not the fault of a text parser: off by one, and a callee that trusts its caller's buffer. */
#include <linux/errno.h>

#include "vandal.h"

/* --- canary-only: one slot too many, and the canary is all that lies behind the array. --- */

struct lane {
	const struct lane *next;
	u32 weight;
};

static struct lane lanes[5];

static noinline u64 sum_weights(const struct lane *const *table, int count)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < count; i++)
		sum += table[i]->weight;
	return sum;
}

static noinline u64 collect_lanes(const struct lane *first, int count)
{
	const struct lane *table[4];
	const struct lane *lane = first;
	int i;

	for (i = 0; i <= count; i++) {
		table[i] = lane;
		lane = lane->next;
	}
	return sum_weights(table, count);
}

static noinline u64 balance_lanes(int count, u32 budget)
{
	u64 total = collect_lanes(lanes, count);

	return total > budget ? budget : total;
}

static int start_canary_only(void)
{
	u32 budget = 1000;
	u64 total;
	int i;

	OPTIMIZER_HIDE_VAR(budget);
	for (i = 0; i < ARRAY_SIZE(lanes); i++) {
		lanes[i].next = &lanes[(i + 1) % ARRAY_SIZE(lanes)];
		lanes[i].weight = 10 + i;
	}
	total = balance_lanes(ARRAY_SIZE(lanes) - 1 + budget / 1001, budget);
	return total ? 0 : -EINVAL;
}

/* --- callee-overrun: the callee writes past the end of the buffer its caller lent it. --- */

struct sample_block {
	u16 count;
	u16 first;
	u16 step;
};

static noinline void unpack_samples(u16 *out, const struct sample_block *block)
{
	u16 value = block->first;
	u16 i;

	for (i = 0; i < block->count; i++, value += block->step)
		out[i] = value;
}

static noinline u32 average_block(const struct sample_block *block)
{
	u16 samples[24];
	u32 sum = 0;
	int i;

	unpack_samples(samples, block);
	for (i = 0; i < ARRAY_SIZE(samples); i++)
		sum += samples[i];
	return sum / ARRAY_SIZE(samples);
}

static noinline u32 measure_channel(const struct sample_block *blocks, int count)
{
	u32 level = 0;
	int i;

	for (i = 0; i < count; i++)
		level = (level + average_block(&blocks[i])) / 2;
	return level;
}

static int start_callee_overrun(void)
{
	/* The second block has eight samples more than fit. */
	static const struct sample_block blocks[] = { { 24, 100, 3 }, { 32, 0x1000, 1 } };

	return measure_channel(blocks, ARRAY_SIZE(blocks)) ? 0 : -EINVAL;
}

/* --- memcpy-overrun: the same with memcpy and a length from the wire, through several callers' frames. --- */

struct frame_header {
	u32 length;
	const u8 *payload;
};

static u8 wire[512];

static noinline void copy_payload(void *to, const struct frame_header *header)
{
	memcpy(to, header->payload, header->length);
}

static noinline u32 checksum_frame(const struct frame_header *header)
{
	u8 payload[64];
	u32 sum = 0;
	int i;

	copy_payload(payload, header);
	for (i = 0; i < sizeof(payload); i++)
		sum = (sum << 1) ^ payload[i];
	return sum;
}

static noinline bool verify_frame(const struct frame_header *header, u32 expected)
{
	return checksum_frame(header) == expected;
}

static noinline int receive_frame(const u8 *data, u32 length)
{
	static struct frame_header header;

	header.length = length;
	header.payload = data;
	if (!verify_frame(&header, 0x1234))
		return -EILSEQ;
	return 0;
}

static int start_memcpy_overrun(void)
{
	int i, result;

	/* What a stream of 32-bit counters would look like. */
	for (i = 0; i < sizeof(wire) / 4; i++)
		((u32 *)wire)[i] = 0x20000 + i;
	result = receive_frame(wire, 112);
	return result == -EILSEQ ? -EIO : result;
}

/* --- overrun-behind-tail-call: queue_reply() jumps to format_reply() and so has no frame. --- */

static noinline size_t measure_reply(const char *text)
{
	return strlen(text);
}

static noinline size_t format_reply(const char *text, unsigned int code)
{
	char line[24];
	char *out = line;

	*out++ = '0' + code % 10;
	*out++ = ' ';
	while (*text)
		*out++ = *text++;
	*out = 0;
	return measure_reply(line);
}

static noinline size_t queue_reply(const char *text, unsigned int code)
{
	if (!text)
		return 0;
	return format_reply(text, code + 1);
}

static noinline size_t answer_query(unsigned int code)
{
	return queue_reply("answer longer than its buffer", code) + 1;
}

static int start_tail_call(void)
{
	return answer_query(4) > 1 ? 0 : -EINVAL;
}

/* --- overrun-union: 48 bytes for a union of 34, and no pattern in them. --- */

union mailbox_message {
	u8 raw[34];
	struct {
		u16 tag;
		u16 length;
		u16 words[15];
	} property;
};

static noinline u32 decode_message(const union mailbox_message *message)
{
	return message->property.tag ^ message->property.length ^ message->raw[33];
}

static noinline u32 read_mailbox(const u16 *from, int length)
{
	union mailbox_message message;
	u16 *to = (u16 *)message.raw;
	int i;

	for (i = 0; i < length / 2; i++)
		to[i] = from[i];
	return decode_message(&message);
}

static noinline u32 query_firmware(const u16 *from, int length)
{
	return read_mailbox(from, length) + 1;
}

static int start_overrun_union(void)
{
	static const u16 answer[] = {
		0x0003, 0x0030, 0x91c4, 0x27fe, 0xd05b, 0x6a12, 0xbe49, 0x0c77, 0xf3a8, 0x58d1, 0x8e36, 0x4b9f,
		0xe265, 0x1ad8, 0xc793, 0x305e, 0x9f0c, 0x64b7, 0xd82a, 0x05f1, 0x7ce4, 0xab3d, 0x1986, 0xe67f,
	};

	return query_firmware(answer, sizeof(answer)) ? 0 : -EINVAL;
}

const struct scenario overrun_scenarios[] = {
	{ "overrun-union", start_overrun_union },
	{ "canary-only", start_canary_only },
	{ "callee-overrun", start_callee_overrun },
	{ "memcpy-overrun", start_memcpy_overrun },
	{ "overrun-behind-tail-call", start_tail_call },
	{}
};
