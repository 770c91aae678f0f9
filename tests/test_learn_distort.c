/*
 * test_learn_distort.c - distortions of colour, noise, blur and compression by what they are
 * said to be, measured; how they are asked for and follow each other.
 */
#include "distort_support.h"

#include "pictures.h"
#include "transform.h"

#include <stdio.h>
#include <jpeglib.h>

enum { W = 61, H = 47 };

/* Soft colours, none near the end of sRGB. */
static double soft(int x, int y, int c)
{
    return 128 + 20 * sin(x / (7.0 + c)) + 15 * cos(y / 5.0 + c);
}

static double grey(int x, int y, int c)
{
    (void)x;
    (void)y;
    (void)c;
    return 128;
}

/* ---- CIE Lab
 * ------------------------------------------------------------------------------- */

/* sRGB's red as everyone has it (53.24, 80.09, 67.20): matrices of 4 digits move it by 0.02.
 */
static void test_lab(void **state)
{
    const double white[3] = {255, 255, 255}, red[3] = {255, 0, 0};
    double lab[3], back[3];

    (void)state;
    distort_to_lab(white, lab);
    assert_true(fabs(lab[0] - 100) < 1e-9 && fabs(lab[1]) < 1e-9 && fabs(lab[2]) < 1e-9);
    distort_to_lab(red, lab);
    assert_true(fabs(lab[0] - 53.24) < 0.03 && fabs(lab[1] - 80.09) < 0.03 &&
                fabs(lab[2] - 67.20) < 0.03);
    for (int r = 0; r < 256; r += 15)
        for (int g = 0; g < 256; g += 15)
            for (int b = 0; b < 256; b += 15) {
                const double rgb[3] = {r, g, b};

                distort_to_lab(rgb, lab);
                distort_from_lab(lab, back);
                for (int c = 0; c < 3; c++)
                    assert_true(fabs(back[c] - rgb[c]) < 1e-4);
            }
}

/* The mean difference in Lab of two pictures, and the most that a pixel's is off it. */
static void lab_change(const uint8_t *a, const uint8_t *b, double mean[3], double most[3])
{
    memset(mean, 0, 3 * sizeof *mean);
    memset(most, 0, 3 * sizeof *most);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < W * H; i++) {
            const double p[3] = {a[3 * i], a[3 * i + 1], a[3 * i + 2]};
            const double q[3] = {b[3 * i], b[3 * i + 1], b[3 * i + 2]};
            double x[3], y[3];

            distort_to_lab(p, x);
            distort_to_lab(q, y);
            for (int c = 0; c < 3; c++) {
                if (!pass)
                    mean[c] += (y[c] - x[c]) / (W * H);
                else
                    most[c] = fmax(most[c], fabs(y[c] - x[c] - mean[c]));
            }
        }
}

/* Half a level of each sample moves L* by up to 0.25 there, a* and b* by up to 0.7, by their
 * slopes: so far may a mean be off, and a pixel from that as far again. */
static void test_shifts_in_lab(void **state)
{
    uint8_t *in = picture_by(soft, W, H);

    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        uint8_t *out = by_amount("lightness", 7, seed, in, W, H);
        double mean[3], most[3];

        lab_change(in, out, mean, most);
        assert_true(fabs(fabs(mean[0]) - 7) < 0.25 && most[0] < 0.5);
        assert_true(fabs(mean[1]) < 0.7 && fabs(mean[2]) < 0.7);
        free(out);
        out = by_amount("colour", 20, seed, in, W, H);
        lab_change(in, out, mean, most);
        assert_true(fabs(mean[0]) < 0.25 && fabs(hypot(mean[1], mean[2]) - 20) < 0.7);
        assert_true(most[0] < 0.5 && most[1] < 1.4 && most[2] < 1.4);
        free(out);
    }
    free(in);
}

/* What was moved one way and then the other is what it was, to one level: seeds of either
 * side are picked by what they do. */
