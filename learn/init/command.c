/*
 * command.c - lpips-learn init: a file of weights from a folder of pictures.
 */
#include <argp.h>
#include <cblas.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavutil/cpu.h>

#include "../data/checkpoint.h"
#include "../data/scaling.h"
#include "batch.h"
#include "crops.h"
#include "media.h"
#include "options.h"
#include "progress.h"

enum { KEY_CROPS = 256, KEY_SIZE, KEY_SEED, KEY_MEMORY };

static const struct argp_option known[] = {
    {"out", 'o', "FILE", 0, "the weights (safetensors); must be given", 0},
    {"net", 'n', "NAME", 0, "alex (the default), vgg or squeeze", 0},
    {"crops", KEY_CROPS, "N", 0, "pieces of pictures to learn from (160)", 0},
    {"size", KEY_SIZE, "N", 0, "their width and height in pixels (224)", 0},
    {"seed", KEY_SEED, "N", 0, "of all that is drawn (1)", 0},
    {"memory", KEY_MEMORY, "MB", 0, "for the patches of a layer (500)", 0},
    {"threads", 't', "N", 0, "as many as there are cores", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {0}};

static const char text[] =
    "Features without labels: makes a net whose filters are the k-means of its own inputs, "
    "layer after layer, from any FOLDER of pictures."
    "\vThis is the row \"K-means\" of the paper's tables (Zhang et al. 2018): patches are "
    "whitened and clustered, the centres become filters, and each channel is scaled to "
    "deviation 1 and mean 0.1 (Kraehenbuehl et al. 2016). All lin weights are 1, which is "
    "the unweighted distance; `lpips-learn train` learns others.\n"
    "\n"
    "    lpips-learn init photos/ -o kmeans.safetensors\n"
    "    lpips --model kmeans.safetensors a.png b.png\n"
    "    lpips-learn eval bapps/ --judges kmeans.safetensors\n"
    "\n"
    "The paper clusters the inputs of CaffeNet, whose layers 2, 4 and 5 are cut into two "
    "groups and normalised between; here it is the AlexNet of LPIPS, without either.\n"
    "The same pictures and seed give the same file, whatever the threads.";

typedef struct request {
    const char *folder, *out;
    int net, crops, size, memory, threads, quiet;
    uint64_t seed;
} request;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    request *r = state->input;

    switch (key) {
    case 'o':
        r->out = arg;
        break;
    case 'n':
        r->net = lpips_net_from_name(arg);
        if (r->net < 0)
            argp_error(state, "there is no net %s: alex, vgg or squeeze", arg);
        break;
    case KEY_CROPS:
        r->crops = learn_whole(state, "--crops", arg, 1, 100000);
        break;
    case KEY_SIZE:
        r->size = learn_whole(state, "--size", arg, 31, 1024);
        break;
    case KEY_SEED:
        r->seed = learn_seed(state, arg, UINT64_MAX);
        break;
    case KEY_MEMORY:
        r->memory = learn_whole(state, "--memory", arg, 1, 1 << 20);
        break;
    case 't':
        r->threads = learn_whole(state, "--threads", arg, 1, 1024);
        break;
    case 'q':
        r->quiet = 1;
        break;
    case ARGP_KEY_ARG:
        if (r->folder)
            argp_error(state, "one folder, not several: %s", arg);
        r->folder = arg;
        break;
    case ARGP_KEY_END:
        if (!r->folder || !r->out)
            argp_error(state, "%s", r->folder ? "where to? --out FILE" : "which folder?");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int tell(void *opaque, const char *layer, int done, int total)
{
    report_progress *p = opaque;

    if (!done)
        report_progress_begin(p, (size_t)total, p->quiet);
    p->done = (size_t)done;
    report_progress_show(p, 0, layer);
    return 0;
}

/* Everything that is not learned: the official scaling, lin weights of 1. */
static void constants(learn_tensor *tensor, float *const *values, int n)
{
    for (int i = 0; i < n; i++)
        if (!strncmp(tensor[i].name, "lin", 3))
            for (int k = 0; k < tensor[i].shape[1]; k++)
                values[i][k] = 1.f;
        else if (!strcmp(tensor[i].name, "scaling_layer.shift"))
            memcpy(values[i], learn_shift, sizeof learn_shift);
        else if (!strcmp(tensor[i].name, "scaling_layer.scale"))
            memcpy(values[i], learn_scale, sizeof learn_scale);
}

static int write_out(const request *r, const learn_tensor *tensor, int n, char *why)
{
    char metadata[256];
    size_t size;
    unsigned char *file;
    int status;

    snprintf(metadata, sizeof metadata,
             "{\"net\":\"%s\",\"version\":\"0.1\",\"made\":\"stacked k-means of %d crops of "
             "%d pixels, seed %" PRIu64 "\"}",
             lpips_net_name(r->net), r->crops, r->size, r->seed);
    file = learn_checkpoint(tensor, n, metadata, &size);
    status = file ? media_write_file(r->out, file, size, why) : learn_no_memory(why);
    free(file);
    return status;
}

static int make(const request *r, learn_map *maps, const learn_crew *crew, char *why)
{
    const lpips_netdef *net = lpips_netdef_of(r->net);
    lpips_tensor_spec spec[LPIPS_MAX_TENSORS];
    learn_tensor tensor[LPIPS_MAX_TENSORS];
    float *values[LPIPS_MAX_TENSORS];
    report_progress progress = {.quiet = r->quiet};
    learn_init_options o = {net, r->seed, (size_t)r->memory << 20, tell, &progress};
    int n = lpips_net_tensors(net, spec), status = 0;

    for (int i = 0; i < n; i++) {
        tensor[i] = (learn_tensor){.name = spec[i].name, .dims = spec[i].dims};
        memcpy(tensor[i].shape, spec[i].shape, sizeof tensor[i].shape);
        values[i] = calloc(learn_tensor_count(spec[i].shape, spec[i].dims), sizeof(float));
        tensor[i].floats = values[i];
        if (!values[i])
            status = learn_no_memory(why);
    }
    if (!status) {
        constants(tensor, values, n);
        status = learn_init_net(values, maps, r->crops, &o, crew, why);
        report_progress_end(&progress, NULL);
    }
    if (!status)
        status = write_out(r, tensor, n, why);
    for (int i = 0; i < n; i++)
        free(values[i]);
    return status;
}

/* What was made, as the loader that everybody uses sees it. */
static int describe(const request *r, const learn_crops *crops, char *why)
{
    lpips_weights *w;

    if (lpips_weights_load(&w, r->out, why, LEARN_WHY) < 0)
        return -1;
    printf("%s: lpips-%s stacked k-means of %d crops of %d pictures, seed %" PRIu64
           ", weights %.12s\n",
           r->out, lpips_net_name(r->net), r->crops, crops->pictures, r->seed,
           lpips_weights_hash(w));
    lpips_weights_unref(w);
    if (crops->skipped)
        printf("%d files were passed over: no pictures, or smaller than %d pixels\n",
               crops->skipped, crops->least);
    return 0;
}

/* Told before the work, not after it. */
static int check_place(const char *out, char *why)
{
    char *folder = report_folder_of(out);
    int status = folder ? access(folder, W_OK | X_OK) : 0;

    if (status)
        learn_fail(why, "%s: no file can be made there: %s", out, strerror(errno));
    free(folder);
    return status;
}

static int run(const request *r, char *why)
{
    learn_crops crops = {r->folder, r->crops, r->size, lpips_net_min_size(r->net),
                         r->seed,   0,        0};
    learn_map *maps = calloc((size_t)r->crops, sizeof *maps);
    learn_crew crew = {NULL, r->threads};
    int status = -1;

    /* the threads are ours; within a product none are made */
    openblas_set_num_threads(1);
    if (!maps || lpips_pool_create(&crew.pool, crew.workers, NULL, NULL))
        learn_no_memory(why);
    else if (!learn_crops_read(maps, &crops, why) && !make(r, maps, &crew, why))
        status = describe(r, &crops, why);
    lpips_pool_free(crew.pool);
    if (maps)
        learn_crops_free(maps, r->crops);
    free(maps);
    return status;
}

int learn_init(int argc, char **argv)
{
    const struct argp parser = {known, parse, "FOLDER --out FILE", text, NULL, NULL, NULL};
    request r = {.net = LPIPS_NET_ALEX, .crops = 160, .size = 224, .memory = 500, .seed = 1};
    char why[LEARN_WHY];

    r.threads = av_cpu_count();
    argp_parse(&parser, argc, argv, 0, NULL, &r);
    if (!check_place(r.out, why) && !run(&r, why))
        return LEARN_OK;
    fprintf(stderr, "lpips-learn init: %s\n", why);
    return LEARN_FAILED;
}
