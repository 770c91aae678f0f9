/*
 * command.c - `lpips-learn optimise START TARGET --out DIR`.
 */
#include "options.h"
#include "optimise.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/cpu.h>
#include <libavutil/log.h>

enum { KEY_NET_VERSION = 256, KEY_MODEL, KEY_NO_LIN, KEY_RANGE, FRAMES = 10, STEPS = 300 };

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "where frames, log.csv and run.json go; made, or empty", 0},
    {"steps", 's', "N", 0, "how many (300)", 0},
    {"rate", 'r', "R", 0, "Adam's: about how far a sample of 0..1 moves in a step (0.01)", 0},
    {"every", 'e', "K", 0, "steps from one frame to the next (a tenth of them)", 0},
    {"net", 'n', "NAME", 0, "alex (the default), vgg or squeeze", 0},
    {"net-version", KEY_NET_VERSION, "V", 0, "version of the metric: 0.1 or 0.0", 0},
    {"model", KEY_MODEL, "FILE", 0, "a safetensors file of weights, in place of --net", 0},
    {"no-lin", KEY_NO_LIN, NULL, 0, "without the learned weights of channels", 0},
    {"range-0-1", KEY_RANGE, NULL, 0,
     "pictures as 0..1 where -1..1 is meant, as some papers do", 0},
    {"threads", 't', "N", 0, "that compute (as many as there are cores)", 0},
    {"quiet", 'q', NULL, 0, "neither progress nor the line at the end", 0},
    {0}};

static const char text[] =
    "Turns one picture into another by the gradient of their distance, and writes the "
    "frames: "
    "what the metric sees, and what it does not."
    "\vSTART and TARGET are pictures of one size (of videos, the first frame).\n"
    "\n"
    "    lpips-learn optimise noise.png photo.png --out walk\n"
    "    lpips-learn optimise noise.png photo.png -o walk --net vgg --steps 1000 --every 20\n"
    "    ffmpeg -pattern_type glob -i 'walk/frame-*.png' walk.mp4\n"
    "\n"
    "Each step is one of Adam's on all samples, which are then clipped to 0..1. DIR holds "
    "frame-000000.png, which is START, a frame every K steps and the last, final.png, "
    "log.csv "
    "with the distance before each step and after the last, and run.json. The same pictures "
    "and options give the same files, whatever the number of threads.\n"
    "\n"
    "All features of both pictures are kept: of a pixel alex takes 170 bytes, squeeze 560, "
    "vgg 3000.\n"
    "\n"
    "Exit status: 0 all is well, 2 something could not be done.";

static error_t parse_metric(int key, char *arg, struct argp_state *state,
                            learn_optimise_options *o)
{
    int net;

    switch (key) {
    case 'n':
        if ((net = lpips_net_from_name(arg)) < 0)
            argp_error(state, "--net: there is no \"%s\"; alex, vgg and squeeze are known",
                       arg);
        o->net = (lpips_net)net;
        return 0;
    case KEY_NET_VERSION:
        o->version = arg;
        return 0;
    case KEY_MODEL:
        o->model = arg;
        return 0;
    case KEY_NO_LIN:
        o->flags |= LPIPS_NO_LIN;
        return 0;
    case KEY_RANGE:
        o->flags |= LPIPS_RANGE_0_1;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    learn_optimise_options *o = state->input;

    switch (key) {
    case 'o':
        o->folder = arg;
        return 0;
    case 's':
        o->steps = learn_whole(state, "--steps", arg, 0, 1000000);
        return 0;
    case 'r':
        o->rate = learn_rate(state, arg);
        return 0;
    case 'e':
        o->every = learn_whole(state, "--every", arg, 1, 1000000);
        return 0;
    case 't':
        o->threads = learn_whole(state, "--threads", arg, 1, 1024);
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1)
            argp_error(state, "one START and one TARGET, not \"%s\" too", arg);
        *(state->arg_num ? &o->target : &o->start) = arg;
        return 0;
    case ARGP_KEY_END:
        if (state->arg_num < 2 || !o->folder)
            argp_error(state, "a START, a TARGET and --out DIR are needed");
        return 0;
    default:
        return parse_metric(key, arg, state, o);
    }
}

int learn_optimise(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "START TARGET", text, NULL, NULL, NULL};
    learn_optimise_options o = {.net = LPIPS_NET_ALEX,
                                .steps = STEPS,
                                .rate = .01,
                                .threads = av_cpu_count()};
    char why[LEARN_WHY] = "";

    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    av_log_set_level(AV_LOG_FATAL);
    if (!o.every)
        o.every = o.steps > FRAMES ? o.steps / FRAMES : 1;
    if (!learn_optimise_do(&o, why))
        return LEARN_OK;
    fprintf(stderr, "lpips-learn optimise: %s\n", why);
    return LEARN_FAILED;
}
