// SPDX-License-Identifier: MIT
/*
 * exercise: system calls that no shell command makes, each way through the kernel a few times.
 *
 *   exercise files FOLDER       writes, reads, maps, links, locks and removes files there; buffered and direct
 *   exercise network            TCP, UDP (IPv4 and IPv6), Unix and raw sockets over the loopback device
 *   exercise processes          fork, exec, signals, futex, epoll, timers, pipes, ptrace, System V IPC, namespaces
 *   exercise memory MEBIBYTES   maps and touches so much, several times over; maps, splits, moves and drops smaller areas
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 65536

static unsigned char *block;

/* What a kernel refuses here is as good a path as what it grants; results do not matter. */
static void ignore(long result)
{
	(void)result;
}

/* ---- files ---- */

static void buffered(const char *name)
{
	struct iovec parts[2] = { { block, 100 }, { block + 200, 5000 } };
	struct stat status;
	struct statvfs system;
	int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
	unsigned char *map;

	if (file < 0)
		return;
	for (int i = 0; i < 20; i++)
		ignore(write(file, block, BLOCK));
	ignore(pwrite(file, block, 3000, 3 << 20));
	ignore(pwritev(file, parts, 2, 12345));
	ignore(preadv(file, parts, 2, 54321));
	ignore(fdatasync(file));
	ignore(fsync(file));
	ignore(sync_file_range(file, 0, BLOCK, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
	ignore(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED));
	ignore(readahead(file, 0, 1 << 20));
	ignore(lseek(file, 0, SEEK_DATA));
	ignore(lseek(file, 0, SEEK_HOLE));
	ignore(pread(file, block, BLOCK, 4096));
	ignore(fallocate(file, 0, 4 << 20, 1 << 20));
	ignore(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, 16384));
	ignore(fallocate(file, FALLOC_FL_ZERO_RANGE, 65536, 16384));
	ignore(fallocate(file, FALLOC_FL_COLLAPSE_RANGE, 65536, 65536));
	ignore(fstat(file, &status));
	ignore(fstatvfs(file, &system));
	ignore(flock(file, LOCK_EX));
	ignore(lockf(file, F_TLOCK, 100));
	ignore(fsetxattr(file, "user.spillway", "value", 5, 0));
	ignore(fgetxattr(file, "user.spillway", block, 100));
	ignore(flistxattr(file, (char *)block, 1000));
	ignore(fchmod(file, 0600));
	ignore(fchown(file, 1, 1));
	ignore(futimens(file, NULL));
	map = mmap(NULL, BLOCK * 4, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (map != MAP_FAILED) {
		for (int i = 0; i < BLOCK * 4; i += 4096)
			map[i]++;
		ignore(msync(map, BLOCK, MS_SYNC));
		ignore(madvise(map, BLOCK, MADV_WILLNEED));
		ignore(madvise(map, BLOCK, MADV_DONTNEED));
		map[5000] = 1;
		munmap(map, BLOCK * 4);
	}
	map = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	if (map != MAP_FAILED) {
		map[10] = 1;
		map[8192] = 1;
		munmap(map, BLOCK);
	}
	ignore(ftruncate(file, 12345));
	ignore(ftruncate(file, 1 << 20));
	close(file);
}

static void direct(const char *name)
{
	int file = open(name, O_RDWR | O_CREAT | O_DIRECT, 0644);

	if (file < 0)
		return;
	for (int i = 0; i < 8; i++)
		ignore(pwrite(file, block, BLOCK, i * BLOCK));
	ignore(pwrite(file, block, 4096, 8192));
	ignore(fdatasync(file));
	for (int i = 0; i < 4; i++)
		ignore(pread(file, block, BLOCK, i * BLOCK));
	close(file);
	file = open(name, O_RDWR | O_SYNC);
	ignore(pwrite(file, block, 5000, 777));
	close(file);
}

static void names(void)
{
	char name[64], target[256];
	int watch = inotify_init1(IN_NONBLOCK);

	ignore(inotify_add_watch(watch, ".", IN_ALL_EVENTS));
	ignore(mkdir("folder", 0755));
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "folder/a-name-that-takes-some-room-%d", i);
		close(open(name, O_CREAT | O_WRONLY, 0644));
	}
	ignore(rename("folder/a-name-that-takes-some-room-1", "folder/renamed"));
	ignore(rename("folder/renamed", "folder/a-name-that-takes-some-room-2"));
	ignore(syscall(SYS_renameat2, AT_FDCWD, "folder/a-name-that-takes-some-room-3", AT_FDCWD,
		       "folder/a-name-that-takes-some-room-4", 2 /* RENAME_EXCHANGE */));
	ignore(link("folder/a-name-that-takes-some-room-5", "hard"));
	ignore(symlink("folder/a-name-that-takes-some-room-5", "soft"));
	memset(target, 'x', 200);
	target[200] = 0;
	ignore(symlink(target, "long"));
	ignore(readlink("soft", target, sizeof(target)));
	ignore(readlink("long", target, sizeof(target)));
	ignore(access("soft", R_OK));
	ignore(chmod("soft", 0600));
	ignore(mknod("fifo", S_IFIFO | 0644, 0));
	ignore(mknod("device", S_IFCHR | 0644, 0x103));
	ignore(setxattr("folder", "trusted.spillway", block, 3000, 0));
	ignore(removexattr("folder", "trusted.spillway"));
	ignore(system("ls -lR . >/dev/null; cat folder/* >/dev/null 2>&1"));
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "folder/a-name-that-takes-some-room-%d", i);
		unlink(name);
	}
	unlink("hard");
	unlink("soft");
	unlink("long");
	unlink("fifo");
	unlink("device");
	rmdir("folder");
	ignore(read(watch, block, BLOCK));
	close(watch);
}

