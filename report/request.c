/*
 * request.c - the command line of lpips report and of its sub-commands.
 */
#include "request.h"

#include "cli.h"
#include "compare.h"

#include <lpips.h>

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_LAYOUT = 256,
    KEY_METHOD,
    KEY_BASELINE,
    KEY_FACTOR,
    KEY_NETS,
    KEY_METRICS,
    KEY_TITLE,
    KEY_KIND,
    KEY_SHARD,
    KEY_SHARDS,
    KEY_RETRY
};

static const struct argp_option plan_options[] = {
    {NULL, 0, NULL, 0, "What is scored:", 1},
    {"out", 'o', "DIR", 0, "the folder of the report; made where it is not there", 0},
    {"layout", KEY_LAYOUT, "NAME", 0,
     "no manifest but a data set as it comes: vimeo90k, snu-film, ucf101, xiph or middlebury",
     0},
    {"method", KEY_METHOD, "NAME=ROOT", 0,
     "with --layout: what a method made of it lies below ROOT; may be repeated", 0},
    {"baseline", KEY_BASELINE, "NAME", 0,
     "a method that is made here: blend (mean of the neighbours, rounded half up to whole "
     "codes "
     "of the decoded samples) or repeat (the neighbour before); may be repeated",
     0},
    {"factor", KEY_FACTOR, "K", 0,
     "each K-th frame is an input of the methods; the others are scored (column every)", 0},
    {"nets", KEY_NETS, "LIST", 0, "nets of LPIPS: alex (the default), vgg, squeeze", 0},
    {"metrics", KEY_METRICS, "LIST", 0,
     "beside LPIPS: tlpips, psnr, ssim (all three are the default); \"lpips\" is it alone",
     0},
    {"title", KEY_TITLE, "TEXT", 0, "of the page", 0},
    {"kind", KEY_KIND, "KIND", 0,
     "interpolation or codec; codec is the default where the manifest has a rate or a "
     "quality",
     0},
    {0}};

static const struct argp_option run_options[] = {
    {NULL, 0, NULL, 0, "How it is run:", 2},
    {"jobs", 'j', "N", 0, "items scored at once (as many as there are cores)", 0},
    {"retry", KEY_RETRY, NULL, 0, "score again what failed before", 0},
    {"quiet", 'q', NULL, 0, "no progress, only what went wrong", 0},
    {0}};

static const struct argp_option shard_options[] = {
    {"shard", KEY_SHARD, "I/N", 0, "only part I of N, into a store of its own", 2}, {0}};

static const struct argp_option merge_options[] = {
    {"shards", KEY_SHARDS, "N", 0, "of how many; otherwise seen from the files", 0}, {0}};

static long whole(const struct argp_state *state, const char *text, const char *what,
                  long least, long most)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < least || value > most)
        argp_error(state, "%s: \"%s\" is no whole number from %ld to %ld", what,
                   cli_plain(text), least, most);
    return value;
}

static void shard_of(const struct argp_state *state, report_run_options *o, const char *text)
{
    char copy[64], *slash;

    snprintf(copy, sizeof copy, "%s", text);
    if (!(slash = strchr(copy, '/')))
        argp_error(state, "--shard: \"%s\" is not of the form 3/8, the third of eight",
                   cli_plain(text));
    *slash = 0;
    o->shards = whole(state, slash + 1, "--shard", 1, REPORT_SHARDS_MAX);
    o->shard = whole(state, copy, "--shard", 1, (long)o->shards);
}

static void add_method(const struct argp_state *state, report_request *q, char *text,
                       bool made)
{
    report_method *grown = realloc(q->methods, (q->n_methods + 1) * sizeof *grown);
    char *equals = made ? NULL : strchr(text, '=');

    if (!grown)
        argp_failure(state, CLI_FAILED, 0, "not enough memory");
    q->methods = grown;
    if (!made && (!equals || equals == text || !equals[1]))
        argp_error(state, "--method: \"%s\" is not of the form NAME=FOLDER", cli_plain(text));
    if (made && strcmp(text, "blend") && strcmp(text, "repeat"))
        argp_error(state, "--baseline: there are blend and repeat, no \"%s\"",
                   cli_plain(text));
    if (equals)
        *equals = 0;
    q->methods[q->n_methods++] = (report_method){text, equals ? equals + 1 : NULL};
}

