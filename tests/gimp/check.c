/*
 * check.c - what tests/gimp.sh compares GIMP's results with: the library itself, fed with
 * the same decoded pixels
 *
 *   gimp_check picture NAME WIDTH HEIGHT FILE.png [gray|few]    few: of 64 colours at most
 *   gimp_check profile FILE.icc
 *   gimp_check gray-profile FILE.icc              grey with a gamma of 1.8
 *   gimp_check distance GOT A.png B.png           the number is the library's
 *   gimp_check profiled GOT FILE.icc A.png B.png  ... of both in the space of a profile
 *   gimp_check grayed GOT A.png B.png             ... of both in that of the grey one
 *   gimp_check mean GOT A B X Y W H               the mean of the map in a selection
 *   gimp_check raw GOT.tif A B [X Y W H]          every float of the map
 *   gimp_check heat GOT.png COLORS SCALE R G B A B  every byte of its colours
 *
 * A and B are FILE.png, or FILE.png@X,Y,W,H for a part.  "0": no difference is allowed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gegl.h>
#include <png.h>

#include "../../core/lpips.h"
#include "../pictures.h"

#define SPACE      "Adobish"
#define GRAY_GAMMA 461 /* 1.8, in 256ths as a profile has it */

typedef struct Picture {
    int width, height;
    unsigned char *rgb;
} Picture;

typedef struct Answer {
    double distance;
    float *map;
    int width, height;
} Answer;

static void die(const char *what, const char *name)
{
    fprintf(stderr, "gimp_check: %s %s\n", what, name);
    exit(2);
}

static Picture read_png(const char *argument)
{
    char *name = strdup(argument), *part = strchr(name, '@');
    png_image image = {.version = PNG_IMAGE_VERSION};
    Picture p = {0, 0, NULL};
    unsigned char *all;
    int x = 0, y = 0;

    if (part)
        *part++ = '\0';
    if (!png_image_begin_read_from_file(&image, name))
        die("cannot read", name);
    image.format = PNG_FORMAT_RGB;
    all = malloc(PNG_IMAGE_SIZE(image));
    if (!png_image_finish_read(&image, NULL, all, 0, NULL))
        die("cannot decode", name);
    p.width = (int)image.width;
    p.height = (int)image.height;
    if (part && sscanf(part, "%d,%d,%d,%d", &x, &y, &p.width, &p.height) != 4)
        die("no part:", argument);
    p.rgb = malloc((size_t)p.width * p.height * 3);
    for (int row = 0; row < p.height; row++)
        memcpy(p.rgb + (size_t)row * p.width * 3,
               all + ((size_t)(y + row) * image.width + x) * 3, (size_t)p.width * 3);
    free(all);
    free(name);
    return p;
}

static Answer ask(const lpips_image *a, const lpips_image *b)
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    Answer answer = {0, NULL, a->width, a->height};
    lpips_map map = {.stride = (ptrdiff_t)(a->width * sizeof(float))};
    lpips_weights *w;
    lpips_context *c;
    lpips_result r;

    o.flags = LPIPS_WANT_MAP;
    answer.map = map.total = malloc((size_t)a->width * a->height * sizeof(float));
    if (lpips_weights_find(&w, LPIPS_NET_ALEX, NULL, NULL, 0) < 0 ||
        lpips_context_create(&c, w, a->width, a->height, &o) < 0 ||
        lpips_compare_map(c, a, b, &r, &map) < 0)
        die("the library refuses", "the pictures");
    answer.distance = r.distance;
    lpips_context_free(c);
    lpips_weights_unref(w);
    return answer;
}

static Answer ask_files(char **names)
{
    const Picture a = read_png(names[0]), b = read_png(names[1]);
    lpips_image ia, ib;

    lpips_image_packed(&ia, LPIPS_U8, a.rgb, a.width, a.height, 3, 3 * a.width);
    lpips_image_packed(&ib, LPIPS_U8, b.rgb, b.width, b.height, 3, 3 * b.width);
    return ask(&ia, &ib);
}

