/*
 * options.c - the command line of `lpips REFERENCE DISTORTED...`.
 */
#include "compare.h"

#include "cli.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/cpu.h>
#include <libswscale/swscale.h>
#include <jansson.h>
#include <png.h>

enum {
    KEY_NET_VERSION = 256,
    KEY_MODEL,
    KEY_NO_LIN,
    KEY_RANGE,
    KEY_TAGS,
    KEY_JSON,
    KEY_CSV,
    KEY_COLORS,
    KEY_SCALE_MAX,
    KEY_STRICT
};

static const struct argp_option known[] = {
    {NULL, 0, NULL, 0, "The metric:", 1},
    {"net", 'n', "NAME", 0, "alex (the default), vgg or squeeze", 0},
    {"net-version", KEY_NET_VERSION, "V", 0, "version of the metric: 0.1 or 0.0", 0},
    {"model", KEY_MODEL, "FILE", 0, "a safetensors file of weights, in place of --net", 0},
    {"no-lin", KEY_NO_LIN, NULL, 0, "without the learned weights of channels", 0},
    {"range-0-1", KEY_RANGE, NULL, 0,
     "pictures go in as 0..1, as in papers on splatting and NeRF; not comparable with the "
     "default",
     0},
    {"tags", KEY_TAGS, "WHOSE", 0,
     "own, reference or distorted (also: main): by whose colour tags both are read", 0},
    {NULL, 0, NULL, 0, "Output:", 2},
    {"layers", 'l', NULL, 0, "the terms of the net's layers too, after the distance", 0},
    {"map", 'm', "FILE", 0,
     "a heatmap as a PNG; of several pictures a folder of maps, by their names", 0},
    {"colors", KEY_COLORS, "NAME", 0, "of the map: viridis, magma, inferno, cividis, gray",
     0},
    {"scale-max", KEY_SCALE_MAX, "X", 0, "the distance of the last colour (0.5)", 0},
    {"json", KEY_JSON, "FILE", 0, "everything as JSON; - is standard output", 0},
    {"csv", KEY_CSV, "FILE", 0, "a row for every picture and frame, as they come", 0},
    {"quiet", 'q', NULL, 0, "neither lines that begin with #, nor warnings, nor progress", 0},
    {"verbose", 'v', NULL, 0, "also what libav* has to say, and how long it took", 0},
    {NULL, 0, NULL, 0, "Judging:", 3},
    {"fail-above", 'f', "X", 0,
     "exit status 1 where a distance, or what --pool says, is above X", 0},
    {"pool", 'p', "NAME", 0,
     "what stands for the frames of a video, and for the pictures of a folder, in the output "
     "and for --fail-above: mean, harmonic_mean, median, deviation, min, max, p1, p5, p10, "
     "p25, p75, p90, p95 or p99",
     0},
    {"strict", KEY_STRICT, NULL, 0, "a frame or a name without a partner is an error", 0},
    {NULL, 0, NULL, 0, "Work:", 4},
    {"recursive", 'r', NULL, 0, "folders within folders too", 0},
    {"threads", 't', "N", 0, "that compare (as many as there are cores)", 0},
    {"jobs", 'j', "N", 0, "pictures of folders that are read at once", 0},
    {0}};

static const char text[] =
    "The perceptual distance LPIPS between pictures or videos: 0 is equal, more is worse."
    "\vThe REFERENCE (the original) comes first, then what was made of it. The distance "
    "itself is the same either way; but what a file does not say of its colours is taken "
    "from "
    "the other, and a reference beside several DISTORTED is computed once. (FFmpeg's filter "
    "has them the other way around.)\n"
    "\n"
    "    lpips original.png encoded.png\n"
    "    lpips original.png q10.jpg q50.jpg q90.jpg       one reference for three\n"
    "    lpips frames/ methodA/ methodB/                  pairs by name\n"
    "    lpips source.mp4 encoded.mp4 --csv frames.csv    frame by frame\n"
    "    lpips source.mp4 encoded.mp4 -p p95 -f 0.1 && echo good\n"
    "    lpips -q originals/ encodes/ | sort -n | tail    the worst ones\n"
    "\n"
    "A line holds the distance, the distorted and the reference, with tabs between; lines "
    "that begin with # say what stands behind the numbers and pool them. Names pair with "
    "themselves, or else with those that differ in the extension only. Frames pair by "
    "their place in the order of display, not by time.\n"
    "\n"
    "Numbers compare only with numbers of the same net, version, picture size and range.\n"
    "\n"
    "Exit status: 0 all is well, 1 --fail-above was crossed, 2 something could not be "
    "compared (the rest was), 130 interrupted.\n"
    "\n"
    "`lpips report --help`: many clips by many methods or encodes.";

/* ---- values ------------------------------------------------------------------- */

static double number(struct argp_state *state, const char *option, const char *arg,
                     double least)
{
    char *end;
    const double x = strtod(arg, &end);

    if (!*arg || *end || !isfinite(x) || x < least)
        argp_error(state, "%s: %s is not a number from %g up", option, cli_plain(arg), least);
    return x;
}

