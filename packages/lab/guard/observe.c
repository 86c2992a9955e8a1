// SPDX-License-Identifier: MIT
/*
 * observe: looks at kernel functions by the ways that tracers do, without
 * their libraries.
 *
 *   observe fentry FUNCTION COMMAND      a BPF program at its entry, while a
 *                                        shell command runs: how often it ran
 *   observe callchain PID FUNCTION...    50 samples of a task's kernel call
 *                                        chain: how many have each function
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SAMPLES 50
#define RING_PAGES 64

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static char *read_all(const char *name, size_t *bytes)
{
	size_t room = 1 << 20, got = 0;
	char *data = malloc(room + 1);
	int file = open(name, O_RDONLY);
	ssize_t rc;

	if (file < 0)
		fail(name);
	while ((rc = read(file, data + got, room - got)) > 0) {
		got += rc;
		if (got == room)
			data = realloc(data, (room *= 2) + 1);
	}
	close(file);
	data[got] = 0;
	*bytes = got;
	return data;
}

/* Bytes behind a struct btf_type, by its kind (Documentation/bpf/btf.rst). */
static size_t btf_extra(unsigned int kind, unsigned int vlen)
{
	switch (kind) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return vlen * 12;
	case BTF_KIND_FUNC_PROTO:
		return vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return vlen * sizeof(struct btf_var_secinfo);
	default:
		return 0;
	}
}

static unsigned int btf_function(const char *name)
{
	size_t bytes;
	char *data = read_all("/sys/kernel/btf/vmlinux", &bytes);
	struct btf_header *header = (struct btf_header *)data;
	char *at = data + header->hdr_len + header->type_off;
	char *end = at + header->type_len;
	char *strings = data + header->hdr_len + header->str_off;

	for (unsigned int id = 1; at < end; id++) {
		struct btf_type *type = (struct btf_type *)at;
		unsigned int kind = BTF_INFO_KIND(type->info);

		if (kind == BTF_KIND_FUNC && !strcmp(strings + type->name_off, name))
			return id;
		at += sizeof(*type) + btf_extra(kind, BTF_INFO_VLEN(type->info));
	}
	fprintf(stderr, "no function %s in the kernel's BTF\n", name);
	exit(2);
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int counting_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1,
	};
	int map = bpf(BPF_MAP_CREATE, &attr);

	if (map < 0)
		fail("BPF_MAP_CREATE");
	return map;
}

/* Adds one to the map's only entry. */
static int counting_program(int map, unsigned int function)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{},
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0, .src_reg = 1, .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static char log[8192];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_TRACING,
		.expected_attach_type = BPF_TRACE_FENTRY,
		.attach_btf_id = function,
		.insns = (unsigned long)code,
		.insn_cnt = sizeof(code) / sizeof(*code),
		.license = (unsigned long)"GPL",
		.log_buf = (unsigned long)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int program = bpf(BPF_PROG_LOAD, &attr);

	if (program < 0) {
		fprintf(stderr, "%s\n", log);
		fail("BPF_PROG_LOAD");
	}
	return program;
}

static int fentry(const char *function, const char *command)
{
	unsigned int id = btf_function(function), key = 0;
	unsigned long long count = 0;
	int map = counting_map();
	union bpf_attr attach = { .raw_tracepoint.prog_fd = counting_program(map, id) };
	union bpf_attr look = { .map_fd = map, .key = (unsigned long)&key, .value = (unsigned long)&count };
	int link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attach);

	if (link < 0) {
		printf("fentry %s: %s\n", function, strerror(errno));
		return 1;
	}
	fflush(stdout);
	if (system(command) < 0)
		fail(command);
	if (bpf(BPF_MAP_LOOKUP_ELEM, &look))
		fail("BPF_MAP_LOOKUP_ELEM");
	printf("fentry %s: %llu calls\n", function, count);
	return 0;
}

struct range {
	const char *name;
	unsigned long long from, to;
	unsigned int samples;
};

