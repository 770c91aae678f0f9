/*
 * compare.c - lpips REFERENCE DISTORTED...: pictures, folders and videos side by side.
 */
#include "cli.h"

#include <stdio.h>

int cli_compare(int argc, char **argv)
{
    (void)argc;
    fprintf(stderr, "%s: not built yet\n", argv[0]);
    return CLI_FAILED;
}