static const Babl *read_profile(const char *name)
{
    static char icc[1 << 20];
    FILE *f = fopen(name, "rb");
    const size_t size = f ? fread(icc, 1, sizeof icc, f) : 0;
    const char *why = "it cannot be read";
    const Babl *space = NULL;

    if (size)
        space =
            babl_space_from_icc(icc, (int)size, BABL_ICC_INTENT_RELATIVE_COLORIMETRIC, &why);
    if (!space)
        die(name, why);
    fclose(f);
    return space;
}

static float *to_srgb(const Picture *p, const Babl *space)
{
    const long n = (long)p->width * p->height;
    float *rgb = malloc((size_t)n * 3 * sizeof *rgb);

    babl_process(babl_fish(babl_format_with_space("R'G'B' u8", space),
                           babl_format("R'G'B' float")),
                 p->rgb, rgb, n);
    return rgb;
}

static Answer ask_profiled(const char *profile, char **names)
{
    const Babl *space = read_profile(profile);
    const Picture a = read_png(names[0]), b = read_png(names[1]);
    lpips_image ia, ib;

    lpips_image_packed(&ia, LPIPS_F32, to_srgb(&a, space), a.width, a.height, 3,
                       12 * a.width);
    lpips_image_packed(&ib, LPIPS_F32, to_srgb(&b, space), b.width, b.height, 3,
                       12 * b.width);
    return ask(&ia, &ib);
}

/* sRGB of grey levels that follow a gamma; IEC 61966-2-1. */
static float *gray_to_srgb(const Picture *p)
{
    const size_t n = (size_t)p->width * p->height * 3;
    float *rgb = malloc(n * sizeof *rgb);

    for (size_t i = 0; i < n; i++) {
        const double light = pow(p->rgb[i] / 255.0, GRAY_GAMMA / 256.0);

        rgb[i] =
            (float)(light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055);
    }
    return rgb;
}

static Answer ask_grayed(char **names)
{
    const Picture a = read_png(names[0]), b = read_png(names[1]);
    lpips_image ia, ib;

    lpips_image_packed(&ia, LPIPS_F32, gray_to_srgb(&a), a.width, a.height, 3, 12 * a.width);
    lpips_image_packed(&ib, LPIPS_F32, gray_to_srgb(&b), b.width, b.height, 3, 12 * b.width);
    return ask(&ia, &ib);
}

/* Script-Fu prints ten digits. */
#define PRINTED 6e-10
/* babl has the curves of a profile as polynomials and as tables of floats, and takes what it
 * found to be fast: runs and versions differ. */
#define CURVES 1e-5

static int same_number(const char *got, double want, double allowed)
{
    printf("%s, want %.10g\n", got, want);
    return fabs(atof(got) - want) <= allowed * fabs(want);
}

static unsigned get(const unsigned char *at, int bytes)
{
    unsigned v = 0;

    for (int i = bytes - 1; i >= 0; i--)
        v = v << 8 | at[i];
    return v;
}

/* The samples of a little-endian, uncompressed grey TIFF of 32-bit floats; TIFF 6.0. */
static float *read_tiff(const char *name, int width, int height)
{
    unsigned tag[65536] = {0}, count[65536] = {0};
    unsigned char *file = malloc(1 << 26);
    FILE *f = fopen(name, "rb");
    const size_t size = f ? fread(file, 1, 1 << 26, f) : 0;
    float *samples = malloc((size_t)width * height * 4);
    unsigned char *to = (unsigned char *)samples;
    unsigned ifd;

    if (size < 8 || memcmp(file, "II*", 4) || (ifd = get(file + 4, 4)) + 2 > size)
        die("no little-endian TIFF:", name);
    for (unsigned i = 0; i < get(file + ifd, 2); i++) {
        const unsigned char *e = file + ifd + 2 + 12 * i;

        count[get(e, 2)] = get(e + 4, 4);
        tag[get(e, 2)] = get(e + 8, get(e + 2, 2) == 3 && get(e + 4, 4) == 1 ? 2 : 4);
    }
    if ((int)tag[256] != width || (int)tag[257] != height || tag[258] != 32 ||
        tag[259] != 1 || tag[277] > 1 || tag[339] != 3)
        die("not grey, 32-bit float, uncompressed and of the right size:", name);
    for (unsigned i = 0; i < count[273]; i++) {
        const unsigned at = count[273] == 1 ? tag[273] : get(file + tag[273] + 4 * i, 4);
        const unsigned n = count[279] == 1 ? tag[279] : get(file + tag[279] + 4 * i, 4);

        memcpy(to, file + at, n);
        to += n;
    }
    fclose(f);
    free(file);
    return samples;
}

