/*
 * shell.S - a page without its data, as one piece of read-only memory.  The build names both:
 * -DSHELL=report_shell -DSHELL_END=report_shell_end -DSHELL_FILE='"build/report/shell.html"'.
 */
        .section .rodata
        .globl  SHELL
        .globl  SHELL_END
        .type   SHELL, %object
SHELL:
        .incbin SHELL_FILE
SHELL_END:
        .size   SHELL, SHELL_END - SHELL

        .section .note.GNU-stack, "", %progbits
