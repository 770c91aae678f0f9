/*
 * bench.c - how fast is a comparison on this machine?
 *
 * Compares pairs of two different made-up pictures again and again, with real weights where
 * they are found.  Everything a caller pays for each time is inside the measurement, the
 * conversion of the pictures included; only the context is made beforehand.  The last number
 * of the last line is the median time of one pair in milliseconds.  With --gradient it is
 * that of the distance and its derivatives by one of the pictures.
 */
#include "../core/lpips.h"
#include "../core/net.h"

#include <cblas.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

typedef struct settings {
    const char *weights;
    lpips_net net;
    int width, height, batch, threads, runs, gradient;
    unsigned cpu_disable;
} settings;

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Waves with some noise; `which` tells the pictures apart. */
static void draw(uint8_t *p, int width, int height, unsigned which)
{
    unsigned seed = 12345 + which;

    for (int y = 0; y < height; y++)
        for (int x = 0; x < 3 * width; x++) {
            seed = seed * 1664525u + 1013904223u;
            *p++ = (uint8_t)((x * 7 + y * (3 + which % 5)) / 5 % 224 + (seed >> 27));
        }
}

/* Multiplications and additions of one pair computed directly, convolutions only. */
static double flop_per_pair(const settings *s)
{
    const lpips_netdef *net = lpips_netdef_of(s->net);
    int h = s->height, w = s->width;
    double sum = 0;

    for (int i = 0; i < net->steps; i++) {
        const lpips_step *t = &net->step[i];
        double pixels, taps = (double)t->kernel * t->kernel;

        h = lpips_step_size(t, h);
        w = lpips_step_size(t, w);
        pixels = (double)h * w;
        if (t->op == LPIPS_OP_CONV)
            sum += pixels * t->in * t->out * taps;
        else if (t->op == LPIPS_OP_FIRE)
            sum += pixels * t->squeezed * (t->in + t->out / 2 * (1 + taps));
    }
    return 2 * (s->gradient ? 3 : 2) * sum; /* back through one picture: as much again */
}

/* GFLOP/s of one large sgemm of OpenBLAS with as many threads, the yardstick. */
static double sgemm_speed(int threads)
{
    enum { N = 1536 };
    float *a = malloc(sizeof *a * 3 * N * N);
    double best = 0;

    if (!a)
        return 0;
    for (int i = 0; i < 3 * N * N; i++)
        a[i] = (float)(i % 17) / 17;
    openblas_set_num_threads(threads);
    for (int i = 0; i < 4; i++) {
        double t = now_ms(), speed;

        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, a, N, a + N * N, N,
                    0, a + 2 * N * N, N);
        speed = 2. * N * N * N / (now_ms() - t) * 1e-6;
        best = speed > best ? speed : best;
    }
    openblas_set_num_threads(1);
    free(a);
    return best;
}