static void test_inverse_in_lab(void **state)
{
    static const struct {
        const char *name;
        double there, back;
    } pairs[] = {{"lightness", 8, 8}, {"contrast", 0.4, 0.4}};
    uint8_t *in = picture_by(soft, W, H);

    (void)state;
    for (size_t k = 0; k < COUNT(pairs); k++) {
        uint8_t *out = by_amount(pairs[k].name, pairs[k].there, 1, in, W, H);
        int undone = 0;

        for (uint64_t seed = 0; seed < 8; seed++) {
            uint8_t *back = by_amount(pairs[k].name, pairs[k].back, seed, out, W, H);
            int most = 0;

            for (int i = 0; i < 3 * W * H; i++)
                most = abs(back[i] - in[i]) > most ? abs(back[i] - in[i]) : most;
            undone += most <= 1;
            free(back);
        }
        assert_in_range(undone, 1, 7);
        free(out);
    }
    free(in);
}

static double spread(const uint8_t *rgb, int channel)
{
    double sum = 0, square = 0;

    for (int i = 0; i < W * H; i++) {
        const double p[3] = {rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]};
        double lab[3];

        distort_to_lab(p, lab);
        sum += lab[channel];
        square += lab[channel] * lab[channel];
    }
    return sqrt(square / (W * H) - sum * sum / W / H / W / H);
}

static void test_contrast_and_saturation(void **state)
{
    uint8_t *in = picture_by(soft, W, H);
    int more = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        uint8_t *contrast = by_amount("contrast", 0.5, seed, in, W, H);
        uint8_t *saturation = by_amount("saturation", 0.5, seed, in, W, H);
        uint8_t *dull = by_amount("saturation", 1, seed, in, W, H);
        const double gain = spread(contrast, 0) / spread(in, 0);
        double mean[3], most[3];
        const double chroma = spread(saturation, 1) / spread(in, 1);

        assert_true(fabs(gain - sqrt(2)) < 0.01 || fabs(gain - sqrt(0.5)) < 0.01);
        assert_true(fabs(chroma - 1.5) < 0.02 || fabs(chroma - 0.5) < 0.02);
        more += gain > 1;
        lab_change(in, contrast, mean, most); /* all of it about its mean */
        assert_true(fabs(mean[0]) < 0.25);
        if (chroma < 1) /* nothing of it is left at 1 */
            for (int i = 0; i < W * H; i++)
                assert_true(abs(dull[3 * i] - dull[3 * i + 1]) <= 1 &&
                            abs(dull[3 * i] - dull[3 * i + 2]) <= 1);
        free(contrast);
        free(saturation);
        free(dull);
    }
    assert_in_range(more, 1, 7);
    free(in);
}

/* ---- noise
 * ------------------------------------------------------------------------------------ */

enum { N = 256 };

/* The slope of log power over log frequency, all waves but the mean: least squares. The
 * logarithm of a wave's power has variance pi^2 / 6 and that of its frequency about 1/4, so
 * that over 3 x 32768 waves the slope's deviation is 0.008: 0.05 is six of them. */
static void slope_of(const double *planes, int n, double *slope)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0, waves = 0;
    learn_transform t;

    assert_int_equal(learn_transform_make(&t, N, N, why), 0);
    for (int p = 0; p < n; p++) {
        memcpy(t.samples, planes + (size_t)p * N * N, N * N * sizeof *planes);
        fftw_execute(t.forth);
        for (int y = 0; y < N; y++)
            for (int x = y ? 0 : 1; x <= N / 2; x++) {
                const double v = (y > N / 2 ? y - N : y) / (double)N, u = x / (double)N;
                const double *wave = t.waves[y * (N / 2 + 1) + x];
                const double power = log(wave[0] * wave[0] + wave[1] * wave[1] + 1e-300);
                const double f = log(u * u + v * v) / 2;

                sx += f;
                sy += power;
                sxx += f * f;
                sxy += f * power;
                waves++;
            }
    }
    learn_transform_free(&t);
    *slope = (sxy - sx * sy / waves) / (sxx - sx * sx / waves);
}