static void copies(void)
{
	int from = open("buffered", O_RDONLY), to = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0644), ends[2];
	off_t in = 0, out = 0;

	ignore(sendfile(to, from, &in, 100000));
	in = 0;
	ignore(copy_file_range(from, &in, to, &out, 100000, 0));
	ignore(ioctl(to, _IOW(0x94, 9, int), from)); /* FICLONE */
	if (pipe(ends) == 0) {
		in = 0;
		ignore(splice(from, &in, ends[1], NULL, 16384, 0));
		ignore(splice(ends[0], NULL, to, NULL, 16384, 0));
		close(ends[0]);
		close(ends[1]);
	}
	ignore(syncfs(to));
	close(from);
	close(to);
	unlink("copy");
}

static void rings(const char *name)
{
	struct io_uring_params params = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 8, &params), file = open(name, O_RDWR | O_CREAT, 0644);
	struct io_uring_sqe *entries;
	unsigned char *head;
	unsigned int *tail, *order;

	if (ring < 0)
		return;
	entries = mmap(NULL, params.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	head = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		    IORING_OFF_SQ_RING);
	if (entries == MAP_FAILED || head == MAP_FAILED)
		return;
	tail = (unsigned int *)(head + params.sq_off.tail);
	order = (unsigned int *)(head + params.sq_off.array);
	for (int i = 0; i < 4; i++) {
		memset(&entries[i], 0, sizeof(entries[i]));
		entries[i].opcode = i == 0 ? IORING_OP_WRITE : i == 1 ? IORING_OP_FSYNC : i == 2 ? IORING_OP_READ : IORING_OP_NOP;
		entries[i].fd = file;
		entries[i].addr = (unsigned long)block;
		entries[i].len = i == 1 ? 0 : 8192;
		entries[i].flags = i == 2 ? IOSQE_ASYNC : 0;
		order[i] = (unsigned int)i;
	}
	__atomic_store_n(tail, *tail + 4, __ATOMIC_RELEASE);
	ignore(syscall(SYS_io_uring_enter, ring, 4, 4, IORING_ENTER_GETEVENTS, NULL, 0));
	close(ring);
	close(file);
}

