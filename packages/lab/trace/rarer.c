// SPDX-License-Identifier: MIT
/*
 * rarer: ways through the kernel that fewer programs take than those in exercise.c.
 *
 *   rarer files FOLDER       asynchronous I/O, leases, contended locks, tee and vmsplice, ioctls of files, fanotify, a core dump
 *   rarer network            filters, multicast, fragments, urgent data, sockets in epoll, zero copies, a packet socket, TUN
 *   rarer processes          clone3, vfork, seccomp, signals on another stack, faults, pidfd, message queues, mounts, BPF, perf
 *   rarer memory             userfaultfd, shared huge pages, processes' memory, locked and moved pages, swap advice
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/fanotify.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/fiemap.h>
#include <linux/if_tun.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define BLOCK 65536

static unsigned char *block;

/* What a kernel refuses here is as good a path as what it grants; results do not matter. */
static void ignore(long result)
{
	(void)result;
}

static void on_signal(int signal)
{
	(void)signal;
}

/* ---- files ---- */

static void asynchronous(void)
{
	int file = open("aio", O_RDWR | O_CREAT | O_DIRECT, 0644);
	struct iocb write = { .aio_fildes = (unsigned int)file, .aio_lio_opcode = IOCB_CMD_PWRITE,
			      .aio_buf = (unsigned long)block, .aio_nbytes = BLOCK };
	struct iocb read = write, sync = { .aio_fildes = (unsigned int)file, .aio_lio_opcode = IOCB_CMD_FSYNC };
	struct iocb *all[] = { &write, &sync, &read };
	struct io_event events[3];
	aio_context_t context = 0;

	read.aio_lio_opcode = IOCB_CMD_PREAD;
	if (syscall(SYS_io_setup, 8, &context) == 0) {
		for (int i = 0; i < 3; i++) {
			ignore(syscall(SYS_io_submit, context, 1, &all[i]));
			ignore(syscall(SYS_io_getevents, context, 1, 1, events, NULL));
		}
		ignore(syscall(SYS_io_destroy, context));
	}
	close(file);
	unlink("aio");
}

static void contended(void)
{
	int file = open("locked", O_RDWR | O_CREAT, 0644), other;
	struct flock lock = { .l_type = F_WRLCK, .l_len = 100 };
	pid_t child;

	signal(SIGIO, on_signal);
	ignore(fcntl(file, F_SETLK, &lock));
	ignore(flock(file, LOCK_EX));
	child = fork();
	if (child == 0) {
		int mine = open("locked", O_RDWR);

		alarm(2);
		ignore(fcntl(mine, F_SETLKW, &lock));
		ignore(flock(mine, LOCK_SH));
		_exit(0);
	}
	usleep(20000);
	lock.l_type = F_UNLCK;
	ignore(fcntl(file, F_SETLK, &lock));
	ignore(flock(file, LOCK_UN));
	waitpid(child, NULL, 0);
	close(file);
	/* A lease that is broken. */
	file = open("locked", O_RDONLY);
	ignore(fcntl(file, F_SETLEASE, F_RDLCK));
	child = fork();
	if (child == 0) {
		other = open("locked", O_WRONLY | O_NONBLOCK);
		_exit(other < 0);
	}
	waitpid(child, NULL, 0);
	ignore(fcntl(file, F_SETLEASE, F_UNLCK));
	ignore(fcntl(file, F_SETOWN, getpid()));
	close(file);
	unlink("locked");
}

