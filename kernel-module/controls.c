// SPDX-License-Identifier: GPL-2.0
/* /sys/kernel/spillway: state and controls, one value a file. */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <asm/tsc.h>
#include "spillway.h"

static struct kobject *spw_root;
static struct kobject *spw_points_dir;

static u64 spw_sum(size_t offset)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *(u64 *)((char *)per_cpu_ptr(spw_counts, cpu) + offset);
	return sum;
}

#define SPW_SUM(field) spw_sum(offsetof(struct spw_counts, field))

static u64 spw_sum_points(size_t offset)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 1; i <= spw_points_count(); i++)
		sum += spw_sum(offset + i * sizeof(u64));
	return sum;
}

#define SPW_RO(name, format, value)                                         \
	static ssize_t name##_show(struct kobject *kobj,                    \
				   struct kobj_attribute *attr, char *buf)  \
	{                                                                   \
		return sysfs_emit(buf, format "\n", value);                 \
	}                                                                   \
	static struct kobj_attribute name##_attribute = __ATTR_RO(name)

SPW_RO(version, "%s", "1");
SPW_RO(thread_size, "%lu", (unsigned long)THREAD_SIZE);
SPW_RO(in_use, "%u", (unsigned int)atomic_read(&spw_in_use));
SPW_RO(switches, "%llu", spw_sum_points(offsetof(struct spw_counts, switches)));
SPW_RO(refusals, "%llu", spw_sum_points(offsetof(struct spw_counts, refusals)));
SPW_RO(migrated, "%llu", SPW_SUM(migrated));
SPW_RO(reaped, "%llu", SPW_SUM(reaped));
SPW_RO(deepest, "%lu", spw_pool_deepest());

static ssize_t free_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	int in_use = atomic_read(&spw_in_use);
	int total = READ_ONCE(spw_total);

	/* The two are read one after the other. */
	return sysfs_emit(buf, "%d\n", max(0, total - in_use));
}

static struct kobj_attribute free_attribute = __ATTR_RO(free);

#define SPW_RW(name, format, value)                                         \
	static ssize_t name##_show(struct kobject *kobj,                    \
				   struct kobj_attribute *attr, char *buf)  \
	{                                                                   \
		return sysfs_emit(buf, format "\n", value);                 \
	}                                                                   \
	static struct kobj_attribute name##_attribute =                     \
		__ATTR(name, 0644, name##_show, name##_store)

static ssize_t total_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	unsigned int total;
	int rc = kstrtouint(buf, 0, &total);

	if (!rc && !total)
		rc = -EINVAL;
	if (!rc)
		rc = spw_pool_resize(total);
	return rc ?: count;
}

SPW_RW(total, "%u", READ_ONCE(spw_total));

static ssize_t threshold_store(struct kobject *kobj,
			       struct kobj_attribute *attr, const char *buf,
			       size_t count)
{
	unsigned int bytes;
	int rc = kstrtouint(buf, 0, &bytes);

	if (!rc)
		rc = spw_threshold_set(bytes);
	return rc ?: count;
}

SPW_RW(threshold, "%u", spw_threshold_get());

static ssize_t drain_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	bool drain;
	int rc = kstrtobool(buf, &drain);

	if (!rc)
		spw_drain_set(drain);
	return rc ?: count;
}

SPW_RW(drain, "%d", spw_draining());

/* Only 0 may be written: it starts anew, from what is in use now. */
static ssize_t high_water_store(struct kobject *kobj,
				struct kobj_attribute *attr, const char *buf,
				size_t count)
{
	unsigned int value;
	int rc = kstrtouint(buf, 0, &value);

	if (!rc && value)
		rc = -EINVAL;
	if (!rc)
		WRITE_ONCE(spw_high_water, atomic_read(&spw_in_use));
	return rc ?: count;
}

SPW_RW(high_water, "%u", READ_ONCE(spw_high_water));

/* "stacks in use after a switch: how often", a line each. */
static ssize_t occupancy_show(struct kobject *kobj, struct kobj_attribute *attr,
			      char *buf)
{
	ssize_t at = 0;
	unsigned int i;

	for (i = 0; i <= SPW_MAX_STACKS; i++) {
		u64 n = spw_sum(offsetof(struct spw_counts, occupancy) +
				i * sizeof(u64));

		if (n)
			at += sysfs_emit_at(buf, at, "%u %llu\n", i, n);
	}
	return at;
}

static struct kobj_attribute occupancy_attribute = __ATTR_RO(occupancy);

