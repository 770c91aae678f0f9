#include "eval.h"
int learn_eval_mos(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return LEARN_FAILED;
}