static void told(void)
{
	struct { struct fiemap map; struct fiemap_extent extents[8]; } extents = { .map = { .fm_length = ~0ull, .fm_extent_count = 8 } };
	struct fsxattr attributes;
	struct statx status;
	int watch = (int)syscall(SYS_fanotify_init, FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY), flags, file;

	ignore(syscall(SYS_fanotify_mark, watch, FAN_MARK_ADD | FAN_MARK_MOUNT, (unsigned long)(FAN_OPEN | FAN_MODIFY | FAN_CLOSE), AT_FDCWD, "."));
	file = open(".", O_TMPFILE | O_RDWR, 0644);
	ignore(write(file, block, 10000));
	ignore(fsync(file));
	ignore(ioctl(file, FS_IOC_FIEMAP, &extents));
	ignore(ioctl(file, FS_IOC_GETFLAGS, &flags));
	flags |= FS_NOATIME_FL;
	ignore(ioctl(file, FS_IOC_SETFLAGS, &flags));
	ignore(ioctl(file, FS_IOC_FSGETXATTR, &attributes));
	ignore(ioctl(file, FS_IOC_FSSETXATTR, &attributes));
	ignore(syscall(SYS_statx, file, "", AT_EMPTY_PATH, 0xfff, &status));
	ignore(linkat(AT_FDCWD, "/proc/self/fd/0", AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
	ignore(read(watch, block, BLOCK));
	close(file);
	close(watch);
	unlink("linked");
}

static void pipes(void)
{
	int first[2], second[2], file = open("spliced", O_RDWR | O_CREAT, 0644);
	struct iovec part = { block, 20000 };

	if (pipe(first) || pipe2(second, O_NONBLOCK))
		return;
	ignore(fcntl(first[1], F_SETPIPE_SZ, 1 << 18));
	ignore(vmsplice(first[1], &part, 1, 0));
	ignore(tee(first[0], second[1], 10000, SPLICE_F_NONBLOCK));
	ignore(splice(second[0], NULL, file, NULL, 10000, SPLICE_F_MOVE));
	ignore(splice(first[0], NULL, second[1], NULL, 4000, SPLICE_F_NONBLOCK));
	ignore(read(first[0], block, BLOCK));
	for (int i = 0; i < 2; i++) {
		close(first[i]);
		close(second[i]);
	}
	close(file);
	unlink("spliced");
}

/* Writes a core file into the folder. */
static void dump_core(void)
{
	struct rlimit large = { 1 << 22, 1 << 22 };
	pid_t child = fork();

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &large);
		abort();
	}
	waitpid(child, NULL, 0);
	unlink("core");
}

static void files(const char *folder)
{
	if (chdir(folder))
		return;
	asynchronous();
	contended();
	told();
	pipes();
	dump_core();
}

/* ---- network ---- */

static struct sockaddr_in local(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((unsigned short)port) };

	return address;
}