static double peak_mb(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

/* What is timed; `out` as large as one picture. */
static int work(const settings *s, lpips_context *c, const lpips_image *a, lpips_result *r,
                float *out)
{
    const ptrdiff_t row = (ptrdiff_t)sizeof *out * 3 * s->width;
    const lpips_planes planes = {{out, out + 1, out + 2}, {row, row, row}, 3 * sizeof *out};
    int status = LPIPS_OK;

    if (!s->gradient)
        return lpips_compare_pairs(c, a, a + s->batch, s->batch, r, NULL);
    for (int i = 0; i < s->batch && !status; i++)
        status = lpips_gradient(c, &a[i], &a[s->batch + i], &r[i], &planes);
    return status;
}

static int measure(const settings *s, lpips_context *c, double *median, double *best)
{
    size_t size = (size_t)s->width * (size_t)s->height * 3, n = (size_t)s->batch;
    uint8_t *pixels = malloc(2 * n * size);
    lpips_image *a = calloc(2 * n, sizeof *a);
    lpips_result *r = calloc(n, sizeof *r);
    double *t = calloc((size_t)s->runs, sizeof *t);
    float *out = malloc(size * sizeof *out);
    int status = pixels && a && r && t && out ? LPIPS_OK : LPIPS_ERR_MEMORY;

    for (size_t i = 0; i < 2 * n && !status; i++) {
        draw(pixels + i * size, s->width, s->height, (unsigned)i);
        status = lpips_image_packed(&a[i], LPIPS_U8, pixels + i * size, s->width, s->height,
                                    3, 3 * s->width);
    }
    for (int i = -1; i < s->runs && !status; i++) {
        double from = now_ms();

        status = work(s, c, a, r, out);
        if (i >= 0)
            t[i] = (now_ms() - from) / s->batch;
    }
    if (!status) {
        qsort(t, (size_t)s->runs, sizeof *t, ascending);
        *median = t[s->runs / 2];
        *best = t[0];
        printf("distance of the first pair %.9f, pictures %.1f MB\n", r[0].distance,
               2. * s->batch * (double)size * 1e-6);
    }
    free(pixels);
    free(a);
    free(r);
    free(t);
    free(out);
    return status;
}

/* In an uninstalled tree: the weights beside the program, and those that tests are lent. */
static int find_weights(lpips_weights **w, const settings *s, char *why, size_t size)
{
    static const char *const folders[] = {"../weights", "../../../shared/weights"};
    char exe[512], path[640];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    int status = s->weights ? lpips_weights_load(w, s->weights, why, size)
                            : lpips_weights_find(w, s->net, NULL, why, size);

    exe[n > 0 ? n : 0] = 0;
    for (int i = 0; i < 2 && status && !s->weights && strrchr(exe, '/'); i++) {
        snprintf(path, sizeof path, "%.*s/%s/lpips-%s-v0.1.safetensors",
                 (int)(strrchr(exe, '/') - exe), exe, folders[i], lpips_net_name(s->net));
        if (!access(path, R_OK))
            status = lpips_weights_load(w, path, why, size);
    }
    return status;
}

static int run(const settings *s)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_weights *w = NULL;
    lpips_context *c = NULL;
    char text[160] = "";
    double median = 0, best = 0, flop = flop_per_pair(s), memory;
    int status = find_weights(&w, s, text, sizeof text);

    o.threads = s->threads;
    o.pictures = s->gradient ? 2 : 2 * s->batch;
    o.cpu_disable = s->cpu_disable;
    o.flags = s->gradient ? LPIPS_WANT_GRADIENT : 0;
    if (!status)
        status = lpips_context_create(&c, w, s->width, s->height, &o);
    if (!status) {
        lpips_describe(c, text, sizeof text);
        printf("%s, %dx%d, batch %d, %d threads%s\n", text, s->width, s->height, s->batch,
               s->threads, s->gradient ? ", gradient" : "");
        text[0] = 0;
        status = measure(s, c, &median, &best);
    }
    memory = peak_mb();
    lpips_context_free(c);
    lpips_weights_unref(w);
    if (status) {
        fprintf(stderr, "lpips-bench: %s%s%s\n", lpips_strerror(status), *text ? ": " : "",
                text);
        return 1;
    }
    printf("direct arithmetic %.2f GFLOP a pair: %.0f GFLOP/s; plain sgemm %.0f GFLOP/s\n",
           flop * 1e-9, flop / median * 1e-6, sgemm_speed(s->threads));
    printf("peak memory %.0f MB\n", memory);
    printf("best %.3f median %.3f\n", best, median);
    return 0;
}

static void usage(FILE *to)
{
    fprintf(
        to,
        "usage: lpips-bench [--net alex|vgg|squeeze] [--size WIDTHxHEIGHT] [--batch PAIRS]\n"
        "                   [--threads N] [--runs N] [--weights FILE] [--without LIST]\n"
        "                   [--gradient]\n"
        "Times LPIPS of pairs of made-up pictures, and with --gradient its derivatives by\n"
        "one of them. --without takes avx512, avx2 and blas, separated by commas. The last\n"
        "number printed is the median ms of one pair.\n");
}

static unsigned parse_cpu(const char *list)
{
    return (strstr(list, "avx512") ? LPIPS_CPU_AVX512 : 0u) |
           (strstr(list, "avx2") ? LPIPS_CPU_AVX2 : 0u) |
           (strstr(list, "blas") ? LPIPS_CPU_BLAS : 0u);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"net", 1, 0, 'n'},     {"size", 1, 0, 's'},
                                            {"batch", 1, 0, 'b'},   {"threads", 1, 0, 't'},
                                            {"runs", 1, 0, 'r'},    {"weights", 1, 0, 'w'},
                                            {"without", 1, 0, 'x'}, {"gradient", 0, 0, 'g'},
                                            {"help", 0, 0, 'h'},    {0, 0, 0, 0}};
    settings s = {.net = LPIPS_NET_ALEX,
                  .width = 1920,
                  .height = 1080,
                  .batch = 1,
                  .threads = (int)sysconf(_SC_NPROCESSORS_ONLN)};
    int ok = 1, net = 0;

    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (o) {
        case 'n':
            net = lpips_net_from_name(optarg);
            break;
        case 's':
            ok &= sscanf(optarg, "%dx%d", &s.width, &s.height) == 2;
            break;
        case 'b':
            s.batch = atoi(optarg);
            break;
        case 't':
            s.threads = atoi(optarg);
            break;
        case 'r':
            s.runs = atoi(optarg);
            break;
        case 'w':
            s.weights = optarg;
            break;
        case 'x':
            s.cpu_disable = parse_cpu(optarg);
            break;
        case 'g':
            s.gradient = 1;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            ok = 0;
        }
    if (!ok || net < 0 || optind != argc || s.batch < 1 || s.threads < 1 || s.width < 1 ||
        s.height < 1) {
        usage(stderr);
        return 2;
    }
    s.net = (lpips_net)net;
    if (s.runs < 1) {
        double pixels =
            (double)s.width * s.height * s.batch * (s.net == LPIPS_NET_VGG ? 20 : 1);

        s.runs = pixels > 4e7 ? 3 : pixels < 2e5 ? 101 : 11;
    }
    return run(&s);
}
