// Runs instructions one case after another and says what they did. Cases come by standard input and
// go back by standard output, in batches of records whose layout case-record.ts has.
//
// A signal does the work of loading and saving: its frame holds all registers. A trap starts a batch;
// its handler puts the first case's registers into the frame and returns to that case's code. What
// follows the code is BRK, so the next signal comes from there, or from where the case went wrong:
// the handler saves the frame as the result and puts the next case into it.

        .equ    RECORD, 1088
        .equ    BATCH, 512
        .equ    CODE, 0x280000          // 64 bytes for each case of a batch
        .equ    CODE_SIZE, BATCH * 64
        .equ    WINDOW_PAGE, 0x300000   // the one page of data that cases have
        .equ    WINDOW, WINDOW_PAGE + 0x800

        .equ    R_PSTATE, 256
        .equ    R_FPSR, 264
        .equ    R_FPCR, 268
        .equ    R_SIGNAL, 272
        .equ    R_ADDRESS, 280
        .equ    R_PC, 288
        .equ    R_CODE, 304
        .equ    R_VECTORS, 320
        .equ    R_WINDOW, 832

        // struct ucontext: the machine context is at 176, the floating-point record in it at 464.
        .equ    U_REGISTERS, 184
        .equ    U_PC, 440
        .equ    U_PSTATE, 448
        .equ    U_FPSR, 472
        .equ    U_FPCR, 476
        .equ    U_VECTORS, 480

        .text
        .globl  _start
_start:
        adr     x0, stack_description
        mov     x1, #0
        mov     x8, #132                // sigaltstack
        svc     #0
        mov     x19, #4                 // SIGILL
        bl      handle
        mov     x19, #5                 // SIGTRAP
        bl      handle
        mov     x19, #7                 // SIGBUS
        bl      handle
        mov     x19, #11                // SIGSEGV
        bl      handle
        ldr     x0, =CODE
        ldr     x1, =CODE_SIZE
        mov     x2, #7
        bl      map
        ldr     x0, =WINDOW_PAGE
        mov     x1, #4096
        mov     x2, #3
        bl      map

next_batch:
        ldr     x19, =records
        ldr     x20, =RECORD * BATCH
read_more:
        mov     x0, #0
        mov     x1, x19
        mov     x2, x20
        mov     x8, #63                 // read
        svc     #0
        cmp     x0, #0
        b.le    read_all
        add     x19, x19, x0
        subs    x20, x20, x0
        b.ne    read_more
read_all:
        ldr     x21, =records
        subs    x22, x19, x21           // bytes read
        b.eq    leave
        ldr     x9, =end
        str     x19, [x9]

        ldr     x10, =CODE
        mov     w11, #0xd4200000        // BRK #0
        mov     x12, x21
write_code:
        mov     x13, #0