static void filtered(void)
{
	struct sock_filter code[] = { BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_RET | BPF_K, 0xffff) };
	struct sock_fprog program = { 2, code };
	struct sockaddr_in address = local(5454);
	struct ip_mreq group = { .imr_multiaddr.s_addr = htonl(0xe0000105), .imr_interface.s_addr = htonl(INADDR_LOOPBACK) };
	int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0), packets = socket(AF_PACKET, SOCK_DGRAM, htons(0x0800)), one = 1;
	struct mmsghdr messages[4] = { 0 };
	struct iovec part = { block, 300 };

	ignore(setsockopt(packets, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
	ignore(setsockopt(in, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
	ignore(setsockopt(in, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)));
	ignore(bind(in, (void *)&address, sizeof(address)));
	ignore(setsockopt(in, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
	ignore(setsockopt(in, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)));
	ignore(connect(out, (void *)&address, sizeof(address)));
	for (int i = 0; i < 4; i++) {
		messages[i].msg_hdr.msg_iov = &part;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	ignore(sendmmsg(out, messages, 4, 0));
	ignore(recvmmsg(in, messages, 4, MSG_DONTWAIT, NULL));
	address.sin_addr.s_addr = group.imr_multiaddr.s_addr;
	ignore(sendto(out, block, 100, 0, (void *)&address, sizeof(address)));
	/* Larger than the loopback device's frames where these were made small. */
	address = local(5454);
	ignore(send(out, block, 30000, 0));
	ignore(recv(in, block, BLOCK, MSG_DONTWAIT));
	ignore(recv(packets, block, BLOCK, MSG_DONTWAIT));
	close(in);
	close(out);
	close(packets);
}

static void streams(void)
{
	struct sockaddr_in address = local(0);
	struct epoll_event event = { .events = EPOLLIN | EPOLLPRI | EPOLLET };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), set = epoll_create1(0), one = 1, few = 4096, peer, file;
	struct linger none = { 1, 0 };

	if (bind(listener, (void *)&address, length) || listen(listener, 1))
		return;
	ignore(getsockname(listener, (void *)&address, &length));
	ignore(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &few, sizeof(few)));
	peer = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ignore(setsockopt(peer, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)));
	ignore(setsockopt(peer, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one)));
	ignore(setsockopt(peer, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	ignore(setsockopt(peer, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	ignore(connect(peer, (void *)&address, length));
	file = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	ignore(epoll_ctl(set, EPOLL_CTL_ADD, file, &event));
	ignore(send(peer, block, 1, MSG_OOB));
	ignore(epoll_wait(set, &event, 1, 50));
	/* More than the other end takes: until it waits, and probes. */
	for (int i = 0; i < 40; i++)
		ignore(send(peer, block, BLOCK, MSG_ZEROCOPY | MSG_DONTWAIT));
	usleep(300000);
	for (int i = 0; i < 40; i++)
		ignore(recv(file, block, BLOCK, MSG_DONTWAIT));
	ignore(recv(peer, block, 100, MSG_ERRQUEUE | MSG_DONTWAIT));
	ignore(recv(file, block, 1, MSG_OOB | MSG_DONTWAIT));
	ignore(setsockopt(file, SOL_SOCKET, SO_LINGER, &none, sizeof(none)));
	close(file);
	ignore(send(peer, block, 100, MSG_NOSIGNAL));
	close(peer);
	close(listener);
	close(set);
}

/* A device whose other end is this process: a frame is received from it and one that it sends is read. */
static void tunnel(void)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	unsigned char echo[] = { 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0x66, 0x90, 10, 8, 8, 2, 10, 8, 8, 1, 8, 0, 0xf7, 0xff, 0, 0, 0, 0 };
	struct sockaddr_in *address = (void *)&request.ifr_addr;
	int file = open("/dev/net/tun", O_RDWR | O_NONBLOCK), control = socket(AF_INET, SOCK_DGRAM, 0);

	if (file < 0) {
		ignore(mkdir("/dev/net", 0755));
		ignore(mknod("/dev/net/tun", S_IFCHR | 0600, 10 << 8 | 200));
		file = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	}
	if (file < 0 || ioctl(file, TUNSETIFF, &request))
		return;
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(0x0a080801);
	ignore(ioctl(control, SIOCSIFADDR, &request));
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	ignore(ioctl(control, SIOCSIFFLAGS, &request));
	ignore(write(file, echo, sizeof(echo)));
	usleep(10000);
	for (int i = 0; i < 4; i++)
		ignore(read(file, block, BLOCK));
	close(file);
	close(control);
}

static void network(void)
{
	filtered();
	streams();
	tunnel();
}

/* ---- processes ---- */

static int child_work(void *argument)
{
	(void)argument;
	return 3;
}

static void faults(void)
{
	static unsigned char other[65536];
	stack_t stack = { .ss_sp = other, .ss_size = sizeof(other) };
	static const int kinds[] = { 0, 1, 2, 3, 4 };
	volatile int zero = 0;

	for (int i = 0; i < 5; i++) {
		pid_t child = fork();

		if (child == 0) {
			struct rlimit none = { 0, 0 };

			setrlimit(RLIMIT_CORE, &none);
			sigaltstack(&stack, NULL);
			if (kinds[i] == 0)
				_exit(1 / zero);
			if (kinds[i] == 1)
				__asm__ volatile("ud2");
			if (kinds[i] == 2)
				__asm__ volatile("int3");
			if (kinds[i] == 3)
				*(volatile int *)0xffffffff81000000ul = 1;
			__asm__ volatile("cli");
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
}

static void restricted(void)
{
	struct sock_filter code[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
				      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 4, code };
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
		ignore(getppid());
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
		ignore(getppid());
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void programs(void)
{
	struct bpf_insn code[] = { { BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1 }, { BPF_JMP | BPF_EXIT, 0, 0, 0, 0 } };
	union bpf_attr map = { .map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 16 };
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insns = (unsigned long)code, .insn_cnt = 2, .license = (unsigned long)"GPL" };
	union bpf_attr element = { 0 };
	struct perf_event_attr event = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(event), .config = PERF_COUNT_SW_CPU_CLOCK, .sample_period = 100000,
					 .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_CALLCHAIN };
	unsigned int key = 1;
	unsigned long long value = 2;
	int maps = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map)), program, socket_file = socket(AF_UNIX, SOCK_DGRAM, 0), counter;

	element.map_fd = (unsigned int)maps;
	element.key = (unsigned long)&key;
	element.value = (unsigned long)&value;
	ignore(syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &element, sizeof(element)));
	ignore(syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &element, sizeof(element)));
	program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	ignore(setsockopt(socket_file, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)));
	close(socket_file);
	close(program);
	close(maps);
	counter = (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, 0);
	if (counter >= 0) {
		void *ring = mmap(NULL, 9 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, counter, 0);

		ignore(ioctl(counter, PERF_EVENT_IOC_ENABLE, 0));
		for (volatile int i = 0; i < 2000000; i++)
			;
		ignore(read(counter, block, 8));
		munmap(ring, 9 * 4096);
		close(counter);
	}
}

