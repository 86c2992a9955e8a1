// SPDX-License-Identifier: MIT
/*
 * observe: condenses what ftrace sees, inside the guest. A traced kernel makes megabytes a second; what a call graph is
 * held against is which pairs there are.
 *
 *   observe pairs FOLDER            reads the ring buffers until SIGTERM, then writes
 *                                     FOLDER/calls   "RETURN-ADDRESS FUNCTION TIMES", of the function tracer
 *                                     FOLDER/nests   "CALLER FUNCTION CONTEXT TIMES", of the function_graph tracer; CONTEXT is
 *                                                    '=' where both ran in the same one (task, softirq, hardirq), else '!'
 *                                     FOLDER/stacks  "ADDRESS ADDRESS ...", innermost first, of stack traces beside events
 *                                     FOLDER/lost    how often the kernel had to drop events
 *   observe depths FILE             until SIGTERM: has the stack tracer start afresh many times a second, and appends what
 *                                     /sys/kernel/tracing/stack_trace says
 *
 * Ring buffer pages: kernel/trace/ring_buffer.c and include/linux/ring_buffer.h (struct buffer_data_page, ring_buffer_event);
 * the fields of an event by its `format` file.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRACING "/sys/kernel/tracing/"
#define MAX_CPUS 16
/* The function_graph tracer follows 50 calls of a task (FTRACE_RETFUNC_DEPTH). */
#define MAX_NESTING 64
/* Distinct whole stacks that are kept, in words. */
#define MAX_STACK_WORDS (1 << 19)

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static void fail(const char *what)
{
	fprintf(stderr, "observe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		fail("calloc");
	return memory;
}

/* ---- pairs of addresses, counted ---- */

struct pair {
	uint64_t a, b, times;
};

struct pairs {
	struct pair *slots;
	size_t size, used;
};

static struct pair *slot_of(struct pairs *pairs, uint64_t a, uint64_t b)
{
	size_t at = ((a * 0x9e3779b97f4a7c15ull) ^ (b * 0xc2b2ae3d27d4eb4full)) >> 20;

	for (;; at++) {
		struct pair *slot = &pairs->slots[at & (pairs->size - 1)];

		if (!slot->times || (slot->a == a && slot->b == b))
			return slot;
	}
}

/* Returns whether the pair is new. */
static int count(struct pairs *pairs, uint64_t a, uint64_t b)
{
	struct pair *slot = slot_of(pairs, a, b);
	struct pair *old = pairs->slots;
	size_t size = pairs->size;

	if (slot->times++)
		return 0;
	slot->a = a;
	slot->b = b;
	if (++pairs->used * 2 < size)
		return 1;
	pairs->size = size * 2;
	pairs->slots = allocate(pairs->size, sizeof(*old));
	for (size_t i = 0; i < size; i++)
		if (old[i].times)
			*slot_of(pairs, old[i].a, old[i].b) = old[i];
	free(old);
	return 1;
}

static struct pairs new_pairs(void)
{
	struct pairs pairs = { allocate(1 << 12, sizeof(struct pair)), 1 << 12, 0 };

	return pairs;
}

/* ---- the layout of events ---- */

struct event {
	int id;
	int fields[3];
};

static int number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? atoi(at + strlen(key)) : -1;
}

/* Offsets of some fields of an event, -1 for what it has not. */
static struct event layout(const char *name, const char *const fields[3])
{
	struct event event = { -1, { -1, -1, -1 } };
	char path[128], text[4096], key[64];
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), TRACING "events/ftrace/%s/format", name);
	file = fopen(path, "r");
	if (!file)
		return event;
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = 0;
	fclose(file);
	event.id = number_after(text, "ID: ");
	for (int i = 0; i < 3 && fields[i]; i++) {
		const char *at;

		snprintf(key, sizeof(key), " %s", fields[i]);
		at = strstr(text, key);
		event.fields[i] = at ? number_after(at, "offset:") : -1;
	}
	return event;
}