fill:
        str     w11, [x10, x13]
        add     x13, x13, #4
        cmp     x13, #64
        b.ne    fill
        ldr     q0, [x12, #R_CODE]
        str     q0, [x10, #16]
        add     x10, x10, #64
        add     x12, x12, #RECORD
        cmp     x12, x19
        b.lo    write_code
        ldr     x10, =CODE
        ldr     x11, =CODE_SIZE
        add     x11, x11, x10
synchronise:
        ic      ivau, x10
        add     x10, x10, #64
        cmp     x10, x11
        b.ne    synchronise
        dsb     ish
        isb

        ldr     x9, =current
        str     xzr, [x9]
        mov     x28, sp
        ldr     x9, =main_stack
        str     x28, [x9]
        brk     #0                      // the handler starts the batch
batch_done:
        ldr     x9, =main_stack
        ldr     x9, [x9]
        mov     sp, x9
        ldr     x19, =records
        ldr     x9, =end
        ldr     x20, [x9]
        sub     x20, x20, x19
write_more:
        mov     x0, #1
        mov     x1, x19
        mov     x2, x20
        mov     x8, #64                 // write
        svc     #0
        cmp     x0, #0
        b.le    leave
        add     x19, x19, x0
        subs    x20, x20, x0
        b.ne    write_more
        b       next_batch
leave:
        mov     x0, #0
        mov     x8, #94                 // exit_group
        svc     #0

// x19: a signal's number
handle:
        mov     x0, x19
        adr     x1, action
        mov     x2, #0
        mov     x3, #8
        mov     x8, #134                // rt_sigaction
        svc     #0
        ret

// x0: address, x1: length, x2: protection
map:
        mov     x3, #0x32               // MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS
        mov     x4, #-1
        mov     x5, #0
        mov     x8, #222                // mmap
        svc     #0
        ret

// x0: signal, x1: siginfo, x2: ucontext. Everything may be changed: the frame brings it back.
handler:
        ldr     x20, =current
        ldr     x21, [x20]
        cbz     x21, start_batch

        add     x9, x2, #U_REGISTERS
        mov     x10, x21
        mov     x11, #256
        bl      copy
        ldr     x9, [x2, #U_PSTATE]
        str     x9, [x21, #R_PSTATE]
        ldr     w9, [x2, #U_FPSR]
        str     w9, [x21, #R_FPSR]
        ldr     w9, [x2, #U_FPCR]
        str     w9, [x21, #R_FPCR]
        str     x0, [x21, #R_SIGNAL]
        ldr     x9, [x1, #16]           // si_addr
        str     x9, [x21, #R_ADDRESS]
        ldr     x9, [x2, #U_PC]
        str     x9, [x21, #R_PC]
        add     x9, x2, #U_VECTORS
        add     x10, x21, #R_VECTORS
        mov     x11, #512
        bl      copy
        ldr     x9, =WINDOW
        add     x10, x21, #R_WINDOW
        mov     x11, #256
        bl      copy
        add     x21, x21, #RECORD
        b       load_case
start_batch:
        ldr     x21, =records
load_case:
        str     x21, [x20]
        ldr     x9, =end
        ldr     x9, [x9]
        cmp     x21, x9
        b.eq    end_batch

        mov     x9, x21
        add     x10, x2, #U_REGISTERS
        mov     x11, #256
        bl      copy
        ldr     x9, [x21, #R_PSTATE]
        str     x9, [x2, #U_PSTATE]
        ldr     w9, [x21, #R_FPSR]
        str     w9, [x2, #U_FPSR]
        ldr     w9, [x21, #R_FPCR]
        str     w9, [x2, #U_FPCR]
        ldr     x9, =records
        sub     x9, x21, x9
        mov     x10, #RECORD
        udiv    x9, x9, x10
        ldr     x10, =CODE + 16
        add     x9, x10, x9, lsl #6
        str     x9, [x2, #U_PC]
        add     x9, x21, #R_VECTORS
        add     x10, x2, #U_VECTORS
        mov     x11, #512
        bl      copy
        ldr     x10, =WINDOW_PAGE
        movi    v0.2d, #0
        mov     x11, #4096
clear:
        stp     q0, q0, [x10], #32
        subs    x11, x11, #32
        b.ne    clear
        add     x9, x21, #R_WINDOW
        ldr     x10, =WINDOW
        mov     x11, #256
        bl      copy
        msr     tpidr_el0, xzr
        clrex
        b       sigreturn
end_batch:
        ldr     x9, =batch_done
        str     x9, [x2, #U_PC]
sigreturn:
        mov     sp, x1                  // the frame begins with the siginfo
        mov     x8, #139                // rt_sigreturn
        svc     #0

// x9: from, x10: to, x11: bytes, a multiple of 32
copy:
        ldp     q0, q1, [x9], #32
        stp     q0, q1, [x10], #32
        subs    x11, x11, #32
        b.ne    copy
        ret

        .balign 8
action:
        .quad   handler
        .quad   0x48000004              // SA_SIGINFO, SA_ONSTACK, SA_NODEFER
        .quad   0
        .quad   0
stack_description:
        .quad   signal_stack
        .quad   0
        .quad   65536
        .ltorg

        .bss
        .balign 16
signal_stack:
        .skip   65536
main_stack:
        .skip   8
current:
        .skip   8
end:
        .skip   8
        .balign 16
records:
        .skip   RECORD * BATCH
