/*
 * command.c - lpips report: its own sub-commands.
 */
#include "cli.h"

#include <stdio.h>

int cli_report(int argc, char **argv)
{
    (void)argc;
    fprintf(stderr, "%s: not built yet\n", argv[0]);
    return CLI_FAILED;
}
