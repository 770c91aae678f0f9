/*
 * main.c - the program lpips: which sub-command is meant.
 */
#include "cli.h"

#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "report")) {
        argv[1] = "lpips report";
        return cli_report(argc - 1, argv + 1);
    }
    return cli_compare(argc, argv);
}
