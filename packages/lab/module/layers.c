// SPDX-License-Identifier: GPL-2.0
/* deep-chain: a storage stack of many layers, each with a moderate frame and none called twice. */
#include <linux/errno.h>

#include "vandal.h"

struct transfer {
	u64 sector;
	u32 length;
	u32 remaps;
};

static noinline u32 stage_transfer(u64 *table, int count, struct transfer *transfer)
{
	int i;

	for (i = 0; i < count; i++)
		table[i] = transfer->sector + i * transfer->length;
	return transfer->remaps++;
}

/* One layer: it keeps a small table of where the parts of the transfer go, and passes it on. */
#define LAYER(name, lower, entries)                                            \
	static noinline int name(struct transfer *transfer)                   \
	{                                                                      \
		u64 table[entries];                                            \
		u32 remap = stage_transfer(table, entries, transfer);         \
		int error = lower(transfer);                                   \
                                                                               \
		if (error)                                                     \
			transfer->sector = table[remap % (entries)];           \
		return error;                                                  \
	}

static noinline int finish_transfer(struct transfer *transfer)
{
	return transfer->length > transfer->sector ? -EIO : 0;
}

LAYER(port_send_command, finish_transfer, 90)
LAYER(port_map_pages, port_send_command, 88)
LAYER(disk_issue, port_map_pages, 92)
LAYER(disk_queue, disk_issue, 84)
LAYER(path_select, disk_queue, 96)
LAYER(path_submit, path_select, 86)
LAYER(mirror_write_leg, path_submit, 90)
LAYER(mirror_map, mirror_write_leg, 94)
LAYER(cipher_convert, mirror_map, 98)
LAYER(cipher_map, cipher_convert, 82)
LAYER(cache_writeback, cipher_map, 96)
LAYER(cache_lookup, cache_writeback, 88)
LAYER(thin_provision, cache_lookup, 92)
LAYER(thin_map, thin_provision, 84)
LAYER(volume_remap, thin_map, 90)
LAYER(volume_submit, volume_remap, 86)
LAYER(journal_commit, volume_submit, 94)
LAYER(journal_extend, journal_commit, 92)
LAYER(extent_insert, journal_extend, 98)
LAYER(extent_allocate, extent_insert, 96)
LAYER(block_allocate, extent_allocate, 88)
LAYER(page_write_back, block_allocate, 90)
LAYER(file_flush, page_write_back, 84)
LAYER(file_sync, file_flush, 82)

static int start_deep_chain(void)
{
	struct transfer transfer = { .sector = 4096, .length = 8 };

	return file_sync(&transfer);
}

const struct scenario layers_scenarios[] = {
	{ "deep-chain", start_deep_chain },
	{}
};
