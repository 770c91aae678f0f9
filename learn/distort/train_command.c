/*
 * train_command.c - lpips-learn distort train: its options.
 */
#include "options.h"
#include "command.h"
#include "stop.h"
#include "train.h"

#include "compare.h"

#include <stdio.h>

#include <libavutil/cpu.h>

enum { KEY_COUNT = 256, KEY_STEPS, KEY_PATCHES, KEY_SEED };

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "the folder for them; those that it has already are kept", 0},
    {"count", KEY_COUNT, "N", 0, "how many networks; 16 (the paper has 96)", 0},
    {"steps", KEY_STEPS, "N", 0, "of learning, four patches each; 400", 0},
    {"patches", KEY_PATCHES, "N", 0, "of 64x64 pixels to learn from; 1000", 0},
    {"seed", KEY_SEED, "N", 0, "of all that is drawn; 0 where none is given", 0},
    {"jobs", 'j', "N", 0, "work on so many at a time; as many as there are cores", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    distort_train *t = state->input;

    switch (key) {
    case 'o':
        t->out = arg;
        break;
    case KEY_COUNT:
        t->count = learn_whole(state, "--count", arg, 1, 1000);
        break;
    case KEY_STEPS:
        t->steps = learn_whole(state, "--steps", arg, 1, 1000000);
        break;
    case KEY_PATCHES:
        t->patches = learn_whole(state, "--patches", arg, 8, 1000000);
        break;
    case KEY_SEED:
        t->seed = learn_seed(state, arg, UINT64_MAX);
        break;
    case 'j':
        t->workers = learn_whole(state, "--jobs", arg, 1, 1024);
        break;
    case 'q':
        t->quiet = true;
        break;
    case ARGP_KEY_ARG:
        if (t->in)
            argp_error(state, "one folder is wanted, not \"%s\" too", arg);
        t->in = arg;
        break;
    case ARGP_KEY_END:
        if (!t->in)
            argp_error(state, "a folder of pictures or clips is wanted");
        if (!t->out)
            argp_error(state, "--out is missing: the folder for the networks");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const char text[] =
    "Makes CNN-based distortions: small networks that were to restore corrupted pictures."
    "\v"
    "FOLDER is one as for `lpips-learn distort make`: pictures, videos, folders of frames. "
    "Each "
    "network is an encoder and a decoder; drawn at random are how its input is corrupted "
    "(not "
    "at all, pink or white noise, colour removed, reduced), its layers, skip connections, "
    "dropout, upsampling, normalisation, strides and channels, a discriminator or none, the "
    "weights of the losses (pixels, features of VGG, discriminator) and the rate of "
    "learning, "
    "as in the LPIPS paper's table 2. It learns briefly: what it does wrong is the "
    "distortion.\n"
    "\n"
    "    lpips-learn distort train photos --out nets\n"
    "    lpips-learn distort list --networks nets\n"
    "    lpips-learn distort make photos --out trials --networks nets\n"
    "\n"
    "DIR/NNN.safetensors is network NNN of the seed, with all that was drawn; as a "
    "distortion "
    "it is called cnn-NNN, and its strength says how much of the way from the picture to "
    "what "
    "the network makes of it is gone. A run that was stopped or killed goes on with the same "
    "command. The same seed gives the same networks, whatever -j, on processors of one kind: "
    "on others, sums are rounded in another order.";

static const struct argp argp = {options, parse, "FOLDER", text, NULL, NULL, NULL};

int distort_train_command(int argc, char **argv)
{
    distort_train t = {.count = 16, .steps = 400, .patches = 1000, .workers = av_cpu_count()};
    char why[LEARN_WHY];
    int status;

    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&argp, argc, argv, 0, NULL, &t);
    t.stop = learn_stop_watch();
    status = distort_train_run(&t, why);
    if (status < 0)
        return distort_failed(why);
    if (status) {
        fprintf(stderr, "lpips-learn distort: stopped; the same command goes on\n");
        return learn_stop_status();
    }
    if (!t.quiet)
        fprintf(stderr, "%s\n", cli_plain(t.out));
    return LEARN_OK;
}
