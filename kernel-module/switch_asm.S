/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The x86_64 stack switch.
 *
 * On entry to spw_direct_N and spw_redirect_N a critical point has just been
 * called:
 *	 (%rsp)	the resume address, behind the point's "call __fentry__"
 *		(spw_redirect_N finds it in %r10 instead)
 *	8(%rsp)	the return address of the point's caller
 * and all six argument registers are live. %rax, %r10 and %r11 are free at a
 * function's entry.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/asm.h>
#include <asm/nospec-branch.h>
#include <asm/page_types.h>
#include <asm/percpu.h>
#include <asm/thread_info.h>
#include <asm/unwind_hints.h>
#include "spillway.h"

	.text

/*
 * Goes on in the critical point. An indirect jump to its resume address would
 * need an ENDBR there (IBT); a return does not. The word above the pushed one
 * is the return address of our own call: the point returns to us.
 */
SYM_FUNC_START_LOCAL(spw_resume_r10)
	pushq	%r10
	UNWIND_HINT_FUNC
	RET
SYM_FUNC_END(spw_resume_r10)

/*
 * The stack may be too full: %eax is the point's number. %rbp stays on the old
 * stack while %rsp moves, so that ORC follows it across the switch.
 */
SYM_FUNC_START_LOCAL(spw_switch)
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%r8
	pushq	%r9
	subq	$24, %rsp
	movl	%eax, %edi
	leaq	16(%rbp), %rsi		/* RSP at the point's entry */
	movq	-8(%rbp), %rdx		/* its first argument */
	call	spw_acquire
	movq	8(%rbp), %r10
	movq	-8(%rbp), %rdi
	movq	-16(%rbp), %rsi
	movq	-24(%rbp), %rdx
	movq	-32(%rbp), %rcx
	movq	-40(%rbp), %r8
	movq	-48(%rbp), %r9
	testq	%rax, %rax
	jz	.Lstay
	cmpq	$-4095, %rax
	jae	.Lrefused

	movq	%rax, -56(%rbp)
	movq	SPW_STACK_TOP(%rax), %rsp
	call	spw_resume_r10
	leaq	-72(%rbp), %rsp
	movq	%rax, -64(%rbp)
	movq	-56(%rbp), %rdi
	call	spw_release
	movq	-64(%rbp), %rax
.Lrefused:
	leave
	addq	$8, %rsp		/* the resume address: return to the caller */
	UNWIND_HINT_FUNC
	RET
.Lstay:
	leave
	RET				/* to the resume address, on the same stack */
SYM_FUNC_END(spw_switch)

/*
 * What the ftrace site of point \n calls (direct mode). Stacks are THREAD_SIZE
 * aligned, so the low bits of RSP are the bytes that are left. One comparison
 * tells both that the stack is too full and that it never was as full here.
 */
.macro SPW_ENTRY n
SYM_FUNC_START_LOCAL(spw_direct_\n)
	incq	PER_CPU_VAR(spw_calls + 8 * \n)
	movl	%esp, %r11d
	andl	$(THREAD_SIZE - 1), %r11d
	cmpl	spw_trigger + 4 * \n(%rip), %r11d
	jb	.Ldirect_\n
	RET
.Ldirect_\n:
	movl	$\n, %eax
	jmp	spw_switch
SYM_FUNC_END(spw_direct_\n)

/* Where the ftrace callback of point \n sends the CPU (IPMODIFY mode). */
SYM_CODE_START_LOCAL(spw_redirect_\n)
	UNWIND_HINT_FUNC
	ENDBR
	pushq	%r10
	UNWIND_HINT_FUNC
	movl	$\n, %eax
	jmp	spw_switch
SYM_CODE_END(spw_redirect_\n)
.endm

.macro SPW_FOR_ALL_POINTS do
.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21
	\do	\n
.endr
.irp n, 22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42
	\do	\n
.endr
.irp n, 43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63
	\do	\n
.endr
.endm

	SPW_FOR_ALL_POINTS SPW_ENTRY

#ifdef CONFIG_HARDENED_USERCOPY
/*
 * bool spw_probe_usercopy(object, bytes): calls __check_object_size() with
 * known values in the registers that it has to give back. Are they still there?
 */
SYM_FUNC_START(spw_probe_usercopy)
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$8, %rsp
	movq	%rsp, spw_probe_sp(%rip)
	movq	$SPW_PROBE_VALUE(1), %rbx
	movq	$SPW_PROBE_VALUE(2), %rbp
	movq	$SPW_PROBE_VALUE(3), %r12
	movq	$SPW_PROBE_VALUE(4), %r13
	movq	$SPW_PROBE_VALUE(5), %r14
	movq	$SPW_PROBE_VALUE(6), %r15
	xorl	%edx, %edx
	call	__check_object_size
	xorl	%eax, %eax
	cmpq	$SPW_PROBE_VALUE(1), %rbx
	jne	.Lprobed
	cmpq	$SPW_PROBE_VALUE(2), %rbp
	jne	.Lprobed
	cmpq	$SPW_PROBE_VALUE(3), %r12
	jne	.Lprobed
	cmpq	$SPW_PROBE_VALUE(4), %r13
	jne	.Lprobed
	cmpq	$SPW_PROBE_VALUE(5), %r14
	jne	.Lprobed
	cmpq	$SPW_PROBE_VALUE(6), %r15
	jne	.Lprobed
	incl	%eax
.Lprobed:
	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_FUNC_END(spw_probe_usercopy)

/* Returns for __check_object_size(), from the slot that %r10 points to. */
SYM_CODE_START(spw_return_r10)
	UNWIND_HINT_FUNC
	ENDBR
	movq	%r10, %rsp
	UNWIND_HINT_FUNC
	RET
SYM_CODE_END(spw_return_r10)
#endif

	.section .rodata
	.balign	8
.macro SPW_DIRECT_ENTRY n
	.quad	spw_direct_\n
.endm
.macro SPW_REDIRECT_ENTRY n
	.quad	spw_redirect_\n
.endm
SYM_DATA_START(spw_direct_entries)
	SPW_FOR_ALL_POINTS SPW_DIRECT_ENTRY
SYM_DATA_END(spw_direct_entries)
SYM_DATA_START(spw_redirect_entries)
	SPW_FOR_ALL_POINTS SPW_REDIRECT_ENTRY
SYM_DATA_END(spw_redirect_entries)
