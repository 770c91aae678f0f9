/*
 * shell.S - the page without its data, as one piece of read-only memory.  The build names it:
 * -DREPORT_SHELL_FILE='"build/report/shell.html"'.
 */
        .section .rodata
        .globl  report_shell
        .globl  report_shell_end
        .type   report_shell, %object
report_shell:
        .incbin REPORT_SHELL_FILE
report_shell_end:
        .size   report_shell, report_shell_end - report_shell

        .section .note.GNU-stack, "", %progbits