/* "nanoseconds that a stack was held, at least: how often", a line each. */
static ssize_t hold_ns_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	ssize_t at = 0;
	unsigned int i;

	for (i = 0; i < 64; i++) {
		u64 n = spw_sum(offsetof(struct spw_counts, hold) +
				i * sizeof(u64));

		if (n)
			at += sysfs_emit_at(buf, at, "%llu %llu\n",
					    mul_u64_u32_div(1ULL << i, 1000000,
							    tsc_khz ?: 1),
					    n);
	}
	return at;
}

static struct kobj_attribute hold_ns_attribute = __ATTR_RO(hold_ns);

static struct attribute *spw_attributes[] = {
	&version_attribute.attr,   &thread_size_attribute.attr,
	&total_attribute.attr,	   &free_attribute.attr,
	&in_use_attribute.attr,	   &high_water_attribute.attr,
	&threshold_attribute.attr, &drain_attribute.attr,
	&switches_attribute.attr,  &refusals_attribute.attr,
	&migrated_attribute.attr,  &reaped_attribute.attr,
	&deepest_attribute.attr,   &occupancy_attribute.attr,
	&hold_ns_attribute.attr,   NULL,
};

static const struct attribute_group spw_group = { .attrs = spw_attributes };

/* A critical point's directory. */
struct spw_point_dir {
	struct kobject kobj;
	unsigned int point;
};

static struct spw_point_dir *spw_point_dirs[SPW_MAX_POINTS];

static unsigned int point_of(struct kobject *kobj)
{
	return container_of(kobj, struct spw_point_dir, kobj)->point;
}

static ssize_t calls_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(spw_calls, cpu)[point_of(kobj)];
	return sysfs_emit(buf, "%llu\n", sum);
}

static struct kobj_attribute point_calls = __ATTR_RO(calls);

#define SPW_POINT_RO(file, format, value)                                   \
	static ssize_t point_##file##_show(struct kobject *kobj,            \
					   struct kobj_attribute *attr,     \
					   char *buf)                       \
	{                                                                   \
		unsigned int point = point_of(kobj);                        \
									    \
		return sysfs_emit(buf, format "\n", value);                 \
	}                                                                   \
	static struct kobj_attribute point_##file =                         \
		__ATTR(file, 0444, point_##file##_show, NULL)

SPW_POINT_RO(switches, "%llu",
	     spw_sum(offsetof(struct spw_counts, switches) +
		     point * sizeof(u64)));
SPW_POINT_RO(refusals, "%llu",
	     spw_sum(offsetof(struct spw_counts, refusals) +
		     point * sizeof(u64)));
SPW_POINT_RO(deepest, "%u", spw_deepest(point));
SPW_POINT_RO(mode, "%s", spw_point_mode(point));

static struct attribute *spw_point_attrs[] = {
	&point_calls.attr,   &point_switches.attr, &point_refusals.attr,
	&point_deepest.attr, &point_mode.attr,	   NULL,
};
ATTRIBUTE_GROUPS(spw_point);

static void spw_point_dir_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct spw_point_dir, kobj));
}

static const struct kobj_type spw_point_type = {
	.release = spw_point_dir_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = spw_point_groups,
};

static int spw_add_point_dir(unsigned int point)
{
	struct spw_point_dir *dir = kzalloc(sizeof(*dir), GFP_KERNEL);
	int rc;

	if (!dir)
		return -ENOMEM;
	dir->point = point;
	rc = kobject_init_and_add(&dir->kobj, &spw_point_type, spw_points_dir,
				  "%s", spw_point_name(point));
	if (rc)
		kobject_put(&dir->kobj);
	else
		spw_point_dirs[point] = dir;
	return rc;
}

int spw_controls_create(void)
{
	unsigned int i;
	int rc;

	spw_root = kobject_create_and_add("spillway", kernel_kobj);
	if (!spw_root)
		return -ENOMEM;
	rc = sysfs_create_group(spw_root, &spw_group);
	if (!rc) {
		spw_points_dir = kobject_create_and_add("points", spw_root);
		rc = spw_points_dir ? 0 : -ENOMEM;
	}
	for (i = 1; !rc && i <= spw_points_count(); i++)
		rc = spw_add_point_dir(i);
	if (rc)
		spw_controls_remove();
	return rc;
}

/* Waits for whoever reads or writes one of the files just now. */
void spw_controls_remove(void)
{
	unsigned int i;

	for (i = 0; i < SPW_MAX_POINTS; i++) {
		if (spw_point_dirs[i])
			kobject_put(&spw_point_dirs[i]->kobj);
		spw_point_dirs[i] = NULL;
	}
	kobject_put(spw_points_dir);
	spw_points_dir = NULL;
	if (spw_root)
		sysfs_remove_group(spw_root, &spw_group);
	kobject_put(spw_root);
	spw_root = NULL;
}