static uint64_t word(const unsigned char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint32_t half(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static struct event function, entry, leave, stack;
static struct pairs calls, same, other, distinct;
static uint64_t *kept;
static size_t kept_words;
static unsigned long lost;

/* ---- function_graph: who is inside whom ---- */

struct nesting {
	int pid;
	uint64_t functions[MAX_NESTING];
	unsigned char contexts[MAX_NESTING];
	struct nesting *next;
};

static struct nesting *nestings[1024];

static struct nesting *nesting_of(int pid)
{
	struct nesting **first = &nestings[(unsigned int)pid % 1024];
	struct nesting *found;

	for (found = *first; found; found = found->next)
		if (found->pid == pid)
			return found;
	found = allocate(1, sizeof(*found));
	found->pid = pid;
	found->next = *first;
	*first = found;
	return found;
}

static void forget_nestings(void)
{
	for (int i = 0; i < 1024; i++)
		for (struct nesting *n = nestings[i]; n; n = n->next)
			memset(n->functions, 0, sizeof(n->functions));
}

static void entered(int pid, int flags, uint64_t address, int depth)
{
	/* TRACE_FLAG_HARDIRQ, TRACE_FLAG_SOFTIRQ and TRACE_FLAG_NMI (include/linux/trace_events.h). */
	unsigned char context = flags & (0x08 | 0x10 | 0x40);
	struct nesting *nesting = nesting_of(pid);

	if (depth < 0 || depth >= MAX_NESTING)
		return;
	nesting->functions[depth] = address;
	nesting->contexts[depth] = context;
	if (depth + 1 < MAX_NESTING)
		nesting->functions[depth + 1] = 0;
	if (depth > 0 && nesting->functions[depth - 1])
		count(nesting->contexts[depth - 1] == context ? &same : &other, nesting->functions[depth - 1], address);
}

static void left(int pid, int depth)
{
	struct nesting *nesting = nesting_of(pid);

	for (int i = depth < 0 ? 0 : depth; i < MAX_NESTING; i++)
		nesting->functions[i] = 0;
}

/* ---- stacks ---- */

static void keep_stack(const unsigned char *words, size_t length)
{
	uint64_t first = 14695981039346656037ull, second = 0;

	while (length && (word(words + 8 * (length - 1)) == 0 || word(words + 8 * (length - 1)) == ~0ull))
		length--;
	for (size_t i = 0; i < length; i++) {
		first = (first ^ word(words + 8 * i)) * 1099511628211ull;
		second = second * 31 + word(words + 8 * i);
	}
	if (length < 2 || kept_words + length + 1 > MAX_STACK_WORDS || !count(&distinct, first, second))
		return;
	for (size_t i = 0; i < length; i++)
		kept[kept_words++] = word(words + 8 * i);
	kept[kept_words++] = 0;
}

/* ---- pages ---- */

static void take(const unsigned char *data, size_t length)
{
	int id = data[0] | data[1] << 8, flags = data[2], pid = (int)half(data + 4);

	if (id == function.id) {
		count(&calls, word(data + function.fields[1]), word(data + function.fields[0]));
	} else if (id == entry.id) {
		entered(pid, flags, word(data + entry.fields[0]), (int)half(data + entry.fields[1]));
	} else if (id == leave.id) {
		left(pid, (int)half(data + leave.fields[1]));
	} else if (id == stack.id) {
		size_t size = half(data + stack.fields[0]), offset = (size_t)stack.fields[1];

		if (offset + 8 * size <= length)
			keep_stack(data + offset, size);
	}
}

static void read_page(const unsigned char *page, size_t size)
{
	uint64_t commit = word(page + 8);
	size_t end = 16 + (commit & 0xfffff), at = 16;

	/* RB_MISSED_EVENTS */
	if (commit >> 31 & 1) {
		lost++;
		forget_nestings();
	}
	if (end > size)
		end = size;
	while (at + 4 <= end) {
		unsigned int type = half(page + at) & 31;
		size_t length;

		if (type == 29) { /* padding, or an event that was discarded */
			if (half(page + at) >> 5 == 0)
				return;
			at += 4 + half(page + at + 4);
		} else if (type >= 30) { /* time */
			at += 8;
		} else if (type == 0) {
			length = half(page + at + 4);
			if (at + 4 + length > end || length < 16)
				return;
			take(page + at + 8, length - 4);
			at += 4 + length;
		} else {
			length = type * 4;
			if (at + 4 + length > end)
				return;
			if (length >= 12)
				take(page + at + 4, length);
			at += 4 + length;
		}
	}
}

static FILE *create(const char *folder, const char *name)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	if (!file)
		fail(path);
	return file;
}

static void print_pairs(FILE *file, const struct pairs *pairs, const char *between)
{
	for (size_t i = 0; i < pairs->size; i++) {
		const struct pair *pair = &pairs->slots[i];

		if (pair->times)
			fprintf(file, "%llx %llx %s%llu\n", (unsigned long long)pair->a, (unsigned long long)pair->b, between,
				(unsigned long long)pair->times);
	}
}

static void write_out(const char *folder)
{
	FILE *file = create(folder, "calls");

	print_pairs(file, &calls, "");
	fclose(file);
	file = create(folder, "nests");
	print_pairs(file, &same, "= ");
	print_pairs(file, &other, "! ");
	fclose(file);
	file = create(folder, "stacks");
	for (size_t i = 0; i < kept_words; i++)
		if (kept[i])
			fprintf(file, "%llx%s", (unsigned long long)kept[i], kept[i + 1] ? " " : "\n");
	fclose(file);
	file = create(folder, "lost");
	fprintf(file, "%lu\n", lost);
	fclose(file);
}

static void nap(long milliseconds)
{
	struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static void write_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_TRUNC);

	if (file >= 0) {
		if (write(file, text, strlen(text)) < 0)
			errno = 0;
		close(file);
	}
}

