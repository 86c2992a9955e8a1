// SPDX-License-Identifier: GPL-2.0
/* Crashes that have nothing to do with the stack. */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/panic.h>
#include <linux/sched.h>

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

const struct scenario plain_scenarios[] = {
	{ "null-dereference", start_null_dereference },
	{ "null-call", start_null_call },
	{ "bug", start_bug },
	{ "warn-panic", start_warn_panic },
	{ "hung-task", start_hung_task },
	{}
};
