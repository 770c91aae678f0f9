/*
 * stop.h - long work that SIGINT and SIGTERM end in good order.
 */
#ifndef LEARN_STOP_H
#define LEARN_STOP_H

#include <signal.h>

/* From now on the first of these signals sets what is pointed to to its number, at which the
 * work is to end; a second one ends the program. */
const volatile sig_atomic_t *learn_stop_watch(void);

/* The exit status of what was stopped so: 128 and the signal's number. */
int learn_stop_status(void);

#endif