/* A selection's map is that of the picture around it: 128 pixels to every side, from a
 * multiple of 16 on. */
static Answer ask_part(char **names, const int box[4], int *x0, int *y0)
{
    const Picture a = read_png(names[0]), b = read_png(names[1]);
    char parts[2][4096], *list[2] = {parts[0], parts[1]};
    const int left = box[0] > 128 ? (box[0] - 128) / 16 * 16 : 0;
    const int top = box[1] > 128 ? (box[1] - 128) / 16 * 16 : 0;
    const int right = fmin(fmin(a.width, b.width), box[0] + box[2] + 128);
    const int bottom = fmin(fmin(a.height, b.height), box[1] + box[3] + 128);

    for (int i = 0; i < 2; i++)
        snprintf(parts[i], sizeof parts[i], "%s@%d,%d,%d,%d", names[i], left, top,
                 right - left, bottom - top);
    *x0 = box[0] - left;
    *y0 = box[1] - top;
    return ask_files(list);
}

static int check_raw(const char *file, char **names, int n, char **numbers)
{
    int box[4] = {0, 0, 0, 0}, x0 = 0, y0 = 0;
    Answer want;
    float *got;
    double most = 0;

    for (int i = 0; i < 4 && n == 4; i++)
        box[i] = atoi(numbers[i]);
    want = n == 4 ? ask_part(names, box, &x0, &y0) : ask_files(names);
    if (n != 4) {
        box[2] = want.width;
        box[3] = want.height;
    }
    got = read_tiff(file, box[2], box[3]);
    for (int y = 0; y < box[3]; y++)
        for (int x = 0; x < box[2]; x++)
            most = fmax(most, fabs(got[y * box[2] + x] -
                                   (double)want.map[(y0 + y) * want.width + x0 + x]));
    printf("%d x %d, largest difference %g\n", box[2], box[3], most);
    return most == 0;
}

static int check_mean(const char *number, char **names, char **numbers)
{
    int box[4], x0, y0;
    double sum = 0;
    Answer want;

    for (int i = 0; i < 4; i++)
        box[i] = atoi(numbers[i]);
    want = ask_part(names, box, &x0, &y0);
    for (int y = 0; y < box[3]; y++)
        for (int x = 0; x < box[2]; x++)
            sum += want.map[(y0 + y) * want.width + x0 + x];
    return same_number(number, sum / box[2] / box[3], PRINTED);
}

static int check_heat(const char *file, char **arg)
{
    const uint8_t over[3] = {(uint8_t)atoi(arg[2]), (uint8_t)atoi(arg[3]),
                             (uint8_t)atoi(arg[4])};
    const Picture got = read_png(file);
    const Answer want = ask_files(arg + 5);
    const size_t n = (size_t)want.width * want.height;
    uint8_t *rgb = malloc(3 * n);
    int most = 0;

    if (got.width != want.width || got.height != want.height)
        die("another size:", file);
    lpips_colorize(rgb, want.map, n, (lpips_colormap)lpips_colormap_from_name(arg[0]),
                   (float)atof(arg[1]), over);
    for (size_t i = 0; i < 3 * n; i++)
        most = abs(got.rgb[i] - rgb[i]) > most ? abs(got.rgb[i] - rgb[i]) : most;
    printf("largest difference %d\n", most);
    return most == 0;
}