static void test_spectra(void **state)
{
    static const double slopes[] = {-2, -1, 0, 0.7, 1, 2};
    double *planes = malloc(3 * N * N * sizeof *planes);

    (void)state;
    assert_non_null(planes);
    for (size_t i = 0; i < COUNT(slopes); i++) {
        double slope, sum = 0, square = 0;
        learn_random r;

        learn_random_start(&r, 5, i);
        for (int p = 0; p < 3; p++)
            assert_int_equal(distort_spectrum(planes + p * N * N, N, N, slopes[i], &r, why),
                             0);
        slope_of(planes, 3, &slope);
        assert_true(fabs(slope + slopes[i]) < 0.05 * fmax(1, fabs(slopes[i])));
        for (int k = 0; k < 3 * N * N; k++) {
            sum += planes[k];
            square += planes[k] * planes[k];
        }
        assert_true(fabs(sum) < 1e-6 && fabs(square / (3 * N * N) - 1) < 1e-9);
    }
    free(planes);
}

/* The noise of a picture that is grey: its planes, deviation and fourth moment over the
 * square of its variance. */
static double *noise_of(const char *name, uint64_t seed, double *deviation, double *kurtosis)
{
    uint8_t *in = picture_by(grey, N, N), *out = by_amount(name, 20, seed, in, N, N);
    double *planes = malloc(3 * N * N * sizeof *planes), square = 0, fourth = 0;

    assert_non_null(planes);
    for (int i = 0; i < N * N; i++)
        for (int c = 0; c < 3; c++) {
            const double d = out[3 * i + c] - 128.0;

            planes[c * N * N + i] = d;
            square += d * d / (3 * N * N);
            fourth += d * d * d * d / (3 * N * N);
        }
    *deviation = sqrt(square);
    *kurtosis = fourth / square / square;
    free(in);
    free(out);
    return planes;
}

/* As it ends up in pictures. Even noise has a kurtosis of 9/5, Gaussian noise of 3 (to 5 of
 * its deviations, sqrt(24 / n), and somewhat more where neighbours are not independent). */
static void test_noise(void **state)
{
    static const struct {
        const char *name;
        double slope, kurtosis;
    } kinds[] = {{"uniform-noise", 0, 1.8},
                 {"white-noise", 0, 3},
                 {"pink-noise", -1, 3},
                 {"blue-noise", 1, 3}};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        double deviation, kurtosis, slope;
        double *planes = noise_of(kinds[i].name, i, &deviation, &kurtosis);

        slope_of(planes, 3, &slope);
        assert_true(fabs(slope - kinds[i].slope) < 0.05);
        assert_true(fabs(deviation - 20) < 0.15);
        assert_true(fabs(kurtosis - kinds[i].kurtosis) < 0.1);
        free(planes);
    }
    for (uint64_t seed = 0; seed < 6; seed++) {
        double deviation, kurtosis, slope, wanted;
        double *planes = noise_of("coloured-noise", seed, &deviation, &kurtosis);
        learn_random r;

        learn_random_start(&r, seed, learn_random_key(0, "coloured-noise"));
        wanted = -learn_random_between(&r, -2, 2);
        slope_of(planes, 3, &slope);
        assert_true(fabs(slope - wanted) < 0.05 * fmax(1, fabs(wanted)));
        free(planes);
    }
}

static void test_checkerboard(void **state)
{
    uint8_t *in = picture_by(soft, W, H);
    int sizes[5] = {0};

    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        uint8_t *out = by_amount("checkerboard", 10, seed, in, W, H);
        int size = 1;

        while (size < 5 && out[3 * size] - in[3 * size] == out[0] - in[0])
            size++;
        assert_true(size == 1 || size == 2 || size == 4);
        sizes[size]++;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < 3 * W; x++)
                assert_int_equal(out[y * 3 * W + x] - in[y * 3 * W + x],
                                 (x / 3 / size + y / size) % 2 ? -10 : 10);
        free(out);
    }
    assert_true(sizes[1] && sizes[2] && sizes[4]);
    free(in);
}

/* ---- blur
 * ---------------------------------------------------------------------------------------- */

/* Where i lies when a picture goes on as its mirror image: step by step. */
static int folded(int i, int n)
{
    while (i < 0 || i >= n)
        i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return i;
}

/* The sum over the whole kernel at once, in double. */
static double direct(const double *plane, int w, int h, int x, int y, double sigma)
{
    const int r = (int)ceil(4 * sigma);
    double sum = 0, weights = 0;

    for (int v = -r; v <= r; v++)
        for (int u = -r; u <= r; u++) {
            const double weight = exp(-(u * u + v * v) / (2 * sigma * sigma));

            sum += weight * plane[folded(y + v, h) * w + folded(x + u, w)];
            weights += weight;
        }
    return sum / weights;
}