static void mounts(void)
{
	int system, point;

	if (fork()) {
		wait(NULL);
		return;
	}
	ignore(unshare(CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWCGROUP));
	system = (int)syscall(SYS_fsopen, "tmpfs", 0);
	ignore(syscall(SYS_fsconfig, system, 1 /* FSCONFIG_SET_STRING */, "size", "1M", 0));
	ignore(syscall(SYS_fsconfig, system, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0));
	point = (int)syscall(SYS_fsmount, system, 0, 0);
	ignore(syscall(SYS_move_mount, point, "", AT_FDCWD, "/mnt", 4 /* MOVE_MOUNT_F_EMPTY_PATH */));
	ignore(mount("/tmp", "/mnt", NULL, MS_BIND | MS_REC, NULL));
	ignore(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ignore(umount2("/mnt", MNT_DETACH));
	ignore(chroot("/tmp"));
	_exit(0);
}

static void messages(void)
{
	struct { long maximum, current, flags, size, spare[4]; } attributes = { .flags = 4, .size = 64 };
	struct timespec soon = { 0, 1000000 };
	int queue = (int)syscall(SYS_mq_open, "spillway", O_RDWR | O_CREAT, 0600, NULL), process;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct iovec mine = { block, 100 };
	siginfo_t info = { 0 };
	pid_t child;

	signal(SIGUSR2, on_signal);
	ignore(syscall(SYS_mq_notify, queue, &event));
	ignore(syscall(SYS_mq_timedsend, queue, block, 32, 1, &soon));
	ignore(syscall(SYS_mq_timedreceive, queue, block, 8192, NULL, &soon));
	ignore(syscall(SYS_mq_getsetattr, queue, NULL, &attributes));
	ignore(syscall(SYS_mq_unlink, "spillway"));
	close(queue);
	child = vfork();
	if (child == 0)
		_exit(1);
	waitpid(child, NULL, 0);
	child = clone(child_work, block + BLOCK / 2, CLONE_VM | SIGCHLD, NULL);
	waitpid(child, NULL, 0);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	process = (int)syscall(SYS_pidfd_open, child, 0);
	ignore(process_vm_readv(child, &mine, 1, &mine, 1, 0));
	ignore(process_vm_writev(child, &mine, 1, &mine, 1, 0));
	ignore(syscall(SYS_kcmp, child, getpid(), 0, 0, 0));
	ignore(ptrace(PTRACE_SEIZE, child, 0, 0));
	ignore(ptrace(PTRACE_INTERRUPT, child, 0, 0));
	waitpid(child, NULL, WSTOPPED);
	ignore(ptrace(PTRACE_POKEDATA, child, block, 5));
	ignore(ptrace(PTRACE_DETACH, child, 0, 0));
	ignore(syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0));
	ignore(waitid(P_PIDFD, (id_t)process, &info, WEXITED));
	close(process);
}