static void files(const char *folder)
{
	if (chdir(folder))
		return;
	buffered("buffered");
	direct("direct");
	rings("ring");
	names();
	copies();
	unlink("buffered");
	unlink("direct");
	unlink("ring");
}

/* ---- network ---- */

static void tcp(int family)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *address = family == AF_INET ? (void *)&four : (void *)&six;
	socklen_t length = family == AF_INET ? sizeof(four) : sizeof(six);
	int listener = socket(family, SOCK_STREAM, 0), one = 1, file;
	pid_t child;

	ignore(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	if (bind(listener, address, length) || listen(listener, 5))
		return;
	ignore(getsockname(listener, address, &length));
	child = fork();
	if (child == 0) {
		int peer = socket(family, SOCK_STREAM, 0);

		ignore(setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
		if (connect(peer, address, length))
			_exit(1);
		for (int i = 0; i < 20; i++)
			ignore(send(peer, block, BLOCK, 0));
		file = open("/bin/busybox", O_RDONLY);
		ignore(sendfile(peer, file, NULL, 200000));
		shutdown(peer, SHUT_WR);
		ignore(recv(peer, block, BLOCK, 0));
		_exit(0);
	}
	file = accept(listener, NULL, NULL);
	while (recv(file, block, BLOCK, 0) > 0)
		;
	ignore(send(file, block, 10000, MSG_MORE));
	ignore(getsockopt(file, IPPROTO_TCP, TCP_INFO, block, &length));
	close(file);
	close(listener);
	waitpid(child, NULL, 0);
	/* Nobody listens there any more. */
	file = socket(family, SOCK_STREAM, 0);
	ignore(connect(file, address, length));
	close(file);
}

static void datagrams(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(5353) };
	struct { struct nlmsghdr header; struct rtgenmsg message; } ask = {
		{ sizeof(ask), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 }, { AF_UNSPEC } };
	int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0), pair[2], sent[2], raw;
	char space[CMSG_SPACE(sizeof(int))];
	struct iovec part = { block, 100 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	ignore(bind(in, (void *)&address, sizeof(address)));
	for (int i = 0; i < 5; i++) {
		ignore(sendto(out, block, i == 4 ? 60000 : 500, 0, (void *)&address, sizeof(address)));
		ignore(recv(in, block, BLOCK, MSG_DONTWAIT));
	}
	close(in);
	ignore(sendto(out, block, 500, 0, (void *)&address, sizeof(address)));
	close(out);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(sent) == 0) {
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &sent[0], sizeof(int));
		ignore(sendmsg(pair[0], &message, 0));
		ignore(recvmsg(pair[1], &message, 0));
		ignore(write(pair[0], block, 20000));
		ignore(read(pair[1], block, 30000));
		close(pair[0]);
		close(pair[1]);
		close(sent[0]);
		close(sent[1]);
	}
	raw = socket(AF_PACKET, SOCK_RAW, htons(0x0800));
	close(raw);
	raw = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	ignore(send(raw, &ask, sizeof(ask), 0));
	ignore(recv(raw, block, BLOCK, MSG_DONTWAIT));
	close(raw);
}

/* ---- processes ---- */

static void on_signal(int signal)
{
	(void)signal;
}

static void *thread(void *argument)
{
	pthread_mutex_t *lock = argument;

	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(lock);
		sched_yield();
		pthread_mutex_unlock(lock);
	}
	return NULL;
}

