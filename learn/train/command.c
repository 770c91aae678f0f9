/*
 * command.c - `lpips-learn train FOLDER... --out DIR`.
 */
#include "train.h"

#include "compare.h"
#include "distort/command.h"
#include "eval/eval.h"
#include "stop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/cpu.h>

enum {
    KEY_MODE = 256,
    KEY_NET,
    KEY_FROM,
    KEY_KEEP_LIN,
    KEY_HELD_OUT,
    KEY_RESUME,
    KEY_BATCH,
    KEY_EPOCHS,
    KEY_DECAY,
    KEY_RATE,
    KEY_NO_DROPOUT,
    KEY_SEED,
    KEY_SIZE,
    KEY_EVERY
};

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "where weights, state and curves go; needed", 0},
    {"mode", KEY_MODE, "MODE", 0,
     "lin (the default): the weights of the channels, the net stays; tune: all weights, from "
     "trained ones; scratch: all, from random ones",
     0},
    {"net", KEY_NET, "NET", 0, "alex (the default), vgg or squeeze", 0},
    {"from", KEY_FROM, "FILE", 0,
     "weights to begin with; else the released ones of the net, version 0.1, or random ones "
     "with --mode scratch",
     0},
    {"keep-lin", KEY_KEEP_LIN, NULL, 0,
     "begin with their lin weights too; else all of them begin equal", 0},
    {"held-out", KEY_HELD_OUT, "DIR", 0,
     "trials that are only measured on, at the start and after each epoch; may be given "
     "several times",
     0},
    {"resume", KEY_RESUME, NULL, 0, "go on with the training in DIR, same options as before",
     0},
    {"epochs", KEY_EPOCHS, "N", 0, "times through the trials at the full rate; 5", 1},
    {"decay", KEY_DECAY, "N", 0, "times after that, the rate falling to 0; 5", 1},
    {"rate", KEY_RATE, "X", 0, "of learning; 0.0001", 1},
    {"batch", KEY_BATCH, "N", 0, "trials a step; 50", 1},
    {"no-dropout", KEY_NO_DROPOUT, NULL, 0,
     "lin layers see all of their inputs, not a half drawn anew each time", 1},
    {"size", KEY_SIZE, "N", 0, "pixels a side that patches are brought to; 64", 1},
    {"seed", KEY_SEED, "N", 0, "of all that is drawn; 0", 1},
    {"every", KEY_EVERY, "N", 0, "steps from checkpoint to checkpoint; 500", 1},
    {"threads", 'j', "N", 0, "as many as there are cores; changes no result", 2},
    {"quiet", 'q', NULL, 0, "say nothing", 2},
    {0}};

static const char text[] =
    "Trains the metric on judged trials in the layout of BAPPS."
    "\v"
    "    lpips-learn train bapps/2afc --held-out bapps/2afc/val -o mine\n"
    "    lpips-learn train bapps/2afc --mode scratch --net alex -o scratch\n"
    "    lpips a.png b.png --model mine/weights.safetensors\n"
    "\n"
    "2AFC trials in and below each FOLDER are taken, but of folders called val. Of each a "
    "small network guesses from the two distances which side people preferred; Adam lowers "
    "the cross-entropy, and lin weights below 0 become 0. The figures set are the paper's.\n"
    "\n"
    "DIR/weights.safetensors is read by everything that reads weights. DIR/state.safetensors "
    "is for --resume. DIR/curves.svg and DIR/log.csv show loss and agreement: the part of "
    "the "
    "judgements that the metric agrees with. They are written after each epoch, every "
    "--every steps, and on Ctrl-C. A run that was stopped or killed and is resumed gives the "
    "bytes of one that was not; so do other numbers of threads.\n"
    "\n"
    "Exit status: 0 trained to the end, 2 something could not be done, 128 and the signal's "
    "number where it was stopped.";