static int count(struct argp_state *state, const char *option, const char *arg)
{
    char *end;
    const long n = strtol(arg, &end, 10);

    if (!*arg || *end || n < 1 || n > 1024)
        argp_error(state, "%s: %s is not a number from 1 to 1024", option, cli_plain(arg));
    return (int)n;
}

static int pool_of(struct argp_state *state, const char *name)
{
    for (int i = 0; lpips_stats_name(i); i++)
        if (!strcmp(lpips_stats_name(i), name))
            return i;
    argp_error(state, "--pool: %s is no statistic; --help names them", cli_plain(name));
    return 0;
}

static enum LPIPSTags tags_of(struct argp_state *state, const char *name)
{
    if (!strcmp(name, "own"))
        return LPIPS_TAGS_OWN;
    if (!strcmp(name, "reference"))
        return LPIPS_TAGS_REFERENCE;
    if (strcmp(name, "distorted") && strcmp(name, "main"))
        argp_error(state, "--tags: %s is none of own, reference, distorted", cli_plain(name));
    return LPIPS_TAGS_MAIN;
}

static int named(struct argp_state *state, const char *option, const char *arg, int found)
{
    if (found < 0)
        argp_error(state, "%s: %s is not known; --help names what is", option,
                   cli_plain(arg));
    return found;
}

/* ---- the whole ---------------------------------------------------------------- */

static void check(struct argp_state *state, cli_options *o)
{
    if (o->sets < 1) {
        argp_error(state, "a REFERENCE and one DISTORTED at least are needed");
        return;
    }
    if (o->json && o->csv && !strcmp(o->json, "-") && !strcmp(o->csv, "-"))
        argp_error(state, "--json and --csv cannot both go to standard output");
}

static error_t metric(int key, char *arg, struct argp_state *state)
{
    cli_options *o = state->input;

    switch (key) {
    case 'n':
        o->score.net = named(state, "--net", arg, lpips_net_from_name(arg));
        o->net_named = true;
        return 0;
    case KEY_NET_VERSION:
        o->score.version = arg;
        return 0;
    case KEY_MODEL:
        o->score.model = arg;
        return 0;
    case KEY_NO_LIN:
        o->score.flags |= LPIPS_NO_LIN;
        return 0;
    case KEY_RANGE:
        o->score.flags |= LPIPS_RANGE_0_1;
        return 0;
    case KEY_TAGS:
        o->score.tags = tags_of(state, arg);
        return 0;
    case 't':
        o->score.threads = count(state, "--threads", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t judging(int key, char *arg, struct argp_state *state)
{
    cli_options *o = state->input;

    switch (key) {
    case 'f':
        o->fail_above = number(state, "--fail-above", arg, 0);
        o->gated = true;
        return 0;
    case 'p':
        o->pool = pool_of(state, arg);
        return 0;
    case KEY_STRICT:
        o->strict = true;
        return 0;
    case 'j':
        o->jobs = count(state, "--jobs", arg);
        return 0;
    case 'r':
        o->recursive = true;
        return 0;
    default:
        return metric(key, arg, state);
    }
}

static error_t output(int key, char *arg, struct argp_state *state)
{
    cli_options *o = state->input;

    switch (key) {
    case 'l':
        o->layers = true;
        return 0;
    case 'm':
        o->map = arg;
        o->score.flags |= LPIPS_WANT_MAP;
        return 0;
    case KEY_COLORS:
        o->colors =
            (lpips_colormap)named(state, "--colors", arg, lpips_colormap_from_name(arg));
        return 0;
    case KEY_SCALE_MAX:
        o->scale_max = (float)number(state, "--scale-max", arg, 1e-6);
        return 0;
    case KEY_JSON:
        o->json = arg;
        return 0;
    case KEY_CSV:
        o->csv = arg;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case 'v':
        o->verbose = true;
        return 0;
    default:
        return judging(key, arg, state);
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    cli_options *o = state->input;

    switch (key) {
    case ARGP_KEY_ARGS:
        o->reference = state->argv[state->next];
        o->distorted = state->argv + state->next + 1;
        o->sets = state->argc - state->next - 1;
        return 0;
    case ARGP_KEY_END:
        check(state, o);
        return 0;
    default:
        return output(key, arg, state);
    }
}

static void say_version(FILE *f, struct argp_state *state)
{
    char described[64];

    (void)state;
    lpips_describe(NULL, described, sizeof described);
    fprintf(f, "%s\nlibavformat %s, libavcodec %s, libswscale %s\nlibpng %s, jansson %s\n",
            described, AV_STRINGIFY(LIBAVFORMAT_VERSION), AV_STRINGIFY(LIBAVCODEC_VERSION),
            AV_STRINGIFY(LIBSWSCALE_VERSION), png_get_libpng_ver(NULL), JANSSON_VERSION);
}

void cli_options_parse(cli_options *o, int argc, char **argv)
{
    static const struct argp argp = {known, parse, "REFERENCE DISTORTED...", text, NULL,
                                     NULL,  NULL};

    *o = (cli_options){.scale_max = 0.5F, .jobs = av_cpu_count()};
    argp_program_version_hook = say_version;
    argp_err_exit_status = CLI_FAILED;
    argp_parse(&argp, argc, argv, 0, NULL, o);
}
