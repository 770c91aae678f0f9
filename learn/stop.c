/*
 * stop.c - see stop.h.
 */
#include "stop.h"

#include <stddef.h>

static volatile sig_atomic_t stopped_by;

static void on_signal(int number)
{
    stopped_by = number;
}

const volatile sig_atomic_t *learn_stop_watch(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &stopped_by;
}

int learn_stop_status(void)
{
    return 128 + (int)stopped_by;
}
