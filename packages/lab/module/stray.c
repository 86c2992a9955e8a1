// SPDX-License-Identifier: GPL-2.0
/* frame-mismatch: a damaged function pointer leads into the tail of a function, which then checks a canary not its own. */
#include <linux/errno.h>

#include "vandal.h"

struct audit_entry {
	u32 kind;
	u32 length;
	u8 data[24];
};

typedef u32 (*audit_hook)(const struct audit_entry *entry);

static noinline u32 hash_bytes(const u8 *bytes, int count)
{
	u32 hash = 17;

	while (count--)
		hash = hash * 31 + *bytes++;
	return hash;
}

/* The function whose tail is entered. */
static noinline u32 audit_record(const struct audit_entry *entry)
{
	u8 line[32];
	u32 hash;
	int i;

	for (i = 0; i < sizeof(entry->data); i++)
		line[i] = entry->data[i] ^ entry->kind;
	hash = hash_bytes(line, sizeof(entry->data));
	return hash + entry->length;
}

/* The function that goes there. */
static noinline u32 complete_request(audit_hook hook, u32 kind)
{
	struct audit_entry entries[6];
	u32 hash = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		entries[i].kind = kind + i;
		entries[i].length = sizeof(entries[i].data);
		memset(entries[i].data, 'a' + i, sizeof(entries[i].data));
	}
	for (i = 0; i < ARRAY_SIZE(entries); i++)
		hash ^= hook(&entries[i]);
	return hash;
}

static noinline u32 close_request(audit_hook hook)
{
	return complete_request(hook, 3) + 1;
}

static int start_frame_mismatch(void)
{
	audit_hook hook = find_canary_check(audit_record);

	/* The hook that everybody else uses, so that the pointer is a plausible one. */
	if (!hook || !close_request(audit_record))
		return -ENOTSUPP;
	return close_request(hook) ? 0 : -EINVAL;
}

const struct scenario stray_scenarios[] = {
	{ "frame-mismatch", start_frame_mismatch },
	{}
};
