/**
 * A crash that was reported in 2019: figures as crash printed them, the parts in between left out as they were there, with
 * a person's notes around and within.
 */
export const SESSION = `
Last week one of our database machines restarted. kdump had left a vmcore; this is what we saw of it:

crash> sys
      KERNEL: /usr/lib/debug/lib/modules/3.10.0-862.14.2.el7.x86_64/vmlinux
    DUMPFILE: vmcore  [PARTIAL DUMP]
        CPUS: 40
        DATE: Thu Nov  5 15:40:53 2019
      UPTIME: 171 days, 21:25:01
LOAD AVERAGE: 1.45, 1.59, 1.61
       TASKS: 12533
    NODENAME: db1
     RELEASE: 3.10.0-862.14.2.el7.x86_64
     VERSION: #1 SMP Wed Sep 26 15:12:11 UTC 2018
     MACHINE: x86_64  (2197 Mhz)
      MEMORY: 127.9 GB
       PANIC: "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: ffffffff810aa8da"

The function that noticed is hrtimer_nanosleep:

crash> bt
PID: 115885  TASK: ffff8812473bae00  CPU: 18  COMMAND: "App01"
 #0 [ffff8812473e3b68] machine_kexec at ffffffff81051beb
 #1 [ffff8812473e3bc8] crash_kexec at ffffffff810f2782
 #2 [ffff8812473e3c98] panic at ffffffff8162f28e
 #3 [ffff8812473e3d18] __stack_chk_fail at ffffffff8107b00b
 #4 [ffff8812473e3d28] hrtimer_nanosleep at ffffffff810aa8da     <---- look here
 #5 [ffff8812473e3e70] do_futex at ffffffff810e52ae
 #6 [ffff8812473e3f08] sys_futex at ffffffff810e57e0
 #7 [ffff8812473e3f80] system_call_fastpath at ffffffff816461c9
    RIP: 00007fa399c8f6d5  RSP: 00007fa37479f000  RFLAGS: 00010246
    RAX: 00000000000000ca  RBX: ffffffff816461c9  RCX: 0000000000004000
    RBP: 00007fa3747dfc80   R8: 0000000036972d00   R9: 0000000000ad2059
    ORIG_RAX: 00000000000000ca  CS: 0033  SS: 002b
crash> bt -r
......
ffff8812473e3c90:  ffff8812473e3d10 panic+223        
ffff8812473e3ca0:  ffff881200000010 ffff8812473e3d20 
ffff8812473e3cc0:  ffff8812473e3de0 hrtimer_nanosleep+346 
ffff8812473e3d00:  0000000000000000 0000000036972d5c 
ffff8812473e3d10:  ffff8812473e3d20 __stack_chk_fail+27 
ffff8812473e3d20:  ffff8812473e3e68 hrtimer_nanosleep+346  <-- and here
ffff8812473e3d30:  check_preempt_curr+117 0000000000000000 
ffff8812473e3d40:  ffff8812473e3e10 00000000015a40f6 

crash> dis -rl ffffffff810aa8da
/usr/src/debug/kernel-3.10.0-862.14.2.el7/linux-3.10.0-862.14.2.el7.x86_64/kernel/hrtimer.c: 1508
0xffffffff810aa780 <hrtimer_nanosleep>: nopl   0x0(%rax,%rax,1) [FTRACE NOP]
...
0xffffffff810aa79c <hrtimer_nanosleep+28>:      push   %r12
0xffffffff810aa79e <hrtimer_nanosleep+30>:      mov    %edx,%r12d
0xffffffff810aa7a1 <hrtimer_nanosleep+33>:      push   %rbx
0xffffffff810aa7a2 <hrtimer_nanosleep+34>:      sub    $0x70,%rsp
0xffffffff810aa7a6 <hrtimer_nanosleep+38>:      mov    %gs:0x28,%rax              -----
0xffffffff810aa7af <hrtimer_nanosleep+47>:      mov    %rax,-0x28(%rbp)            the prologue keeps the canary here
0xffffffff810aa7b3 <hrtimer_nanosleep+51>:      xor    %eax,%eax                  -----
...
...
/usr/src/debug/kernel-3.10.0-862.14.2.el7/linux-3.10.0-862.14.2.el7.x86_64/kernel/hrtimer.c: 1545
0xffffffff810aa891 <hrtimer_nanosleep+273>:     mov    -0x28(%rbp),%rbx                             ------
0xffffffff810aa895 <hrtimer_nanosleep+277>:     xor    %gs:0x28,%rbx                                and here it is compared
0xffffffff810aa89e <hrtimer_nanosleep+286>:     mov    %rdx,%rax                                     
0xffffffff810aa8a1 <hrtimer_nanosleep+289>:     jne    0xffffffff810aa8d5 <hrtimer_nanosleep+341>   ------
0xffffffff810aa8a3 <hrtimer_nanosleep+291>:     add    $0x70,%rsp
0xffffffff810aa8a7 <hrtimer_nanosleep+295>:     pop    %rbx
0xffffffff810aa8a8 <hrtimer_nanosleep+296>:     pop    %r12
0xffffffff810aa8aa <hrtimer_nanosleep+298>:     pop    %r13
0xffffffff810aa8ac <hrtimer_nanosleep+300>:     pop    %r14
0xffffffff810aa8ae <hrtimer_nanosleep+302>:     pop    %rbp
0xffffffff810aa8af <hrtimer_nanosleep+303>:     retq   
...
0xffffffff810aa8d3 <hrtimer_nanosleep+339>:     jmp    0xffffffff810aa891 <hrtimer_nanosleep+273>
0xffffffff810aa8d5 <hrtimer_nanosleep+341>:     callq  0xffffffff8107aff0 <__stack_chk_fail>
0xffffffff810aa8da <hrtimer_nanosleep+346>:     movabs $0x7fffffffffffffff,%rax

So it overflowed its stack, or so we thought.
`;
