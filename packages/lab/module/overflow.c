// SPDX-License-Identifier: GPL-2.0
/* Ways to need more stack than there is on the task stack. (The deep chain without recursion is in layers.c.) */
#include <linux/errno.h>

#include "vandal.h"

/* --- recursion-direct: a tree whose branch leads back to its root. --- */

struct tree_node {
	struct tree_node *child;
	struct tree_node *sibling;
	u32 size;
};

static struct tree_node root_node, inner_node;

static noinline u32 describe_node(const struct tree_node *node, u32 *sizes)
{
	sizes[0] = node->size;
	sizes[1] = node->sibling ? node->sibling->size : 0;
	return sizes[0] + sizes[1];
}

static noinline u32 walk_tree(const struct tree_node *node)
{
	u32 sizes[24];
	u32 total = describe_node(node, sizes);

	if (node->child)
		total += walk_tree(node->child);
	return total + sizes[1];
}

static noinline u32 measure_tree(const struct tree_node *root)
{
	return walk_tree(root) + 4096;
}

static int start_recursion_direct(void)
{
	root_node.child = &inner_node;
	root_node.size = 12;
	inner_node.child = &root_node;
	inner_node.size = 34;
	return measure_tree(&root_node) ? 0 : -EINVAL;
}

/* --- recursion-indirect: devices stacked in a ring, each calling the next through its operations. --- */

struct link_device;

struct link_operations {
	int (*update_features)(struct link_device *device, u32 features);
};

struct link_device {
	const struct link_operations *operations;
	struct link_device *lower;
	u32 features;
	u32 updates;
};

static noinline int propagate_features(struct link_device *device, u32 features)
{
	struct link_device *lower = device->lower;
	int changed;

	if (!lower)
		return 0;
	changed = lower->operations->update_features(lower, features);
	device->updates += changed;
	return changed;
}

static noinline u32 merge_features(const u32 *offers, int count)
{
	u32 merged = ~0;

	while (count--)
		merged &= offers[count];
	return merged;
}

static int bond_update_features(struct link_device *device, u32 features)
{
	u32 offers[12] = { features, device->features };

	device->features = merge_features(offers, 2);
	return propagate_features(device, device->features | 1) + 1;
}

static int vlan_update_features(struct link_device *device, u32 features)
{
	u32 offers[28] = { features, features << 1, device->features };
	int changed;

	device->features = merge_features(offers, 3);
	changed = propagate_features(device, device->features | 2);
	return changed + (offers[2] & 1);
}

static int tunnel_update_features(struct link_device *device, u32 features)
{
	u32 offers[4] = { features, device->features };

	device->features ^= merge_features(offers, 2);
	return propagate_features(device, features) + 2;
}

static const struct link_operations bond_operations = { .update_features = bond_update_features };
static const struct link_operations vlan_operations = { .update_features = vlan_update_features };
static const struct link_operations tunnel_operations = { .update_features = tunnel_update_features };
static struct link_device bond, vlan, tunnel;

static noinline int change_features(struct link_device *device, u32 features)
{
	int changed = device->operations->update_features(device, features);

	return changed > 100 ? -ELOOP : changed;
}

static int start_recursion_indirect(void)
{
	bond = (struct link_device){ &bond_operations, &vlan, 0xff };
	vlan = (struct link_device){ &vlan_operations, &tunnel, 0xff };
	tunnel = (struct link_device){ &tunnel_operations, &bond, 0xff };
	return change_features(&bond, 0x3f) < 0 ? -EINVAL : 0;
}

/* --- recursion-mutual: two functions that call each other; an innocent formatter in each turn is what hits the guard. --- */

struct alias {
	const char *name;
	const struct alias *target;
	bool indirect;
};

static noinline int resolve_name(const struct alias *alias, int depth);

static noinline int resolve_alias(const struct alias *alias, int depth)
{
	int found = resolve_name(alias->target, depth + 1);

	return found < 0 ? found : found + alias->indirect;
}

static noinline int resolve_name(const struct alias *alias, int depth)
{
	char path[16];
	int found;

	found = snprintf(path, sizeof(path), "%pE:%*pbl", alias->name, depth, alias->name);
	if (alias->indirect)
		found = resolve_alias(alias, depth);
	return found < 0 ? found : found + path[0];
}

static int start_recursion_mutual(void)
{
	static struct alias here, there;

	here = (struct alias){ "here", &there, true };
	there = (struct alias){ "there", &here, true };
	return resolve_name(&here, 0) < 0 ? -EINVAL : 0;
}

/* --- large-frame: one function wants the whole stack. large-frame-leaf: what it leaves is not enough for its callees. --- */

static noinline u32 fill_window(u8 *window, size_t size, u32 seed)
{
	u32 sum = 0;
	size_t i;

	for (i = 0; i < size; i += 64) {
		window[i] = seed + i;
		sum += window[i];
	}
	return sum;
}

static noinline u32 expand_block(u32 seed)
{
	u8 window[16384];

	return fill_window(window, sizeof(window), seed) ^ window[seed & 63];
}

static noinline u32 read_block(u32 number)
{
	u32 sum = expand_block(number * 8);

	return sum ? sum : number;
}

static int start_large_frame(void)
{
	return read_block(7) ? 0 : -EIO;
}

static noinline u32 rate_symbol(const u8 *window, u32 symbol)
{
	u16 rates[200];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rates); i++)
		rates[i] = window[i * 4] + symbol;
	return rates[symbol & 127] + rates[199];
}

static noinline u32 decode_symbols(const u8 *window, u32 count)
{
	u32 codes[160];
	u32 i, sum = 0;

	for (i = 0; i < ARRAY_SIZE(codes); i++)
		codes[i] = rate_symbol(window, i + count);
	for (i = 0; i < count; i++)
		sum += codes[i];
	return sum;
}

static noinline u32 build_codes(const u8 *window, u32 count)
{
	u32 lengths[150];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		lengths[i] = window[i * 16] & 15;
	return decode_symbols(window, count) + lengths[count];
}

static noinline u32 inflate_extent(u32 seed)
{
	u8 window[14336];
	u32 sum = fill_window(window, sizeof(window), seed);

	return sum + build_codes(window, 30);
}

static noinline u32 read_extent(u32 number)
{
	u32 sum = inflate_extent(number + 3);

	return sum ? sum : number;
}

static int start_large_frame_leaf(void)
{
	return read_extent(9) ? 0 : -EIO;
}

const struct scenario overflow_scenarios[] = {
	{ "recursion-direct", start_recursion_direct },
	{ "recursion-indirect", start_recursion_indirect },
	{ "recursion-mutual", start_recursion_mutual },
	{ "large-frame", start_large_frame },
	{ "large-frame-leaf", start_large_frame_leaf },
	{}
};
