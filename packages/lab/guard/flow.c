// SPDX-License-Identifier: MIT
/*
 * flow: drives /dev/cascade* from user space.
 *
 *   flow write FILE BYTES SEED   one write(2) of a pattern
 *   flow check FILE BYTES SEED   does the file hold it?
 *   flow bench FILE TIMES BYTES  TIMES write(2) of BYTES; prints ns for each
 *   flow letter FILE             64 bytes through a buffer on the stack above
 *   flow kinds THRESHOLD         a call of each kind of critical point, while
 *                                every call wants to switch; then THRESHOLD
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static unsigned char *pattern(size_t bytes, unsigned int seed)
{
	unsigned char *buffer = malloc(bytes);
	unsigned int x = seed * 2654435761u + 1;

	for (size_t i = 0; i < bytes; i++) {
		x = x * 1103515245 + 12345;
		buffer[i] = x >> 16;
	}
	return buffer;
}

static int open_or_exit(const char *name, int flags)
{
	int file = open(name, flags, 0600);

	if (file < 0) {
		perror(name);
		exit(1);
	}
	return file;
}

static int do_write(const char *name, size_t bytes, unsigned int seed)
{
	ssize_t rc = write(open_or_exit(name, O_WRONLY | O_CREAT), pattern(bytes, seed), bytes);

	printf("write %s: %s\n", name, rc == (ssize_t)bytes ? "whole" : rc < 0 ? strerror(errno) : "short");
	return rc != (ssize_t)bytes;
}

static int do_check(const char *name, size_t bytes, unsigned int seed)
{
	unsigned char *expected = pattern(bytes, seed), *found = malloc(bytes + 1);
	int file = open_or_exit(name, O_RDONLY);
	size_t got = 0;
	ssize_t rc;

	while ((rc = read(file, found + got, bytes + 1 - got)) > 0)
		got += rc;
	rc = got == bytes && !memcmp(expected, found, bytes);
	printf("check %s: %s\n", name, rc ? "intact" : "different");
	return !rc;
}

static int do_bench(const char *name, size_t times, size_t bytes)
{
	int file = open_or_exit(name, O_WRONLY);
	unsigned char *buffer = pattern(bytes, 1);
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (size_t i = 0; i < times; i++) {
		if (write(file, buffer, bytes) != (ssize_t)bytes) {
			perror("write");
			return 1;
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("write(2): %.0f ns each\n", ((to.tv_sec - from.tv_sec) * 1e9 + to.tv_nsec - from.tv_nsec) / times);
	return 0;
}

static int do_letter(const char *name)
{
	unsigned char both[128] = { 0 };
	int rc;

	memcpy(both, pattern(64, 7), 64);
	rc = ioctl(open_or_exit(name, O_WRONLY), 1, both);
	printf("letter %s: %s\n", name, rc ? strerror(errno) : memcmp(both, both + 64, 64) ? "different" : "intact");
	return rc || memcmp(both, both + 64, 64);
}

/*
 * All that is needed is opened and mapped before: while the pool is empty, a
 * shell could not even start a command.
 */
static int do_kinds(const char *threshold)
{
	static const char *const names[] = {
		"int mkdir", "int chmod", "int fsync",
		"int getdents", "ERR_PTR open", "bio read",
	};
	int control = open_or_exit("/sys/kernel/spillway/threshold", O_WRONLY);
	int folder = open_or_exit("/tmp", O_RDONLY | O_DIRECTORY);
	int disk = open_or_exit("/dev/nvme0n1", O_RDONLY | O_DIRECT);
	int errors[2][6];
	static char buffer[65536] __attribute__((aligned(4096)));

	memset(buffer, 1, sizeof(buffer));
	close(open_or_exit("/tmp/kinds", O_RDWR | O_CREAT));
	for (int round = 0; round < 2; round++) {
		const char *value = round ? threshold : "0";
		int n = 0;

		if (write(control, value, strlen(value)) < 0)
			return 1;
#define TRY(call) (errno = 0, (void)((call) < 0), errors[round][n++] = errno)
		TRY(mkdir("/tmp/kinds.d", 0700));
		TRY(chmod("/tmp/kinds", 0600));
		TRY(fsync(disk));
		TRY(getdents64(folder, buffer, sizeof(buffer)));
		TRY(open("/tmp/kinds", O_RDONLY));
		TRY(pread(disk, buffer, 4096, 4096 * round));
	}
	for (int i = 0; i < 6; i++)
		printf("%s: %s, then %s\n", names[i], strerror(errors[0][i]), strerror(errors[1][i]));
	return 0;
}

static int do_load(const char *file, const char *parameters)
{
	long rc = syscall(SYS_finit_module, open_or_exit(file, O_RDONLY), parameters, 0);

	printf("load %s: %s\n", file, rc ? strerror(errno) : "done");
	return rc != 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	size_t n = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;
	size_t m = argc > 4 ? strtoul(argv[4], NULL, 0) : 0;

	if (!strcmp(what, "write"))
		return do_write(argv[2], n, m);
	if (!strcmp(what, "check"))
		return do_check(argv[2], n, m);
	if (!strcmp(what, "bench"))
		return do_bench(argv[2], n, m);
	if (!strcmp(what, "letter"))
		return do_letter(argv[2]);
	if (!strcmp(what, "kinds"))
		return do_kinds(argv[2]);
	if (!strcmp(what, "load"))
		return do_load(argv[2], argc > 3 ? argv[3] : "");
	fprintf(stderr, "usage: flow write|check|bench|letter|kinds|load ...\n");
	return 2;
}