static int write_picture(char **arg, const char *kind)
{
    const int width = atoi(arg[1]), height = atoi(arg[2]);
    const int gray = kind && !strcmp(kind, "gray"), few = kind && !strcmp(kind, "few");
    uint8_t *rgb = picture_make(arg[0], width, height);
    png_image image = {.version = PNG_IMAGE_VERSION};

    for (int i = 0; i < width * height && gray; i++)
        rgb[i] = rgb[3 * i];
    for (int i = 0; i < 3 * width * height && few; i++)
        rgb[i] = (uint8_t)(rgb[i] / 64 * 80);
    image.width = (png_uint_32)width;
    image.height = (png_uint_32)height;
    image.format = gray ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    return png_image_write_to_file(&image, arg[3], 0, rgb, 0, NULL);
}

static int write_profile(const char *file)
{
    int length = 0;
    const char *icc = babl_space_get_icc(babl_space(SPACE), &length);
    FILE *f = fopen(file, "wb");

    return f && icc && fwrite(icc, 1, (size_t)length, f) == (size_t)length && !fclose(f);
}

/* ICC.1:2001-04, as 32-bit words: a header, the list of the tags that a grey profile must
 * have, and the tags: a name, a white of D50, a curve that is a gamma. */
#define SIGN(text) \
    ((uint32_t)(text)[0] << 24 | (uint32_t)(text)[1] << 16 | (text)[2] << 8 | (text)[3])
enum { ICC_WORDS = 75 };

static int write_gray_profile(const char *file)
{
    const struct {
        int at;
        uint32_t word[5];
    } parts[] = {
        {0, {4 * ICC_WORDS, 0, 0x02100000}},
        {3, {SIGN("mntr"), SIGN("GRAY"), SIGN("XYZ ")}},
        {9, {SIGN("acsp")}},
        {17, {0xF6D6, 0x10000, 0xD32D}},
        {32, {3}},
        {33, {SIGN("desc"), 168, 96}},
        {36, {SIGN("wtpt"), 264, 20}},
        {39, {SIGN("kTRC"), 284, 14}},
        {42, {SIGN("desc"), 0, 5, SIGN("Gray")}},
        {66, {SIGN("XYZ "), 0, 0xF6D6, 0x10000, 0xD32D}},
        {71, {SIGN("curv"), 0, 1, GRAY_GAMMA << 16}},
    };
    uint32_t icc[ICC_WORDS + 5] = {0};
    FILE *f = fopen(file, "wb");
    int ok = f != NULL;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        for (int k = 0; k < 5; k++)
            icc[parts[i].at + k] |= parts[i].word[k];
    for (int i = 0; i < ICC_WORDS; i++)
        for (int shift = 24; shift >= 0 && ok; shift -= 8)
            ok = putc((int)(icc[i] >> shift & 255), f) != EOF;
    return ok && !fclose(f);
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    int ok = 0;

    babl_init();
    if (!strcmp(what, "picture") && argc >= 6)
        ok = write_picture(argv + 2, argv[6]);
    else if (!strcmp(what, "profile"))
        ok = write_profile(argv[2]);
    else if (!strcmp(what, "gray-profile"))
        ok = write_gray_profile(argv[2]);
    else if (!strcmp(what, "distance") && argc == 5)
        ok = same_number(argv[2], ask_files(argv + 3).distance, PRINTED);
    else if (!strcmp(what, "profiled") && argc == 6)
        ok = same_number(argv[2], ask_profiled(argv[3], argv + 4).distance, CURVES);
    else if (!strcmp(what, "grayed") && argc == 5)
        ok = same_number(argv[2], ask_grayed(argv + 3).distance, CURVES);
    else if (!strcmp(what, "mean") && argc == 9)
        ok = check_mean(argv[2], argv + 3, argv + 5);
    else if (!strcmp(what, "raw") && argc >= 5)
        ok = check_raw(argv[2], argv + 3, argc - 5, argv + 5);
    else if (!strcmp(what, "heat") && argc == 10)
        ok = check_heat(argv[2], argv + 3);
    else
        die("no such command:", what);
    return ok ? 0 : 1;
}
