// SPDX-License-Identifier: GPL-2.0
/* Crashes that have nothing to do with the stack. */
#include <linux/bug.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/panic.h>
#include <linux/sched.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "vandal.h"

struct session {
	struct session *peer;
	void (*closed)(struct session *session);
	u32 id;
	u32 bytes;
};

static struct session lonely_session = { .id = 7 };

static noinline u32 peer_bytes(const struct session *session)
{
	return session->peer->bytes;
}

static noinline u32 report_session(const struct session *session)
{
	char line[48];
	int length = snprintf(line, sizeof(line), "session %u", session->id);

	return length + peer_bytes(session);
}

static int start_null_dereference(void)
{
	return report_session(&lonely_session) ? 0 : -EINVAL;
}

static noinline int close_session(struct session *session)
{
	session->id = 0;
	session->closed(session);
	return session->bytes;
}

static int start_null_call(void)
{
	return close_session(&lonely_session) + 1;
}

static noinline int check_session(const struct session *session)
{
	BUG_ON(session->id != 8);
	return session->bytes;
}

static int start_bug(void)
{
	return check_session(&lonely_session) + 1;
}

static noinline int repair_session(struct session *session)
{
	u32 log[8] = { session->id };

	if (WARN_ON(log[0] != 8))
		panic("vandal: session %u cannot be repaired\n", log[0]);
	return log[1];
}

static int start_warn_panic(void)
{
	return repair_session(&lonely_session) + 1;
}

/* The hung task detector panics; the test machine has it set to a second. */
static noinline int wait_for_peer(struct session *session)
{
	while (!session->peer) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule();
	}
	return session->peer->id;
}

static int start_hung_task(void)
{
	return wait_for_peer(&lonely_session) + 1;
}

/* A stack that is deep but whole: three quarters of it are in use. */
static noinline u32 sum_history(const u8 *history, int count, const struct session *session)
{
	u32 sum = 0;

	while (count--)
		sum += history[count];
	return sum + peer_bytes(session);
}

static noinline u32 replay_history(const struct session *session)
{
	u8 history[9000];
	int i;

	for (i = 0; i < sizeof(history); i++)
		history[i] = session->id + i;
	return sum_history(history, sizeof(history), session);
}

static int start_null_deep(void)
{
	return replay_history(&lonely_session) ? 0 : -EINVAL;
}

/* Others hold pointers into the stack, and by right: a timer and a wait queue entry are waited for. */
static DECLARE_WAIT_QUEUE_HEAD(session_queue);

struct session_wait {
	struct timer_list timer;
	u32 ticks;
};

static void session_tick(struct timer_list *timer)
{
	struct session_wait *wait = container_of(timer, struct session_wait, timer);

	wait->ticks++;
	mod_timer(timer, jiffies + 1);
}

static noinline u32 await_session(const struct session *session)
{
	struct session_wait wait = {};
	DEFINE_WAIT(entry);
	u32 bytes;

	timer_setup_on_stack(&wait.timer, session_tick, 0);
	mod_timer(&wait.timer, jiffies + 1);
	prepare_to_wait(&session_queue, &entry, TASK_UNINTERRUPTIBLE);
	schedule_timeout(msecs_to_jiffies(30));
	bytes = peer_bytes(session);
	finish_wait(&session_queue, &entry);
	destroy_timer_on_stack(&wait.timer);
	return bytes + wait.ticks;
}

static int start_null_awaited(void)
{
	return await_session(&lonely_session) ? 0 : -EINVAL;
}

/* The same pointer, read by a timer: the task whose CPU it runs on has nothing to do with it. */
static struct timer_list session_timer;

static noinline u32 expire_session(const struct session *session)
{
	return peer_bytes(session) + 1;
}

static void session_timeout(struct timer_list *timer)
{
	lonely_session.bytes = expire_session(&lonely_session);
}

static int start_null_in_timer(void)
{
	timer_setup(&session_timer, session_timeout, 0);
	mod_timer(&session_timer, jiffies + 2);
	mdelay(1000);
	return lonely_session.bytes ? 0 : -EINVAL;
}

const struct scenario plain_scenarios[] = {
	{ "null-dereference", start_null_dereference },
	{ "null-call", start_null_call },
	{ "null-deep", start_null_deep },
	{ "null-awaited", start_null_awaited },
	{ "null-in-timer", start_null_in_timer },
	{ "bug", start_bug },
	{ "warn-panic", start_warn_panic },
	{ "hung-task", start_hung_task },
	{}
};
