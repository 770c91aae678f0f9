/*
 * make_command.c - lpips-learn distort make: its options.
 */
#include "options.h"
#include "command.h"
#include "stop.h"
#include "make.h"

#include "compare.h"

#include <stdlib.h>
#include <string.h>

#include <libavutil/cpu.h>

enum { KEY_TASK = 256, KEY_SUBSET, KEY_PATCHES, KEY_SIZE, KEY_SEED, KEY_JUDGE, KEY_HELD_OUT };

#define SUBSETS "traditional, cnn, mix, superres, deblur and frameinterp"

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "the folder to be made; it must not be there, or be empty", 0},
    {"task", KEY_TASK, "TASK", 0, "2afc (the default): which of two is nearer; jnd: alike?",
     0},
    {"subset", KEY_SUBSET, "NAME", 0,
     "traditional, cnn, mix, superres, deblur or frameinterp; may be given several times; "
     "where none is given traditional, with --networks also cnn and mix",
     0},
    {"patches", KEY_PATCHES, "N", 0, "trials of each source in each subset; 4", 0},
    {"size", KEY_SIZE, "64|256", 0,
     "64: patches as they are; 256: each pixel four times as high and wide, as BAPPS has "
     "them",
     0},
    {"held-out", KEY_HELD_OUT, "PART", 0,
     "which part of the sources, 0..1, gives its trials to val and none to train; 0.2 (2afc)",
     0},
    {"judge", KEY_JUDGE, "NAME", 0,
     "who judges in place of people: " LEARN_JUDGE_NAMES "; without, there are no judgements "
     "(2afc)",
     0},
    {"seed", KEY_SEED, "N", 0, "of all that is drawn; 0 where none is given", 0},
    {"jobs", 'j', "N", 0, "work on so many sources at a time; as many as there are cores", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {0}};

static void pick_subset(struct argp_state *state, distort_plan *p, const char *name)
{
    for (int i = 0; i < DISTORT_SUBSETS; i++)
        if (!strcmp(name, distort_subsets[i])) {
            p->subsets[i] = true;
            return;
        }
    argp_error(state, "--subset: there are " SUBSETS ", no \"%s\"", name);
}

static void finish(struct argp_state *state, distort_make *m)
{
    bool some = false;

    for (int i = 0; i < DISTORT_SUBSETS; i++)
        some |= m->plan.subsets[i];
    for (int i = 0; i < (m->networks ? 3 : 1) && !some; i++)
        m->plan.subsets[i] = true;
    if (!m->in)
        argp_error(state, "a folder of pictures or clips is wanted");
    if (!m->out)
        argp_error(state, "--out is missing: the folder to be made");
    if (m->plan.task == LEARN_JND && m->judge)
        argp_error(state, "--judge says which of two is nearer, not whether they look the "
                          "same: leave it out, or choose --task 2afc");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    distort_make *m = state->input;
    distort_plan *p = &m->plan;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &m->networks;
        break;
    case 'o':
        m->out = arg;
        break;
    case KEY_TASK:
        if (strcmp(arg, "2afc") && strcmp(arg, "jnd"))
            argp_error(state, "--task: there are 2afc and jnd, no \"%s\"", arg);
        p->task = strcmp(arg, "jnd") ? LEARN_2AFC : LEARN_JND;
        break;
    case KEY_SUBSET:
        pick_subset(state, p, arg);
        break;
    case KEY_PATCHES:
        p->patches = learn_whole(state, "--patches", arg, 1, 100000);
        break;
    case KEY_SIZE:
        if (strcmp(arg, "64") && strcmp(arg, "256"))
            argp_error(state, "--size: there are 64 and 256, no \"%s\"", arg);
        p->size = atoi(arg);
        break;
    case KEY_HELD_OUT:
        m->held_out = learn_real(state, "--held-out", arg, 0, 1);
        break;
    case KEY_JUDGE:
        m->judge = arg;
        break;
    case KEY_SEED:
        p->seed = learn_seed(state, arg, UINT64_MAX);
        break;
    case 'j':
        m->workers = learn_whole(state, "--jobs", arg, 1, 1024);
        break;
    case 'q':
        m->quiet = true;
        break;
    case ARGP_KEY_ARG:
        if (m->in)
            argp_error(state, "one folder is wanted, not \"%s\" too", arg);
        m->in = arg;
        break;
    case ARGP_KEY_END:
        finish(state, m);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const char text[] =
    "Makes trials in the layout of BAPPS out of a folder of pictures and clips."
    "\v"
    "Each entry of FOLDER is a source: a picture, a video, or a folder of pictures that are "
    "the frames of a clip in order of their numbers (such as the triplets of Vimeo-90K). "
    "From "
    "each come patches of 64x64 pixels.\n"
    "\n"
    "    lpips-learn distort make photos --out trials --patches 20\n"
    "    lpips-learn distort make clips -o trials --subset superres --subset frameinterp\n"
    "    lpips-learn distort make photos -o trials --judge lpips:alex\n"
    "    lpips-learn distort make photos -o trials --networks nets\n"
    "\n"
    "2afc: DIR/2afc/{train,val}/SUBSET/{ref,p0,p1}/NNNNNN.png, and judge/NNNNNN.npy with "
    "--judge: 1 where p1 is nearer to ref, 0 where p0 is. jnd: "
    "DIR/jnd/val/SUBSET/{p0,p1}/NNNNNN.png; people's `same` has to be added.\n"
    "A source's trials are all in train or all in val, so that what is held out comes from "
    "other pictures.\n"
    "traditional: each side one distortion of the paper's table or two, of strengths drawn "
    "from 0.05 to 1 (jnd: to 0.5). cnn: each side another network. mix: one side "
    "traditional, the other by a network. The others: two algorithms at the same strength. "
    "color of BAPPS is left out: no open filter makes it.\n"
    "manifest.csv says of each trial the source, frame and place of the patch, distortions, "
    "strengths and seeds: what `lpips-learn distort picture` of the patch makes again (frame "
    "interpolation sees 48 pixels more around it). The same seed gives the same bytes, "
    "whatever -j. A run that fails, or is stopped or killed, leaves no DIR.";

static const struct argp_child children[] = {{&distort_networks_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {options, parse, "FOLDER", text, children, NULL, NULL};

int distort_make_command(int argc, char **argv)
{
    distort_make m = {.plan = {.patches = 4, .size = DISTORT_PATCH},
                      .held_out = 0.2,
                      .workers = av_cpu_count()};
    char why[LEARN_WHY];
    int status;

    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&argp, argc, argv, 0, NULL, &m);
    m.stop = learn_stop_watch();
    status = distort_make_run(&m, why);
    if (status < 0)
        return distort_failed(why);
    if (status) {
        fprintf(stderr, "lpips-learn distort: stopped; nothing is left behind\n");
        return learn_stop_status();
    }
    if (!m.quiet)
        fprintf(stderr, "%s\n", cli_plain(m.out));
    return LEARN_OK;
}
