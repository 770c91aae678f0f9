/*
 * cli.h - the sub-commands of the program lpips.
 *
 * Each takes its own argc and argv, argv[0] being what the user typed for it ("lpips",
 * "lpips report"), and returns the exit status: 0 all is well, 1 a gate such as --fail-above
 * was crossed, 2 something could not be done.
 */
#ifndef CLI_H
#define CLI_H

enum { CLI_OK = 0, CLI_GATE = 1, CLI_FAILED = 2 };

/* compare.c: lpips REFERENCE DISTORTED... */
int cli_compare(int argc, char **argv);

/* report/command.c: lpips report ... */
int cli_report(int argc, char **argv);

#endif