static void waits(void)
{
	struct itimerspec soon = { { 0, 0 }, { 0, 2000000 } };
	/* Again and again: on a slow machine the first comes before pause(). */
	struct itimerspec often = { { 0, 2000000 }, { 0, 2000000 } };
	struct itimerval timer = { { 0, 3000 }, { 0, 3000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct epoll_event event = { .events = EPOLLIN };
	struct pollfd poller;
	struct timeval little = { 0, 1000 };
	fd_set set;
	sigset_t mask;
	timer_t posix;
	int set_fd = epoll_create1(0), time_fd = timerfd_create(CLOCK_MONOTONIC, 0), count_fd = eventfd(0, EFD_NONBLOCK), signal_fd;
	eventfd_t value = 1;

	ignore(epoll_ctl(set_fd, EPOLL_CTL_ADD, time_fd, &event));
	ignore(epoll_ctl(set_fd, EPOLL_CTL_ADD, count_fd, &event));
	ignore(timerfd_settime(time_fd, 0, &soon, NULL));
	ignore(epoll_wait(set_fd, &event, 1, 100));
	ignore(eventfd_write(count_fd, value));
	ignore(epoll_wait(set_fd, &event, 1, 100));
	ignore(eventfd_read(count_fd, &value));
	poller.fd = set_fd;
	poller.events = POLLIN;
	ignore(poll(&poller, 1, 2));
	FD_ZERO(&set);
	FD_SET(count_fd, &set);
	ignore(select(count_fd + 1, &set, NULL, NULL, &little));
	signal(SIGALRM, on_signal);
	ignore(setitimer(ITIMER_REAL, &timer, NULL));
	pause();
	ignore(setitimer(ITIMER_REAL, &never, NULL));
	if (timer_create(CLOCK_REALTIME, NULL, &posix) == 0) {
		ignore(timer_settime(posix, 0, &often, NULL));
		pause();
		timer_delete(posix);
	}
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal_fd = signalfd(-1, &mask, 0);
	raise(SIGUSR1);
	ignore(read(signal_fd, block, 128));
	usleep(100);
	ignore(clock_nanosleep(CLOCK_REALTIME, 0, &soon.it_value, NULL));
	close(set_fd);
	close(time_fd);
	close(count_fd);
	close(signal_fd);
}

static void children(void)
{
	volatile unsigned long nowhere = 8;
	int ends[2], status;
	pid_t child;

	for (int i = 0; i < 5; i++) {
		if (pipe(ends))
			return;
		child = fork();
		if (child == 0) {
			dup2(ends[1], 1);
			execl("/bin/sh", "sh", "-c", "echo a; cat /proc/self/maps", NULL);
			_exit(1);
		}
		close(ends[1]);
		while (read(ends[0], block, BLOCK) > 0)
			;
		close(ends[0]);
		waitpid(child, NULL, 0);
	}
	child = fork();
	if (child == 0) {
		ignore(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
		raise(SIGSTOP);
		ignore(getppid());
		_exit(0);
	}
	waitpid(child, &status, 0);
	for (int i = 0; i < 5 && !WIFEXITED(status); i++) {
		ignore(ptrace(PTRACE_PEEKUSER, child, NULL, NULL));
		ignore(ptrace(i < 4 ? PTRACE_SYSCALL : PTRACE_CONT, child, NULL, NULL));
		waitpid(child, &status, 0);
	}
	child = fork();
	if (child == 0) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		*(volatile int *)nowhere = 1;
	}
	waitpid(child, NULL, 0);
	child = fork();
	if (child == 0) {
		ignore(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC));
		if (fork() == 0)
			_exit(0);
		wait(NULL);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	kill(child, SIGSTOP);
	kill(child, SIGCONT);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void between(void)
{
	struct { long type; char text[64]; } message = { 1, "text" };
	struct sembuf up = { 0, 1, 0 }, down = { 0, -1, 0 };
	int id = shmget(IPC_PRIVATE, 100000, 0600 | IPC_CREAT);
	char *memory = shmat(id, NULL, 0);
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_t threads[3];

	if (memory != (void *)-1) {
		memory[5000] = 1;
		shmdt(memory);
	}
	shmctl(id, IPC_RMID, NULL);
	id = semget(IPC_PRIVATE, 1, 0600 | IPC_CREAT);
	ignore(semop(id, &up, 1));
	ignore(semop(id, &down, 1));
	ignore(semctl(id, 0, IPC_RMID));
	id = msgget(IPC_PRIVATE, 0600 | IPC_CREAT);
	ignore(msgsnd(id, &message, 64, 0));
	ignore(msgrcv(id, &message, 64, 1, 0));
	ignore(msgctl(id, IPC_RMID, NULL));
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, thread, &lock);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

static void scheduling(void)
{
	struct sched_param param = { .sched_priority = 2 };
	cpu_set_t cpus;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (int i = 0; i < 4; i++) {
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(i % 2, &one);
		ignore(sched_setaffinity(0, sizeof(one), &one));
	}
	ignore(sched_setaffinity(0, sizeof(cpus), &cpus));
	ignore(sched_setscheduler(0, SCHED_RR, &param));
	usleep(100);
	param.sched_priority = 0;
	ignore(sched_setscheduler(0, SCHED_BATCH, &param));
	ignore(sched_setscheduler(0, SCHED_OTHER, &param));
	ignore(setpriority(PRIO_PROCESS, 0, 5));
	ignore(syscall(SYS_membarrier, 1 << 0, 0, 0));
	ignore(syscall(SYS_add_key, "user", "spillway", "value", 5, -2));
	ignore(syscall(SYS_keyctl, 6, -2, 0, 0, 0));
}

/* ---- memory ---- */

static void areas(void)
{
	unsigned char *map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int file = memfd_create("spillway", 0);
	size_t half = 1 << 19;
	pid_t child;

	if (map == MAP_FAILED)
		return;
	memset(map, 1, 1 << 20);
	mprotect(map + 8192, 8192, PROT_READ);
	mprotect(map, 1 << 20, PROT_READ | PROT_WRITE);
	mlock(map, half);
	munlock(map, half);
	madvise(map, half, MADV_DONTNEED);
	madvise(map, half, MADV_FREE);
	madvise(map, half, 21 /* MADV_PAGEOUT */);
	madvise(map, half, 20 /* MADV_COLD */);
	map[4096]++;
	child = fork();
	if (child == 0) {
		memset(map, 2, 1 << 20);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	map = mremap(map, 1 << 20, 3 << 20, MREMAP_MAYMOVE);
	ignore(mincore(map, half, block));
	munmap(map + 4096, 4096);
	munmap(map, 3 << 20);
	ignore(ftruncate(file, 1 << 20));
	map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	memset(map, 3, 1 << 20);
	munmap(map, 1 << 20);
	close(file);
	map = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(map, 4 << 20, 14 /* MADV_HUGEPAGE */);
	memset(map, 4, 4 << 20);
	munmap(map, 4 << 20);
}

static void touch(size_t bytes)
{
	unsigned char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return;
	for (int times = 0; times < 2; times++)
		for (size_t i = 0; i < bytes; i += 4096)
			memset(map + i, (int)(i >> 12), 64);
	munmap(map, bytes);
}

int main(int argc, char **argv)
{
	alarm(25);
	signal(SIGPIPE, SIG_IGN);
	if (posix_memalign((void **)&block, 4096, BLOCK) || argc < 2)
		return 2;
	memset(block, 'x', BLOCK);
	if (argc == 3 && !strcmp(argv[1], "files")) {
		files(argv[2]);
	} else if (!strcmp(argv[1], "network")) {
		tcp(AF_INET);
		tcp(AF_INET6);
		datagrams();
	} else if (!strcmp(argv[1], "processes")) {
		waits();
		children();
		between();
		scheduling();
	} else if (argc == 3 && !strcmp(argv[1], "memory")) {
		areas();
		touch((size_t)atol(argv[2]) << 20);
	} else {
		return 2;
	}
	return 0;
}
