/*
 * builtin.S - the default net's weights file inside the library.  The build names it:
 * -DLPIPS_BUILTIN_FILE='"build/weights/lpips-alex-v0.1.safetensors"'.
 */
#ifndef LPIPS_NO_BUILTIN
        .section .rodata
        .balign 64
        .globl  lpips_builtin_alex
        .hidden lpips_builtin_alex
        .type   lpips_builtin_alex, %object
lpips_builtin_alex:
        .incbin LPIPS_BUILTIN_FILE
.Lend:
        .size   lpips_builtin_alex, .Lend - lpips_builtin_alex

        .balign 8
        .globl  lpips_builtin_alex_size
        .hidden lpips_builtin_alex_size
        .type   lpips_builtin_alex_size, %object
lpips_builtin_alex_size:
        .8byte  .Lend - lpips_builtin_alex
        .size   lpips_builtin_alex_size, 8
#endif

        .section .note.GNU-stack, "", %progbits
