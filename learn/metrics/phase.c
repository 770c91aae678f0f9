/*
 * phase.c - phase congruency by log-Gabor filters; see phase.h.
 *
 * P. Kovesi: "Image features from phase congruency", Videre 1 (1999), in the form of his
 * phasecong2.m that FeatureSIM.m carries and piq 0.8.0 (piq/fsim.py) follows: four scales
 * from a wavelength of 6 pixels on, by octaves, and four orientations.  Where piq and the
 * Matlab file differ, this does what piq does, so that it can be checked:
 *
 *   - the noise is estimated by the lower of the two middle values, not by their mean;
 *   - 2.2e-16 keeps divisors from 0, where Matlab has 1e-4 and nothing;
 *   - orientations point the other way, which tells at the highest frequency of even sizes.
 *
 * A filter is real in the frequency plane and lies on one side of the origin, so its response
 * is complex: even part and odd part.
 */
#include "metrics/phase.h"

#include "transform.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SCALES = 4, ORIENTATIONS = 4 };

#define PI 3.14159265358979323846

struct learn_phase {
    int width, height;
    size_t n;                           /* width x height */
    double *radial[SCALES];             /* filters are products of one of these */
    double *angular[ORIENTATIONS];      /* and one of these */
    double noise[ORIENTATIONS];         /* threshold^2 over the median squared response */
    double *energy, *amplitude;         /* over all orientations */
    double *squares;                    /* of responses */
    fftw_complex *spectrum, *responses; /* of the plane; one a scale */
    fftw_plan forward, backward;        /* spectrum, responses: in place */
};

void learn_phase_free(learn_phase *p)
{
    if (!p)
        return;
    pthread_mutex_lock(learn_planner());
    fftw_destroy_plan(p->forward);
    fftw_destroy_plan(p->backward);
    pthread_mutex_unlock(learn_planner());
    for (int s = 0; s < SCALES; s++)
        fftw_free(p->radial[s]);
    for (int o = 0; o < ORIENTATIONS; o++)
        fftw_free(p->angular[o]);
    fftw_free(p->energy);
    fftw_free(p->amplitude);
    fftw_free(p->squares);
    fftw_free(p->spectrum);
    fftw_free(p->responses);
    free(p);
}

/* -1 where memory is short. */
static int allocate(learn_phase *p)
{
    int missing = 0;

    for (int s = 0; s < SCALES; s++)
        missing |= !(p->radial[s] = fftw_alloc_real(p->n));
    for (int o = 0; o < ORIENTATIONS; o++)
        missing |= !(p->angular[o] = fftw_alloc_real(p->n));
    missing |= !(p->energy = fftw_alloc_real(p->n));
    missing |= !(p->amplitude = fftw_alloc_real(p->n));
    missing |= !(p->squares = fftw_alloc_real(p->n));
    missing |= !(p->spectrum = fftw_alloc_complex(p->n));
    missing |= !(p->responses = fftw_alloc_complex(SCALES * p->n));
    return missing ? -1 : 0;
}

/* Plans are not measured: measuring may choose another order of adding up each time. */
static int plan(learn_phase *p)
{
    int size[2] = {p->height, p->width}, n = (int)p->n;

    pthread_mutex_lock(learn_planner());
    p->forward =
        fftw_plan_dft(2, size, p->spectrum, p->spectrum, FFTW_FORWARD, FFTW_ESTIMATE);
    p->backward = fftw_plan_many_dft(2, size, SCALES, p->responses, NULL, 1, n, p->responses,
                                     NULL, 1, n, FFTW_BACKWARD, FFTW_ESTIMATE);
    pthread_mutex_unlock(learn_planner());
    return p->forward && p->backward ? 0 : -1;
}

/* Cycles a pixel of entry k of n, -0.5 .. 0.5; odd sizes are stretched to reach both ends. */
static double frequency(int k, int n)
{
    return (double)(k < (n + 1) / 2 ? k : k - n) / (n % 2 ? n - 1 : n);
}

/* Log-Gabor of every scale at one radius, below a Butterworth low pass that leaves the
 * corners of the frequency plane out. */
static void fill_radial(learn_phase *p, size_t at, double radius)
{
    double low = 1 / (1 + pow(radius / 0.45, 30)), width = 2 * log(0.55) * log(0.55);

    for (int s = 0; s < SCALES; s++) {
        double octave = log(radius * (6 << s));

        p->radial[s][at] = at ? exp(-octave * octave / width) * low : 0;
    }
}

/* A Gaussian of the angle between a direction and each orientation. */
static void fill_angular(learn_phase *p, size_t at, double theta)
{
    double sigma = PI / ORIENTATIONS / 1.2;

    for (int o = 0; o < ORIENTATIONS; o++) {
        double angle = o * PI / ORIENTATIONS;
        double sine = sin(theta) * cos(angle) - cos(theta) * sin(angle);
        double cosine = cos(theta) * cos(angle) + sin(theta) * sin(angle);
        double between = atan2(sine, cosine);

        p->angular[o][at] = exp(-between * between / (2 * sigma * sigma));
    }
}

static void fill(learn_phase *p)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            size_t at = (size_t)y * (size_t)p->width + (size_t)x;
            double fx = frequency(x, p->width), fy = frequency(y, p->height);

            fill_radial(p, at, sqrt(fx * fx + fy * fy));
            fill_angular(p, at, atan2(-fx, fy));
        }
}

