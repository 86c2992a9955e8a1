/** Models that come with Spillway, as their texts. */

export interface Preset {
  readonly name: string;
  /** One line for a list. */
  readonly title: string;
  readonly text: string;
}

/** The pool that the RFC proposes, between two ways that take a file system's lock and an extra stack in different orders. */
const RFC_TASKS = `
lock inode

# write(2) on a file system that is nested on another: the outer one's code
# has used up the stack, and the inner one's lock is taken on the extra stack.
task writer * 2 {
  enter {
    lock inode
    sleep "waits for I/O"
    unlock inode
  }
}

# Writeback holds the inner file's lock when it comes to a critical point.
task flusher {
  lock inode
  enter {
    sleep "waits for I/O"
  }
  unlock inode
}
`;

export const PRESETS: readonly Preset[] = [
  {
    name: "rfc-eio",
    title: "the RFC's pool: a task that finds no free stack fails with -EIO",
    text: `# Two writers and writeback against a pool of two extra stacks.
stacks 2
policy eio
${RFC_TASKS}
reach in_use == total
reach refused
`,
  },
  {
    name: "rfc-sleep",
    title: "the RFC's open question: the same, but a task that finds no free stack sleeps until one is freed",
    text: `# Two writers and writeback against a pool of two extra stacks.
stacks 2
policy sleep
${RFC_TASKS}
reach in_use == total
`,
  },
  {
    name: "rfc-sleep-fixed",
    title: "sleeping made safe: whoever needs a stack takes it before the lock that others take on one",
    text: `# As rfc-sleep, but stacks always come before the lock.
stacks 2
policy sleep
lock inode

task writer * 2 {
  enter {
    lock inode
    sleep "waits for I/O"
    unlock inode
  }
}

task flusher {
  enter {
    lock inode
    sleep "waits for I/O"
    unlock inode
  }
}

reach in_use == total
reach waiting > 0
`,
  },
  {
    name: "nested-eio",
    title: "an extra stack fills up in its turn: two deep, -EIO where none is left",
    text: `# Each task needs a second extra stack while it is on its first.
stacks 2
policy eio

task nested * 2 {
  enter {
    step "fills the first extra stack"
    enter {
      sleep "waits for I/O"
    } else {
      fail
    }
  }
}

reach in_use == total
reach refused
`,
  },
  {
    name: "nested-sleep",
    title: "the same with sleep, and no lock at all: as many stacks as tasks are too few",
    text: `# Each task holds its first extra stack while it waits for its second.
stacks 2
policy sleep

task nested * 2 {
  enter {
    step "fills the first extra stack"
    enter {
      sleep "waits for I/O"
    }
  }
}

reach in_use == total
`,
  },
  {
    name: "nested-sleep-fixed",
    title: "the same with tasks * (depth - 1) + 1 stacks: one of the tasks can always go on",
    text: `# 2 tasks, 2 deep: 2 * (2 - 1) + 1 = 3 stacks.
stacks 3
policy sleep

task nested * 2 {
  enter {
    step "fills the first extra stack"
    enter {
      sleep "waits for I/O"
    }
  }
}

reach in_use == total
reach waiting > 0
`,
  },
  {
    name: "xfs-2012",
    title: "XFS's allocation workers all wait for the AGF lock, whose holder needs a worker (fixed by 1f3c785c3adb)",
    text: `# A stack switch by another task: each allocation runs in a worker of xfs_alloc_wq.
# The first attempt fails and leaves the AGF locked in the transaction;
# the next one needs a worker again.
workers xfs_alloc_wq 2
lock agf

task allocator * 3 {
  work xfs_alloc_wq {
    lock agf
    step "finds no extent"
  }
  work xfs_alloc_wq {
    step "allocates"
  }
  unlock agf
}

reach xfs_alloc_wq == 2
`,
  },
  {
    name: "xfs-2012-fixed",
    title: "the switch one layer up: all attempts of a transaction run in one worker",
    text: `# 1f3c785c3adb: no attempt waits for a worker while it holds the AGF.
workers xfs_alloc_wq 2
lock agf

task allocator * 3 {
  work xfs_alloc_wq {
    lock agf
    step "finds no extent"
    step "allocates"
  }
  unlock agf
}

reach xfs_alloc_wq == 2
`,
  },
  {
    name: "xfs-2023",
    title:
      "XFS's rescuer runs a btree split that waits for an AGF; its holder's work is queued behind (fixed by c85007e2e394)",
    text: `# Memory is short: xfs_alloc_wq has its rescuer thread and no other worker.
workers xfs_alloc_wq 1
lock agf

# Unwritten extent conversion at the end of an I/O: no AGF is locked yet.
task completion {
  work xfs_alloc_wq {
    lock agf
    step "splits the btree"
    unlock agf
  }
}

# Extent allocation: has the AGF locked when it needs a split.
task allocation {
  lock agf
  work xfs_alloc_wq {
    step "splits the btree"
  }
  unlock agf
}

reach xfs_alloc_wq == 1
`,
  },
  {
    name: "xfs-2023-fixed",
    title: "only who has the AGF locked goes to the workers; I/O completion splits on its own stack",
    text: `# c85007e2e394: what a worker runs never waits for an AGF.
workers xfs_alloc_wq 1
lock agf

task completion {
  lock agf
  step "splits the btree"
  unlock agf
}

task allocation {
  lock agf
  work xfs_alloc_wq {
    step "splits the btree"
  }
  unlock agf
}

reach xfs_alloc_wq == 1
`,
  },
  {
    name: "resize",
    title: "the number of stacks changes under load; less than are in use is refused",
    text: `# An operator shrinks and grows the pool for ever.
stacks 2
policy eio

task writer * 2 {
  loop {
    enter {
      sleep "waits for I/O"
    }
  }
}

task operator {
  loop {
    choose {
      resize 1
    } or {
      resize 3
    }
  }
}

always in_use <= total
reach in_use == 2 && total == 3
reach total == 1
reach refused
`,
  },
  {
    name: "resize-unchecked",
    title: "the same without that check: more stacks are in use than there are",
    text: `# What the RFC refuses to do: honour a number below what is in use.
stacks 2
policy eio

task writer * 2 {
  enter {
    sleep "waits for I/O"
  }
}

task operator {
  resize 1 unchecked
}
`,
  },
  {
    name: "leak",
    title: "an error path that forgets its lock: a refused task ends with it held",
    text: `# The way out after -EIO does not pass the unlock.
stacks 1
policy eio
lock inode

task writer * 2 {
  lock inode
  enter {
    sleep "waits for I/O"
  } else {
    fail
  }
  unlock inode
}

task reader {
  enter {
    sleep "waits for I/O"
  }
}
`,
  },
];
