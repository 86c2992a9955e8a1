// SPDX-License-Identifier: GPL-2.0
/* A text protocol whose parser copies a field until its end mark, whatever the size of the buffer. */
#include <linux/errno.h>
#include <linux/irqflags.h>

#include "vandal.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+"

struct request {
	const char *at;
	const char *end;
	int fields;
	int known;
};

static struct request current_request;
static const char *last_value;

static noinline int lookup_field(const char *value, int length)
{
	int hash = length;

	last_value = value;
	while (*value && length--)
		hash = hash * 31 + *value++;
	return hash & 1;
}

static noinline int parse_value(struct request *request)
{
	char value[32];
	int known, length = 0;

	while (request->at < request->end && *request->at != ';')
		value[length++] = *request->at++;
	known = lookup_field(value, length);
	request->fields++;
	return length ? known : -ENODATA;
}

static noinline int parse_field(struct request *request)
{
	char key = *request->at++;

	if (*request->at++ != '=')
		return -EINVAL;
	request->known += parse_value(request);
	request->at++;
	return key;
}

static noinline int parse_packet(struct request *request)
{
	int keys = 0;
	int key;

	while (request->at < request->end) {
		key = parse_field(request);
		if (key < 0)
			return key;
		keys ^= key;
	}
	return keys;
}

static noinline int handle_login(const char *text, size_t length)
{
	int keys;

	current_request.at = text;
	current_request.end = text + length;
	keys = parse_packet(&current_request);
	return keys < 0 ? keys : current_request.known;
}

/* The whole canary and half of the register saved behind it. */
static int start_overrun_short(void)
{
	static const char text[] = "u=root;p=0123456789abcdef0123456789abcdefCANARY!!more;h=here";
	int result = handle_login(text, sizeof(text) - 1);

	return result < 0 ? result : 0;
}

/* Through the frames of parse_value(), parse_field() and parse_packet(). */
static int start_overrun_long(void)
{
	static const char text[] = "u=root;p=" LETTERS "but-the-password-goes-on-for-two-lines" ";h=here";
	int result = handle_login(text, sizeof(text) - 1);

	return result < 0 ? result : 0;
}

/* Through all frames of this module and into those of the write system call. */
static int start_overrun_very_long(void)
{
	static const char text[] = "u=root;p=" LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS ";h=here";
	int result = handle_login(text, sizeof(text) - 1);

	return result < 0 ? result : 0;
}

/* --- overrun-into-return: ends inside the return address, so that half of it is still true. --- */

static noinline int parse_tag(const char *text, int length)
{
	char tag[16];
	int i;

	for (i = 0; i < length; i++)
		tag[i] = text[i];
	return lookup_field(tag, length);
}

static noinline int parse_list(const char *text, int length)
{
	int tags = 0;
	int i, start = 0;

	for (i = 0; i <= length; i++) {
		if (i < length && text[i] != ',')
			continue;
		tags += parse_tag(text + start, i - start);
		start = i + 1;
	}
	return tags;
}

static noinline int handle_tags(const char *text, int length)
{
	int tags = parse_list(text, length);

	return tags > 99 ? -EINVAL : tags;
}

/* Overwrites the two low bytes of parse_tag()'s return address. */
static int start_overrun_into_return(void)
{
	static const char text[] = "red,green," LETTERS LETTERS;
	unsigned long flags;
	long reach;
	int result;

	/* What parse_tag() leaves on the dead stack tells how far its return address is from its buffer. */
	local_irq_save(flags);
	handle_tags(text, 3);
	reach = bytes_to_return(last_value, parse_list);
	local_irq_restore(flags);
	if (reach < 0 || reach > 2 * (sizeof(LETTERS) - 1) - 2)
		return -ENOTSUPP;

	result = handle_tags(text, 10 + reach + 2);
	return result < 0 ? result : 0;
}

const struct scenario parser_scenarios[] = {
	{ "overrun-short", start_overrun_short },
	{ "overrun-long", start_overrun_long },
	{ "overrun-very-long", start_overrun_very_long },
	{ "overrun-into-return", start_overrun_into_return },
	{}
};