/* /proc/kallsyms is in no order: a function ends where the next address is. */
static void find_functions(struct range *ranges, int n)
{
	size_t bytes;
	char *text = read_all("/proc/kallsyms", &bytes), *line, *rest;

	for (int pass = 0; pass < 2; pass++) {
		for (line = text; *line; line = rest + 1) {
			unsigned long long address = strtoull(line, NULL, 16);

			rest = strchrnul(line, '\n');
			for (int i = 0; i < n; i++) {
				size_t length = strlen(ranges[i].name);

				if (pass == 0 && !strncmp(line + 19, ranges[i].name, length) &&
				    (line[19 + length] == '\n' || line[19 + length] == '\t'))
					ranges[i].from = address;
				if (pass == 1 && address > ranges[i].from && address < ranges[i].to)
					ranges[i].to = address;
			}
			if (!*rest)
				break;
		}
	}
}

static void count_chain(struct range *ranges, int n, const unsigned long long *chain, unsigned long long length)
{
	for (int i = 0; i < n; i++) {
		for (unsigned long long at = 0; at < length; at++) {
			if (chain[at] >= ranges[i].from && chain[at] < ranges[i].to) {
				ranges[i].samples++;
				break;
			}
		}
	}
}

/* A chain that ended too early: where, the addresses tell. */
static void print_chain(const char *lacks, const unsigned long long *chain, unsigned long long length)
{
	printf("a sample of %llu without %s:", length, lacks);
	for (unsigned long long at = 0; at < length && at < 40; at++)
		printf(" %llx", chain[at]);
	printf("\n");
}

static int callchain(int pid, char **names, int n)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 2000000,
		.sample_type = PERF_SAMPLE_CALLCHAIN,
		.exclude_callchain_user = 1,
		.wakeup_events = 1,
	};
	int event = syscall(SYS_perf_event_open, &attr, pid, -1, -1, 0);
	size_t page = getpagesize(), room = RING_PAGES * page;
	struct perf_event_mmap_page *ring;
	struct range ranges[16] = {};
	unsigned int samples = 0;

	if (event < 0)
		fail("perf_event_open");
	for (int i = 0; i < n; i++)
		ranges[i] = (struct range){ names[i], 0, -1ULL, 0 };
	find_functions(ranges, n);
	ring = mmap(NULL, page + room, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
	if (ring == MAP_FAILED)
		fail("mmap");
	while (samples < SAMPLES) {
		struct pollfd wait = { event, POLLIN, 0 };

		if (poll(&wait, 1, 20000) == 0)
			break;
		while (ring->data_tail < __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE)) {
			unsigned long long record[512];
			struct perf_event_header header;

			for (size_t i = 0; i < sizeof(header); i++)
				((char *)&header)[i] = ((char *)ring)[page + (ring->data_tail + i) % room];
			for (size_t i = 0; i < header.size && i < sizeof(record); i++)
				((char *)record)[i] = ((char *)ring)[page + (ring->data_tail + i) % room];
			if (header.type == PERF_RECORD_SAMPLE) {
				unsigned int before = ranges[0].samples;

				count_chain(ranges, n, record + 2, record[1]);
				if (ranges[0].samples == before)
					print_chain(ranges[0].name, record + 2, record[1]);
				samples++;
			}
			__atomic_store_n(&ring->data_tail, ring->data_tail + header.size, __ATOMIC_RELEASE);
		}
	}
	for (int i = 0; i < n; i++)
		printf("%s in %u%% of the samples\n", ranges[i].name, samples ? 100 * ranges[i].samples / samples : 0);
	return samples == 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "fentry"))
		return fentry(argv[2], argv[3]);
	if (argc > 3 && argc < 20 && !strcmp(argv[1], "callchain"))
		return callchain(atoi(argv[2]), argv + 3, argc - 3);
	fprintf(stderr, "usage: observe fentry FUNCTION COMMAND | callchain PID FUNCTION...\n");
	return 2;
}