static int observe_pairs(const char *folder)
{
	const struct sched_param first = { .sched_priority = 1 };
	static unsigned char page[65536];
	int files[MAX_CPUS], cpus = 0;
	char path[128];

	function = layout("function", (const char *const[]){ "ip;", "parent_ip;", NULL });
	entry = layout("funcgraph_entry", (const char *const[]){ "func;", "depth;", NULL });
	leave = layout("funcgraph_exit", (const char *const[]){ "func;", "depth;", NULL });
	stack = layout("kernel_stack", (const char *const[]){ "size;", "caller[", NULL });
	calls = new_pairs();
	same = new_pairs();
	other = new_pairs();
	distinct = new_pairs();
	kept = allocate(MAX_STACK_WORDS, sizeof(*kept));
	for (; cpus < MAX_CPUS; cpus++) {
		snprintf(path, sizeof(path), TRACING "per_cpu/cpu%d/trace_pipe_raw", cpus);
		files[cpus] = open(path, O_RDONLY | O_NONBLOCK);
		if (files[cpus] < 0)
			break;
	}
	if (!cpus)
		fail(path);
	/* Its own calls are no part of the workload, and it must keep up with it. */
	snprintf(path, sizeof(path), "%d", getpid());
	write_text(TRACING "set_ftrace_notrace_pid", path);
	sched_setscheduler(0, SCHED_FIFO, &first);
	for (;;) {
		int last = ended, busy = 0;

		for (int cpu = 0; cpu < cpus; cpu++) {
			ssize_t length;

			while ((length = read(files[cpu], page, 4096)) > 16) {
				read_page(page, (size_t)length);
				busy = 1;
			}
		}
		if (last)
			break;
		if (!busy || !ended)
			nap(4);
	}
	write_out(folder);
	return 0;
}

/* ---- the stack tracer ---- */

static void append_file(FILE *out, const char *path)
{
	FILE *in = fopen(path, "r");
	char line[512];

	if (!in)
		return;
	while (fgets(line, sizeof(line), in))
		fputs(line, out);
	fclose(in);
}

/*
 * The tracer keeps the deepest stack since it was last told to forget: asked often it shows what each moment's work is. Its
 * filter stays open to all functions; to change it takes seconds under emulation.
 */
static int observe_depths(const char *path)
{
	static const long naps[] = { 10, 40, 160, 20, 80 };
	FILE *out = fopen(path, "w");

	if (!out)
		fail(path);
	for (unsigned int round = 0; !ended; round++) {
		write_text(TRACING "stack_max_size", "0");
		nap(naps[round % 5]);
		append_file(out, TRACING "stack_trace");
	}
	fclose(out);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGTERM, end);
	if (argc == 3 && !strcmp(argv[1], "pairs"))
		return observe_pairs(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "depths"))
		return observe_depths(argv[2]);
	fprintf(stderr, "usage: observe pairs FOLDER | observe depths FILE\n");
	return 2;
}