static train_mode mode_of(struct argp_state *state, const char *arg)
{
    for (int i = TRAIN_LIN; i <= TRAIN_SCRATCH; i++)
        if (!strcmp(arg, train_mode_name((train_mode)i)))
            return (train_mode)i;
    argp_error(state, "--mode: there are lin, tune and scratch, no \"%s\"", arg);
    return TRAIN_LIN;
}

static void hold_out(struct argp_state *state, train_options *o, char *folder)
{
    char **more = realloc(o->held_out, (o->n_held_out + 1) * sizeof *more);

    if (!more)
        argp_failure(state, LEARN_FAILED, ENOMEM, "--held-out");
    o->held_out = more;
    o->held_out[o->n_held_out++] = folder;
}

static error_t parse_numbers(int key, char *arg, struct argp_state *state)
{
    train_options *o = state->input;

    switch (key) {
    case KEY_EPOCHS:
        o->epochs = learn_whole(state, "--epochs", arg, 1, 10000);
        return 0;
    case KEY_DECAY:
        o->decay = learn_whole(state, "--decay", arg, 0, 10000);
        return 0;
    case KEY_BATCH:
        o->batch = learn_whole(state, "--batch", arg, 1, 100000);
        return 0;
    case KEY_SIZE:
        o->size = learn_whole(state, "--size", arg, 1, 1024);
        return 0;
    case KEY_EVERY:
        o->every = learn_whole(state, "--every", arg, 1, 1 << 30);
        return 0;
    case 'j':
        o->threads = learn_whole(state, "--threads", arg, 1, 1024);
        return 0;
    case KEY_RATE:
        o->rate = learn_rate(state, arg);
        return 0;
    case KEY_SEED:
        o->seed = learn_seed(state, arg, UINT64_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void finish(struct argp_state *state, const train_options *o)
{
    const int least = lpips_net_min_size((lpips_net)o->net);

    if (!o->n_folders)
        argp_error(state, "a FOLDER of judged trials is needed");
    if (!o->out)
        argp_error(state, "--out is missing: the folder for weights and state");
    if (o->size < least)
        argp_error(state, "--size: %s needs %d pixels a side at least",
                   lpips_net_name((lpips_net)o->net), least);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    train_options *o = state->input;

    switch (key) {
    case 'o':
        o->out = arg;
        return 0;
    case KEY_MODE:
        o->mode = mode_of(state, arg);
        return 0;
    case KEY_NET:
        o->net = lpips_net_from_name(arg);
        if (o->net < 0)
            argp_error(state, "--net: there are alex, vgg and squeeze, no \"%s\"", arg);
        return 0;
    case KEY_FROM:
        o->from = arg;
        return 0;
    case KEY_KEEP_LIN:
        o->keep_lin = true;
        return 0;
    case KEY_HELD_OUT:
        hold_out(state, o, arg);
        return 0;
    case KEY_RESUME:
        o->resume = true;
        return 0;
    case KEY_NO_DROPOUT:
        o->dropout = false;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case ARGP_KEY_ARGS:
        o->folders = state->argv + state->next;
        o->n_folders = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        finish(state, o);
        return 0;
    default:
        return parse_numbers(key, arg, state);
    }
}

static const struct argp argp = {options, parse, "FOLDER...", text, NULL, NULL, NULL};

int learn_train(int argc, char **argv)
{
    train_options o = {.batch = 50,
                       .epochs = 5,
                       .decay = 5,
                       .rate = 1e-4,
                       .dropout = true,
                       .size = 64,
                       .every = 500,
                       .threads = av_cpu_count()};
    char why[LEARN_WHY];
    int status;

    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    o.stop = learn_stop_watch();
    status = train(&o, why);
    free(o.held_out);
    if (status < 0) {
        fprintf(stderr, "lpips-learn train: %s\n", cli_plain(why));
        return LEARN_FAILED;
    }
    if (status) {
        fprintf(stderr, "lpips-learn train: stopped; the same command with --resume goes on "
                        "from here\n");
        return learn_stop_status();
    }
    return LEARN_OK;
}