/*
 * The threshold below which energy is taken for noise, as Kovesi has it:
 *
 *     mean = median(|response at scale 0|^2) / log 2,  tau^2 = mean / sum(F0^2) *
 *         (sum_i sum(f_i^2) + 2 sum_(i<j) sum(f_i f_j)),
 *     T = tau (sqrt(pi / 2) + k sqrt(2 - pi / 2)) / 1.7,  k = 2,
 *
 * F_i being a filter, f_i the real part of its inverse transform.  By Parseval's theorem sums
 * of products of f are those of the even parts of F, so that all but the median is known in
 * advance: noise[o] = T^2 / median.
 */
static void measure_noise(learn_phase *p, int o)
{
    double first = 0, products = 0, k = (sqrt(PI / 2) + 2 * sqrt(2 - PI / 2)) / 1.7;

    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            size_t at = (size_t)y * (size_t)p->width + (size_t)x;
            size_t across = (size_t)((p->height - y) % p->height) * (size_t)p->width +
                            (size_t)((p->width - x) % p->width);
            double filter = p->radial[0][at] * p->angular[o][at], sum = 0;

            /* (f0 + f1 + f2 + f3)^2 has every square once and every product twice. */
            for (int s = 0; s < SCALES; s++)
                sum += (p->radial[s][at] * p->angular[o][at] +
                        p->radial[s][across] * p->angular[o][across]) /
                       2;
            first += filter * filter;
            products += sum * sum;
        }
    p->noise[o] = k * k / log(2) * products / first;
}

learn_phase *learn_phase_for(learn_metric_room *room, int width, int height)
{
    learn_phase *p = room->phase;

    if (p && p->width == width && p->height == height)
        return p;
    learn_phase_free(p);
    room->phase = p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->width = width;
    p->height = height;
    p->n = (size_t)width * (size_t)height;
    if (allocate(p) < 0 || plan(p) < 0) {
        learn_phase_free(p);
        return room->phase = NULL;
    }
    fill(p);
    for (int o = 0; o < ORIENTATIONS; o++)
        measure_noise(p, o);
    return p;
}

/* The lower median; v is put in another order.  C. Hoare's FIND, CACM 4 (1961). */
static double median(double *v, size_t n)
{
    size_t k = (n - 1) / 2, low = 0, high = n - 1;

    while (low < high) {
        double pivot = v[low + (high - low) / 2];
        size_t i = low, j = high;

        for (;; i++, j--) {
            double swapped;

            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i >= j)
                break;
            swapped = v[i];
            v[i] = v[j];
            v[j] = swapped;
        }
        /* All up to j are at most the pivot, all from j + 1 on at least. */
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return v[k];
}

/* Responses of all scales in one orientation. */
static void respond(learn_phase *p, int o)
{
    for (int s = 0; s < SCALES; s++) {
        fftw_complex *out = p->responses + (size_t)s * p->n;

        for (size_t i = 0; i < p->n; i++) {
            double filter = p->radial[s][i] * p->angular[o][i];

            out[i][0] = p->spectrum[i][0] * filter;
            out[i][1] = p->spectrum[i][1] * filter;
        }
    }
    fftw_execute(p->backward);
}

static double threshold(learn_phase *p, int o)
{
    for (size_t i = 0; i < p->n; i++)
        p->squares[i] =
            p->responses[i][0] * p->responses[i][0] + p->responses[i][1] * p->responses[i][1];
    return sqrt(p->noise[o] * median(p->squares, p->n));
}

/* Adds an orientation's energy beyond the noise, and its amplitude. */
static void add_energy(learn_phase *p, double noise)
{
    for (size_t i = 0; i < p->n; i++) {
        const fftw_complex *r = p->responses + i;
        double even = 0, odd = 0, length, energy = 0;

        for (int s = 0; s < SCALES; s++) {
            even += r[(size_t)s * p->n][0];
            odd += r[(size_t)s * p->n][1];
        }
        length = sqrt(even * even + odd * odd) + DBL_EPSILON;
        even /= length;
        odd /= length;
        for (int s = 0; s < SCALES; s++) {
            double e = r[(size_t)s * p->n][0], o = r[(size_t)s * p->n][1];

            energy += e * even + o * odd - fabs(e * odd - o * even);
            p->amplitude[i] += sqrt(e * e + o * o);
        }
        p->energy[i] += energy > noise ? energy - noise : 0;
    }
}

/* A plane of one value has no features, but rounding in its transform would look like some.
 */
static int is_flat(const double *plane, size_t n)
{
    size_t i = 1;

    while (i < n && plane[i] == plane[0])
        i++;
    return i == n;
}

void learn_phase_congruency(learn_phase *p, const double *plane, double *congruency)
{
    memset(congruency, 0, p->n * sizeof *congruency);
    if (is_flat(plane, p->n))
        return;
    memset(p->energy, 0, p->n * sizeof *p->energy);
    memset(p->amplitude, 0, p->n * sizeof *p->amplitude);
    for (size_t i = 0; i < p->n; i++) {
        p->spectrum[i][0] = plane[i] / (double)p->n;
        p->spectrum[i][1] = 0;
    }
    fftw_execute(p->forward);
    for (int o = 0; o < ORIENTATIONS; o++) {
        respond(p, o);
        add_energy(p, threshold(p, o));
    }
    for (size_t i = 0; i < p->n; i++)
        congruency[i] = (p->energy[i] + DBL_EPSILON) / (p->amplitude[i] + DBL_EPSILON);
}
