/*
 * learn.h - the sub-commands of the program lpips-learn: how the metric is judged and made.
 *
 * Each takes its own argc and argv, argv[0] being what the user typed for it ("lpips-learn
 * eval"), and returns the exit status: 0 all is well, 2 something could not be done.
 */
#ifndef LEARN_H
#define LEARN_H

enum { LEARN_OK = 0, LEARN_FAILED = 2 };

/* eval/command.c: lpips-learn eval ... */
int learn_eval(int argc, char **argv);
/* distort/main.c: lpips-learn distort ... */
int learn_distort(int argc, char **argv);
/* questions/command.c: lpips-learn questions ... */
int learn_questions(int argc, char **argv);
/* optimise/command.c: lpips-learn optimise ... */
int learn_optimise(int argc, char **argv);
/* init/command.c: lpips-learn init ... */
int learn_init(int argc, char **argv);

/* train/command.c: lpips-learn train ... */
int learn_train(int argc, char **argv);

/* Room for a sentence that says what failed and why. */
#define LEARN_WHY 512

/* Writes the sentence and returns -1. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int learn_fail(char why[LEARN_WHY], const char *format, ...);
int learn_no_memory(char why[LEARN_WHY]);

#endif
