// SPDX-License-Identifier: MIT
/*
 * tasks: arrivals and hold times of known laws, for a pool of extra stacks to be compared with its model.
 *
 *   tasks ARRIVALS RATE HOLD PEAK BURST SEED
 *
 * Threads call read(2) on timers: with vfs_read as a critical point and a
 * threshold of 0, each call holds an extra stack until its timer expires, for
 * a time of an exponential law with mean HOLD (milliseconds). They arrive at
 * RATE a second: as a Poisson process where PEAK is 1; else in bursts at PEAK
 * times the rate for a time with mean BURST (milliseconds), with nothing in
 * between for so long that the mean holds. Prints a line for each:
 *
 *   task MICROSECONDS HOLD_MICROSECONDS REFUSED
 *
 * with the hold time as it was, or for who was refused as it was to be.
 * Everything that could read or fault meanwhile is done before or after.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 64
#define NSEC 1000000000LL

struct visit {
	int64_t due;		/* ns from the beginning */
	int64_t hold;		/* ns */
	int64_t came;
	int refused;
};

static struct visit *visits;
static int count, next;
static int64_t start;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

/* splitmix64 */
static uint64_t state;
static double uniform(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	z ^= z >> 31;
	return ((z >> 11) + 0.5) / 9007199254740992.0;
}

static double exponential(double mean)
{
	return -mean * log(uniform());
}

/* Each worker takes the next visit, sleeps until it is due, and makes it. */
static void *work(void *unused)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);

	for (;;) {
		struct itimerspec until = { 0 };
		struct timespec due;
		struct visit *visit;
		uint64_t expired;
		int64_t at;

		pthread_mutex_lock(&lock);
		visit = next < count ? &visits[next++] : NULL;
		pthread_mutex_unlock(&lock);
		if (!visit)
			break;
		at = start + visit->due;
		due = (struct timespec){ at / NSEC, at % NSEC };
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL))
			;
		visit->came = now();
		at = visit->came + visit->hold;
		until.it_value = (struct timespec){ at / NSEC, at % NSEC };
		timerfd_settime(timer, TFD_TIMER_ABSTIME, &until, NULL);
		if (read(timer, &expired, sizeof(expired)) < 0)
			visit->refused = errno == EIO ? 1 : -errno;
		else
			visit->hold = now() - visit->came;
	}
	return unused;
}

static void set_threshold(const char *value)
{
	int control = open("/sys/kernel/spillway/threshold", O_WRONLY);

	if (control < 0 || write(control, value, strlen(value)) < 0) {
		perror("threshold");
		exit(1);
	}
	close(control);
}

int main(int argc, char **argv)
{
	double rate, hold, peak, burst, left, time = 0;
	pthread_t workers[WORKERS];
	pthread_attr_t small;

	if (argc != 7) {
		fprintf(stderr, "usage: tasks ARRIVALS RATE HOLD PEAK BURST SEED\n");
		return 2;
	}
	count = atoi(argv[1]);
	rate = atof(argv[2]);
	hold = atof(argv[3]) / 1e3;
	peak = atof(argv[4]);
	burst = atof(argv[5]) / 1e3;
	state = strtoull(argv[6], NULL, 0);
	visits = calloc(count, sizeof(*visits));
	left = exponential(burst);
	for (int i = 0; i < count; i++) {
		double gap = exponential(1 / (rate * peak));

		while (peak > 1 && gap > left) {
			/* The burst ends first; what would come after it is drawn anew. */
			time += left + exponential(burst * (peak - 1));
			left = exponential(burst);
			gap = exponential(1 / (rate * peak));
		}
		left -= gap;
		time += gap;
		visits[i].due = time * 1e9;
		visits[i].hold = exponential(hold) * 1e9;
	}
	/* Small, as all of it is locked in memory. */
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&workers[i], &small, work, NULL);
	set_threshold("0");
	start = now() + NSEC / 10;
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	set_threshold("8192");
	for (int i = 0; i < count; i++)
		printf("task %lld %lld %d\n", (long long)(visits[i].came - start) / 1000,
		       (long long)visits[i].hold / 1000, visits[i].refused);
	return 0;
}
