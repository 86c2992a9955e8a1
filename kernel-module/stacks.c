// SPDX-License-Identifier: GPL-2.0
/* Making one extra stack: its pages, its mapping, its two lowest words. */
#define pr_fmt(fmt) "spillway: " fmt

#include <linux/gfp.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "spillway.h"

/* Rather fail than have the OOM killer make room for a pool. */
#define SPW_GFP (GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/* At a stack's lowest address: as with the tasks' own, and whose it is. */
struct spw_mark {
	unsigned long end;		/* STACK_END_MAGIC */
	unsigned long slot;		/* in spw_table */
};

void spw_stack_free(struct spw_stack *stack)
{
	unsigned int i;

	if (!stack)
		return;
	if (stack->top)
		vunmap((void *)spw_base(stack));
	for (i = 0; i < SPW_PAGES; i++)
		if (stack->pages[i])
			__free_page(stack->pages[i]);
	kfree(stack);
}

/*
 * Maps the pages THREAD_SIZE aligned. Of what is exported only a VM_IOREMAP
 * area is aligned to its size (__get_vm_area_node() in mm/vmalloc.c; its one
 * other effect is that /proc/kcore reads it as zeros). Every area ends in an
 * unmapped page, so what lies below a stack is a guard, of its own alignment's
 * hole or of the area before, as with the tasks' own stacks.
 */
static void *spw_map_aligned(struct page **pages)
{
	void *base = vmap(pages, SPW_PAGES, VM_MAP | VM_IOREMAP, PAGE_KERNEL);

	if (base && !IS_ALIGNED((unsigned long)base, THREAD_SIZE)) {
		vunmap(base);
		return NULL;
	}
	return base;
}

/* A stack of the CPU's node, free and in no table; NULL where memory ends. */
struct spw_stack *spw_stack_make(int cpu)
{
	struct spw_stack *stack;
	unsigned int i;
	void *base;

	stack = kzalloc_node(sizeof(*stack), SPW_GFP, cpu_to_node(cpu));
	if (!stack)
		return NULL;
	stack->home = cpu;
	for (i = 0; i < SPW_PAGES; i++) {
		stack->pages[i] = alloc_pages_node(cpu_to_node(cpu),
						   SPW_GFP | __GFP_ZERO, 0);
		if (!stack->pages[i])
			goto fail;
	}
	base = spw_map_aligned(stack->pages);
	if (!base)
		goto fail;
	stack->top = (unsigned long)base + THREAD_SIZE;
	return stack;
fail:
	spw_stack_free(stack);
	return NULL;
}

/* The stack has its slot. */
void spw_stack_mark(struct spw_stack *stack)
{
	struct spw_mark *mark = (struct spw_mark *)spw_base(stack);

	mark->end = STACK_END_MAGIC;
	mark->slot = stack->slot;
}

/*
 * The extra stack that RSP is on, without a search; NULL if it is on none, on
 * one that overflowed onto its mark, or on what cannot be read.
 */
notrace struct spw_stack *spw_stack_at(unsigned long sp)
{
	struct spw_mark *mark = (struct spw_mark *)ALIGN_DOWN(sp, THREAD_SIZE);
	struct spw_stack *stack;
	unsigned long slot;

	/* Another stack's need not be aligned, with a guard page at hand. */
	if (get_kernel_nofault(slot, &mark->slot) || slot >= SPW_MAX_STACKS)
		return NULL;
	stack = READ_ONCE(spw_table[slot]);
	return stack && spw_holds(stack, sp) ? stack : NULL;
}

/* Most bytes of the stack that were ever in use: what is not zero any more. */
unsigned long spw_stack_deepest(const struct spw_stack *stack)
{
	const unsigned long *word;

	word = (unsigned long *)(spw_base(stack) + sizeof(struct spw_mark));
	while ((unsigned long)word < stack->top && !READ_ONCE(*word))
		word++;
	return stack->top - (unsigned long)word;
}