static void test_gaussian(void **state)
{
    static const double sigmas[] = {0.3, 1, 2.7, 6};
    enum { w = 23, h = 17 };
    double plane[2 * w * h], blurred[2 * w * h];

    (void)state;
    for (int i = 0; i < 2 * w * h; i++)
        plane[i] = picture_hash((uint32_t)i) % 256;
    for (size_t s = 0; s < COUNT(sigmas); s++) {
        memcpy(blurred, plane, sizeof plane);
        assert_int_equal(distort_gaussian(blurred, 2, w, h, sigmas[s], why), 0);
        for (int p = 0; p < 2; p++)
            for (int i = 0; i < w * h; i++)
                assert_true(fabs(blurred[p * w * h + i] -
                                 direct(plane + p * w * h, w, h, i % w, i / w, sigmas[s])) <
                            1e-10);
    }
}

static double edge(int x, int y, int c)
{
    return (x < W / 2 ? 80 : 180) + (picture_hash((uint32_t)(3 * (y * W + x) + c)) % 5);
}

/* Below the step's height (38 in Lab) it smooths either side and leaves the step; far above
 * it there is nothing left but the blur in the plane. */
static void test_bilateral(void **state)
{
    uint8_t *in = picture_by(edge, W, H), *kept = by_amount("bilateral", 6, 0, in, W, H);
    uint8_t *lost = by_amount("bilateral", 1e6, 0, in, W, H);
    double before = 0, after = 0;

    (void)state;
    for (int i = 0; i < 3 * W * H; i++) {
        const int x = i / 3 % W, level = x < W / 2 ? 82 : 182;

        before += (in[i] - level) * (in[i] - level);
        after += (kept[i] - level) * (kept[i] - level);
    }
    assert_true(after < before / 5);
    /* halfway between, within a few levels of noise and curvature */
    for (int y = 0; y < H; y++)
        for (int c = 0; c < 3; c++) {
            const uint8_t *row = lost + 3 * y * W + c;

            assert_in_range(row[3 * (W / 2 - 1)], 108, 126);
            assert_in_range(row[3 * (W / 2)], 132, 150);
        }
    free(in);
    free(kept);
    free(lost);
}

/* ---- JPEG
 * ------------------------------------------------------------------------------------------
 */

static unsigned long size_by_libjpeg(const uint8_t *rgb, int quality)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr e;
    unsigned char *data = NULL;
    unsigned long size = 0;

    c.err = jpeg_std_error(&e);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &data, &size);
    c.image_width = W;
    c.image_height = H;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, quality, TRUE);
    jpeg_start_compress(&c, TRUE);
    for (int y = 0; y < H; y++) {
        uint8_t line[3 * W], *row = line;

        memcpy(line, rgb + 3 * W * y, sizeof line);
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    free(data);
    return size;
}

static void test_jpeg(void **state)
{
    uint8_t *in = picture_make("scene.3", W, H), *data;
    const distort_kind *k = distort_find(distort_kinds, "jpeg");
    size_t before = SIZE_MAX, size;

    (void)state;
    for (int i = 0; i <= 20; i++) {
        const int quality = (int)distort_amount(k, i / 20.0);
        uint8_t *out = by_amount("jpeg", quality, 0, in, W, H), again[3 * W * H];

        assert_int_equal(distort_jpeg_encode(&data, &size, in, W, H, quality, why), 0);
        assert_true(size == size_by_libjpeg(in, quality));
        assert_true(size < before);
        before = size;
        assert_int_equal(distort_jpeg_decode(again, W, H, data, size, why), 0);
        assert_memory_equal(again, out, sizeof again);
        free(data);
        free(out);
    }
    free(in);
    /* what libjpeg would end the process for */
    in = calloc(3, 70000);
    assert_non_null(in);
    assert_int_equal(distort_jpeg_encode(&data, &size, in, 70000, 1, 50, why), -1);
    assert_non_null(strstr(why, "70000x1"));
    assert_null(data);
    assert_int_equal(distort_jpeg_decode(in, 8, 8, (const uint8_t *)"no JPEG", 7, why), -1);
    free(in);
}