static error_t parse_plan(int key, char *arg, struct argp_state *state)
{
    report_request *q = state->input;
    char why[REPORT_WHY];

    switch (key) {
    case 'o':
        q->out = arg;
        break;
    case KEY_LAYOUT:
        q->layout = arg;
        break;
    case KEY_METHOD:
    case KEY_BASELINE:
        add_method(state, q, arg, key == KEY_BASELINE);
        break;
    case KEY_FACTOR:
        q->every = (int)whole(state, arg, "--factor", 2, 64);
        break;
    case KEY_NETS:
        if (report_settings_nets(&q->settings, arg, why))
            argp_error(state, "--nets: %s", cli_plain(why));
        break;
    case KEY_METRICS:
        if (report_settings_metrics(&q->settings, arg, why))
            argp_error(state, "--metrics: %s", cli_plain(why));
        break;
    case KEY_TITLE:
        q->title = arg;
        break;
    case KEY_KIND:
        if (strcmp(arg, "codec") && strcmp(arg, "interpolation"))
            argp_error(state, "--kind: there are interpolation and codec, no \"%s\"",
                       cli_plain(arg));
        q->kind = arg;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static error_t parse_run(int key, char *arg, struct argp_state *state)
{
    report_request *q = state->input;

    switch (key) {
    case 'j':
        q->run.workers = (int)whole(state, arg, "--jobs", 1, 1024);
        break;
    case 'q':
        q->run.quiet = true;
        break;
    case KEY_RETRY:
        q->run.retry = true;
        break;
    case KEY_SHARD:
        shard_of(state, &q->run, arg);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp plan_argp = {plan_options, parse_plan, NULL, NULL, NULL, NULL, NULL};
static const struct argp run_argp = {run_options, parse_run, NULL, NULL, NULL, NULL, NULL};
static const struct argp shard_argp = {shard_options, parse_run, NULL, NULL,
                                       NULL,          NULL,      NULL};
static const struct argp_child all_children[] = {{&plan_argp, 0, NULL, 0},
                                                 {&run_argp, 0, NULL, 0},
                                                 {0}};
static const struct argp_child plan_children[] = {{&plan_argp, 0, NULL, 0}, {0}};
static const struct argp_child run_children[] = {{&run_argp, 0, NULL, 0},
                                                 {&shard_argp, 0, NULL, 0},
                                                 {0}};

static error_t parse(int key, char *arg, struct argp_state *state);

static const char all_text[] =
    "Scores many clips by many methods or encodes, and writes a report: a page, CSV, JSON, "
    "Markdown and LaTeX tables."
    "\v"
    "A manifest is CSV with a line of column names, or JSON with the same names:\n"
    "\n"
    "    method,clip,reference,output\n"
    "    RIFE,Tango,ref/Tango.y4m,rife/Tango.mp4\n"
    "    \"my method, v2\",Tango,ref/Tango.y4m,mine/Tango.mp4\n"
    "\n"
    "Columns: method, clip, reference, output; may be left out: subset (\"easy\"), rate "
    "(kbit/s), "
    "quality (a label, such as the CRF), every (with K only frames that are no multiple of K "
    "are "
    "scored), first and last (the neighbours of a triplet's middle picture). Paths are seen "
    "from "
    "the manifest; each is a video, a picture or a folder of numbered pictures.\n"
    "\n"
    "Frame interpolation, all but every second frame, two baselines made here:\n"
    "    lpips report clips.csv --factor 2 --baseline blend --baseline repeat -o out\n"
    "    lpips report --layout snu-film SNU-FILM --method RIFE=out/rife -o report\n"
    "Encodes at several rates (the rate is measured where none is given):\n"
    "    lpips report encodes.csv --nets alex,vgg -o report\n"
    "Stop it, kill it: the same command goes on where it was. On many machines:\n"
    "    lpips report plan clips.csv -o DIR\n"
    "    lpips report run --shard 1/8 DIR      (and 2/8 ... 8/8, anywhere, in any order)\n"
    "    lpips report merge DIR && lpips report write DIR\n"
    "\n"
    "Each of plan, run, merge and write has a --help of its own; lpips-report(1) has recipes "
    "for "
    "Slurm and GNU parallel. FloLPIPS is left out: it needs a network for optical flow.";

static const char plan_text[] =
    "Writes the list of what is to be scored to DIR/report.sqlite, and scores nothing."
    "\v"
    "    lpips report plan clips.csv --factor 2 --out DIR\n"
    "Options are those of `lpips report`. A mistake in the manifest plans nothing.";

static const char run_text[] =
    "Scores what the report in DIR still lacks."
    "\v"
    "    lpips report run DIR                  all of it\n"
    "    lpips report run --shard 3/8 -j1 DIR  the third of eight parts, on one core\n"
    "Parts may run at the same time, on any machine that sees DIR and the clips under the "
    "same "
    "names. Starting one again is harmless: what was scored is not scored again.";

static const char merge_text[] =
    "Puts the shards of DIR together, once all are complete."
    "\v"
    "    lpips report merge DIR && lpips report write DIR\n"
    "May be repeated. Shards that lack are named. DIR/shards can be removed afterwards.";

static const char write_text[] = "Writes the page and the tables of DIR from its store again."
                                 "\v"
                                 "    lpips report write DIR";

static const struct argp commands[] = {
    [REPORT_ALL] = {NULL, parse, "MANIFEST\n--layout=NAME REFROOT", all_text, all_children,
                    NULL, NULL},
    [REPORT_PLAN] = {NULL, parse, "MANIFEST\n--layout=NAME REFROOT", plan_text, plan_children,
                     NULL, NULL},
    [REPORT_RUN_ONLY] = {NULL, parse, "DIR", run_text, run_children, NULL, NULL},
    [REPORT_MERGE] = {merge_options, parse, "DIR", merge_text, NULL, NULL, NULL},
    [REPORT_WRITE] = {NULL, parse, "DIR", write_text, NULL, NULL, NULL}};

static bool plans(const report_request *q)
{
    return q->command == REPORT_ALL || q->command == REPORT_PLAN;
}

static void check(const struct argp_state *state, const report_request *q)
{
    if (plans(q) && !q->source)
        argp_error(state, "a manifest is missing, or with --layout the root of a data set");
    if (plans(q) && !q->out)
        argp_error(state, "--out DIR is missing: where the report goes");
    if (!plans(q) && !q->out)
        argp_error(state, "the folder of a report is missing");
    for (size_t i = 0; i < q->n_methods && !q->layout; i++)
        if (q->methods[i].root)
            argp_error(state,
                       "--method goes with --layout; a manifest names its methods itself");
    if (q->layout && !q->n_methods)
        argp_error(state, "--layout needs a --method NAME=ROOT or a --baseline");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    report_request *q = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0;
             commands[q->command].children && commands[q->command].children[i].argp; i++)
            state->child_inputs[i] = q;
        break;
    case ARGP_KEY_ARG:
        if (plans(q) ? q->source != NULL : q->out != NULL)
            argp_error(state, "one argument too many: \"%s\"", cli_plain(arg));
        *(plans(q) ? &q->source : &q->out) = arg;
        break;
    case KEY_SHARDS:
        q->run.shards = whole(state, arg, "--shards", 1, REPORT_SHARDS_MAX);
        break;
    case ARGP_KEY_END:
        check(state, q);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

void report_request_parse(report_request *q, int argc, char **argv)
{
    static const char *const names[] = {[REPORT_PLAN] = "plan",
                                        [REPORT_RUN_ONLY] = "run",
                                        [REPORT_MERGE] = "merge",
                                        [REPORT_WRITE] = "write"};
    static char name[32];

    *q = (report_request){.settings = {.nets = {LPIPS_NET_ALEX},
                                       .n_nets = 1,
                                       .psnr = true,
                                       .ssim = true,
                                       .tlpips = true},
                          .run = {.shard = 1}};
    argp_err_exit_status = CLI_FAILED;
    for (int i = REPORT_PLAN; argc > 1 && i <= REPORT_WRITE; i++)
        if (!strcmp(argv[1], names[i])) {
            snprintf(name, sizeof name, "lpips report %s", names[i]);
            q->command = (report_command)i;
            argc--;
            argv++;
            argv[0] = name;
            break;
        }
    argp_parse(&commands[q->command], argc, argv, 0, NULL, q);
}

void report_request_free(report_request *q)
{
    free(q->methods);
}