static void deadlines(void)
{
	struct { unsigned int size, policy; unsigned long long flags; int nice; unsigned int priority; unsigned long long runtime, deadline, period; } attributes = {
		56, 6 /* SCHED_DEADLINE */, 0, 0, 0, 10000000, 30000000, 30000000 };
	struct timespec soon = { 0, 2000000 };
	struct tms times_used;
	struct rusage usage;
	pid_t child = fork();

	if (child == 0) {
		ignore(syscall(SYS_sched_setattr, 0, &attributes, 0));
		for (int i = 0; i < 3; i++)
			nanosleep(&soon, NULL);
		sched_yield();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	times(&times_used);
	getrusage(RUSAGE_CHILDREN, &usage);
	ignore(prctl(PR_SET_NAME, "rarer", 0, 0, 0));
	ignore(prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0));
	ignore(syscall(SYS_getrandom, block, 1000, 0));
	ignore(syscall(SYS_ioprio_set, 1, 0, 3 << 13));
}

/* ---- memory ---- */

static void *fault_in(void *argument)
{
	return (void *)(long)*(volatile unsigned char *)argument;
}

static void user_faults(void)
{
	int file = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	unsigned char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .range = { (unsigned long)map, 8192 }, .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_copy copy = { .dst = (unsigned long)map, .src = (unsigned long)block, .len = 4096 };
	pthread_t reader;

	if (file < 0)
		return;
	ignore(ioctl(file, UFFDIO_API, &api));
	ignore(ioctl(file, UFFDIO_REGISTER, &area));
	pthread_create(&reader, NULL, fault_in, map);
	usleep(20000);
	ignore(read(file, block, sizeof(struct uffd_msg)));
	ignore(ioctl(file, UFFDIO_COPY, &copy));
	pthread_join(reader, NULL);
	close(file);
	munmap(map, 8192);
}

static void pages(void)
{
	unsigned char *map = mmap(NULL, 1 << 21, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *huge;
	void *page = map;
	int status, node = 0, file = open("/tmp/swapfile", O_RDWR | O_CREAT, 0600);
	unsigned long mask = 1;

	if (map == MAP_FAILED)
		return;
	memset(map, 7, 1 << 21);
	ignore(syscall(SYS_move_pages, 0, 1, &page, &node, &status, 2));
	ignore(syscall(SYS_mbind, map, 1 << 20, 2, &mask, 8, 2));
	ignore(madvise(map, 1 << 20, 12 /* MADV_MERGEABLE */));
	ignore(madvise(map, 1 << 20, 22 /* MADV_POPULATE_READ */));
	ignore(madvise(map, 1 << 21, 25 /* MADV_COLLAPSE */));
	ignore(mlockall(MCL_CURRENT));
	ignore(munlockall());
	ignore(syscall(SYS_process_madvise, -1, NULL, 0, 0, 0));
	ignore((long)mremap(map, 1 << 20, 1 << 20, MREMAP_MAYMOVE | MREMAP_FIXED, map + (1 << 20)));
	ignore(syscall(SYS_remap_file_pages, map, 4096, 0, 0, 0));
	munmap(map, 1 << 21);
	huge = mmap(NULL, 1 << 21, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (huge != MAP_FAILED) {
		huge[5] = 1;
		munmap(huge, 1 << 21);
	}
	close(file);
	unlink("/tmp/swapfile");
}

int main(int argc, char **argv)
{
	alarm(25);
	signal(SIGPIPE, SIG_IGN);
	if (posix_memalign((void **)&block, 4096, BLOCK) || argc < 2)
		return 2;
	memset(block, 'y', BLOCK);
	if (argc == 3 && !strcmp(argv[1], "files")) {
		files(argv[2]);
	} else if (!strcmp(argv[1], "network")) {
		network();
	} else if (!strcmp(argv[1], "processes")) {
		faults();
		restricted();
		programs();
		mounts();
		messages();
		deadlines();
	} else if (!strcmp(argv[1], "memory")) {
		user_faults();
		pages();
	} else {
		return 2;
	}
	return 0;
}