/* ---- asking
 * -------------------------------------------------------------------------------------- */

static void test_parse(void **state)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"", "no distortion \"\""},
        {"jepg:0.4", "\"jepg\""},
        {"jpeg:1.01", "1.01"},
        {"jpeg:-0.1", "-0.1"},
        {"jpeg:nan", "nan"},
        {"jpeg:", "is no strength"},
        {"jpeg:0.5x", "0.5x"},
        {"jpeg+", "no distortion \"\""},
        {"jpeg+shift+jpeg", "at most 2"},
        {"jpeg+repeat", "put it first"},
        {"a-name-that-is-longer-than-any-distortion-and-any-strength-of-it-could-ever-"
         "be-together",
         "too long"}};
    distort_spec spec;
    char text[DISTORT_SPEC];

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(distort_parse(&spec, distort_kinds, wrong[i].text, why), -1);
        assert_non_null(strstr(why, wrong[i].says));
    }
    assert_int_equal(distort_parse(&spec, distort_kinds, "repeat:0+chromatic-aberration",
                                   why),
                     0);
    distort_print(&spec, text);
    assert_string_equal(text, "repeat:0.0000+chromatic-aberration:0.5000");
    /* the longest there can be fits */
    assert_int_equal(distort_parse(&spec, distort_kinds,
                                   "chromatic-aberration:1+chromatic-aberration:0.12345",
                                   why),
                     0);
    distort_print(&spec, text);
    assert_string_equal(text, "chromatic-aberration:1.0000+chromatic-aberration:0.1235");
}

static void test_amounts(void **state)
{
    (void)state;
    assert_true(distort_amount(distort_find(distort_kinds, "lightness"), 0.25) == 10);
    assert_true(distort_amount(distort_find(distort_kinds, "jpeg"), 0) == 95);
    assert_true(distort_amount(distort_find(distort_kinds, "jpeg"), 1) == 3);
    assert_true(distort_amount(distort_find(distort_kinds, "hqx"), 0.3) == 3);
    assert_true(distort_amount(distort_find(distort_kinds, "super2xsai"), 0.3) == 2);
    assert_true(distort_amount(distort_find(distort_kinds, "super2xsai"), 0.7) == 4);
}

static void test_composition(void **state)
{
    static const char *const pairs[][2] = {{"jpeg:0.6", "pink-noise:0.2"},
                                           {"pink-noise:0.2", "jpeg:0.6"},
                                           {"homography:0.3", "bilateral:0.4"},
                                           {"colour:0.9", "lightness:0.8"}};
    uint8_t *in = picture_make("scene.1", W, H);

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        char both[DISTORT_SPEC];
        uint8_t *one = distorted(pairs[i][0], 9, in, W, H);
        uint8_t *two = distorted(pairs[i][1], 9, one, W, H), *at_once;

        snprintf(both, sizeof both, "%s+%s", pairs[i][0], pairs[i][1]);
        at_once = distorted(both, 9, in, W, H);
        assert_memory_equal(at_once, two, 3 * W * H);
        free(one);
        free(two);
        free(at_once);
    }
    free(in);
}

/* Noise twice is not the same noise doubled: deviations of independent ones add up as roots
 * of squares. */
static void test_twice(void **state)
{
    uint8_t *in = picture_by(grey, N, N);
    uint8_t *once = distorted("white-noise:0.3", 4, in, N, N);
    uint8_t *twice = distorted("white-noise:0.3+white-noise:0.3", 4, in, N, N);

    (void)state;
    assert_true(fabs(squares(in, twice, N, N) / squares(in, once, N, N) - 2) < 0.03);
    free(in);
    free(once);
    free(twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lab),
        cmocka_unit_test(test_shifts_in_lab),
        cmocka_unit_test(test_inverse_in_lab),
        cmocka_unit_test(test_contrast_and_saturation),
        cmocka_unit_test(test_spectra),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_checkerboard),
        cmocka_unit_test(test_gaussian),
        cmocka_unit_test(test_bilateral),
        cmocka_unit_test(test_jpeg),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_composition),
        cmocka_unit_test(test_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
