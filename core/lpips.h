/*
 * lpips.h - perceptual distance between pictures (LPIPS)
 *
 *     lpips_weights *w;
 *     lpips_context *c;
 *     lpips_image a, b;
 *     lpips_result r;
 *     char why[256];
 *
 *     if (lpips_weights_find(&w, LPIPS_NET_ALEX, "0.1", why, sizeof why) < 0)    ...
 *     if (lpips_context_create(&c, w, width, height, NULL) < 0)                  ...
 *     lpips_image_packed(&a, LPIPS_U8, rgb_a, width, height, 3, stride);
 *     lpips_image_packed(&b, LPIPS_U8, rgb_b, width, height, 3, stride);
 *     if (lpips_compare(c, &a, &b, &r) == LPIPS_OK)
 *         printf("%.9f\n", r.distance);
 *     lpips_context_free(c);
 *     lpips_weights_unref(w);
 *
 * The metric is that of Zhang et al., "The Unreasonable Effectiveness of Deep
 * Features as a Perceptual Metric" (CVPR 2018, section 3), with the weights and
 * the arithmetic of the authors' package `lpips` 0.1.4.  Lower is more alike.
 *
 * Threads:   weights are read-only after loading: share one object between all
 *            threads.  A context serves one call at a time: one per thread.
 * Memory:    lpips_context_create() allocates everything a comparison needs;
 *            comparing does not allocate.  *_free and *_unref accept NULL.
 * Errors:    functions that can fail return LPIPS_OK or a negative lpips_status;
 *            those with an **out leave *out as NULL then.  Results and maps of a
 *            failed call are undefined.
 * Promises:  equal pictures give exactly 0; compare(a, b) == compare(b, a); the
 *            result does not depend on threads, strides, alignment or the place
 *            in a batch.  It may differ in the last digits between CPUs.
 * Process:   nothing process-wide is changed: no locale, signal, environment,
 *            floating-point mode or BLAS setting.
 */
#ifndef LPIPS_H
#define LPIPS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LPIPS_VERSION_MAJOR 1 /* changes when old callers break */
#define LPIPS_VERSION_MINOR 3 /* changes when something is added */
#define LPIPS_VERSION_PATCH 0

#ifndef LPIPS_API
#if defined(__GNUC__)
#define LPIPS_API __attribute__((visibility("default")))
#else
#define LPIPS_API
#endif
#endif

/* Version of the library in use, 0x00MMmmpp; compare with the macros above. */
LPIPS_API unsigned lpips_version(void);

typedef enum lpips_status {
    LPIPS_OK = 0,
    LPIPS_ERR_ARGUMENT = -1,    /* NULL pointer, unknown enum, bad stride */
    LPIPS_ERR_MEMORY = -2,      /* allocation failed, or over memory_limit */
    LPIPS_ERR_SIZE = -3,        /* too small for the net, too large, or not the context's */
    LPIPS_ERR_IO = -4,          /* weights file missing or unreadable */
    LPIPS_ERR_WEIGHTS = -5,     /* not safetensors, or damaged */
    LPIPS_ERR_TENSOR = -6,      /* tensor missing, of the wrong shape, or a refused value */
    LPIPS_ERR_UNSUPPORTED = -7, /* not in this build, or not asked for at creation */
    LPIPS_ERR_NOT_FINITE = -8,  /* NaN, infinity or |x| > 65536 in a float picture */
    LPIPS_ERR_ABORTED = -9      /* the progress callback said stop */
} lpips_status;

/* One line of English for a status; static, never NULL, for any value. */
LPIPS_API const char *lpips_strerror(int status);

/* ---- weights ------------------------------------------------------------ */

typedef enum lpips_net {
    LPIPS_NET_ALEX = 0,
    LPIPS_NET_VGG = 1,
    LPIPS_NET_SQUEEZE = 2
} lpips_net;

/* The most taps a net has (squeeze). */
#define LPIPS_MAX_LAYERS 7

typedef struct lpips_weights lpips_weights;

/* "alex", "vgg", "squeeze"; NULL for an unknown net. */
LPIPS_API const char *lpips_net_name(lpips_net net);

/* The net of a name as above; a negative status for an unknown one. */
LPIPS_API int lpips_net_from_name(const char *name);

/* Number of taps (5, 5, 7) and shortest side in pixels (31, 16, 17). */
LPIPS_API int lpips_net_layers(lpips_net net);
LPIPS_API int lpips_net_min_size(lpips_net net);

/*
 * Find weights by net and version ("0.1", "0.0"; NULL: "0.1").  Looked for in
 * this order: compiled into the library (alex 0.1); the folders named in the
 * environment variable LPIPS_WEIGHTS_PATH, separated by ':'; the data folder
 * chosen when the library was built.  The file is lpips-NET-vVERSION.safetensors.
 *
 * detail, here and below, may be NULL; else it receives one sentence that names
 * the file or tensor and the reason, cut to detail_size bytes.
 */
LPIPS_API int lpips_weights_find(lpips_weights **out, lpips_net net, const char *version,
                                 char *detail, size_t detail_size);

/* Load a safetensors file: backbone, lin layers and scaling of one net, named as
 * in the official lpips.LPIPS(net=...).state_dict(). */
LPIPS_API int lpips_weights_load(lpips_weights **out, const char *path, char *detail,
                                 size_t detail_size);

/* The same from memory; the bytes are copied and may be freed afterwards. */
LPIPS_API int lpips_weights_load_memory(lpips_weights **out, const void *data, size_t size,
                                        char *detail, size_t detail_size);

/* A tensor that such a file must hold: float32, its name and shape. */
typedef struct lpips_tensor_spec {
    char name[64];
    int shape[4], dims;
} lpips_tensor_spec;

/* Tensor i of a net's file, from 0, in one canonical order: the scaling layer, weight and
 * bias of each convolution, the lin layers.  LPIPS_ERR_ARGUMENT after the last.  For programs
 * that make weights. */
LPIPS_API int lpips_net_tensor(lpips_net net, int i, lpips_tensor_spec *tensor);

/* Share and release; thread-safe.  The last unref frees. */
LPIPS_API lpips_weights *lpips_weights_ref(lpips_weights *w);
LPIPS_API void lpips_weights_unref(lpips_weights *w);

/* The net that the tensors are of. */
LPIPS_API lpips_net lpips_weights_net(const lpips_weights *w);

/* "0.1" or "0.0".  Lives as long as w. */
LPIPS_API const char *lpips_weights_version(const lpips_weights *w);

/* SHA-256 in hexadecimal over the tensors in one canonical order and form, so
 * that files of the same weights have the same hash.  Lives as long as w. */
LPIPS_API const char *lpips_weights_hash(const lpips_weights *w);

/* ---- context ------------------------------------------------------------ */

typedef struct lpips_context lpips_context;

/*
 * Must call job(arg, i) once for each i in [0, jobs), in any order or at once, and
 * return when all are done.  A host's own thread pool can stand behind it.
 */
typedef void (*lpips_parallel)(void *opaque, void (*job)(void *arg, int i), void *arg,
                               int jobs);

/* Called now and then from the calling thread, fraction rising from 0 to 1.
 * Return 0 to go on; anything else ends the comparison with LPIPS_ERR_ABORTED. */
typedef int (*lpips_progress)(void *opaque, double fraction);

enum {
    LPIPS_WANT_MAP = 1 << 0,     /* maps will be asked for; memory then grows with height */
    LPIPS_NO_LIN = 1 << 1,       /* the paper's unweighted baseline: every w is 1 */
    LPIPS_RANGE_0_1 = 1 << 2,    /* pictures go in as 0..1 where the official input is
                                    -1..1: the convention of published splatting and
                                    NeRF scores; not comparable with the default */
    LPIPS_WANT_GRADIENT = 1 << 3 /* lpips_gradient() will be called; LPIPS_WANT_MAP comes
                                    with it, and memory grows with the picture's area */
};

enum {
    LPIPS_CPU_AVX2 = 1 << 0,   /* AVX2 and FMA */
    LPIPS_CPU_AVX512 = 1 << 1, /* AVX-512 F, VL, BW and DQ */
    LPIPS_CPU_NEON = 1 << 2,
    LPIPS_CPU_BLAS = 1 << 3 /* OpenBLAS, where no own kernel applies */
};

/* Start from LPIPS_OPTIONS_DEFAULT; zero always means "the default". */
typedef struct lpips_options {
    size_t struct_size;      /* sizeof(lpips_options), set by the macro */
    unsigned flags;          /* LPIPS_WANT_MAP, LPIPS_NO_LIN, LPIPS_RANGE_0_1,
                                LPIPS_WANT_GRADIENT */
    int threads;             /* own threads, the caller's included; 0 and 1: none */
    int pictures;            /* most pictures held at once, 0: 2 (one pair).  A batch
                                of n pairs is fastest with 2 n, one reference against
                                n others needs n + 1; memory grows with it */
    lpips_parallel parallel; /* use the caller's threads instead; `threads` then
                                says how many those are */
    void *parallel_opaque;
    lpips_progress progress;
    void *progress_opaque;
    size_t memory_limit;  /* bytes, 0: none */
    unsigned cpu_disable; /* LPIPS_CPU_* not to use */
    int band_rows;        /* tile rows worked on at once, 0: chosen */
    int strip_columns;    /* columns worked on at once, 0: chosen.  Neither changes a result:
                             they trade memory and speed */
} lpips_options;

#define LPIPS_OPTIONS_DEFAULT                                  \
    {                                                          \
        sizeof(lpips_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 \
    }

/* A context for pictures of width x height; takes its own reference on w. */
LPIPS_API int lpips_context_create(lpips_context **out, lpips_weights *w, int width,
                                   int height, const lpips_options *options);
LPIPS_API void lpips_context_free(lpips_context *c);

/* Bytes lpips_context_create() would allocate beside the weights, 0 for bad arguments. */
LPIPS_API size_t lpips_context_memory(lpips_weights *w, int width, int height,
                                      const lpips_options *options);

/*
 * What stands behind the numbers of this context, for logs and reports:
 *     "lpips 1.0.0 alex v0.1 weights 3f9c2a71"
 * followed by " no-lin" and " range 0..1" where those are chosen; of NULL, the
 * library's name and version only.  Returns the length of the whole text, as
 * snprintf() does.
 */
LPIPS_API int lpips_describe(const lpips_context *c, char *text, size_t size);

/* The same before there is a context: what those with these weights and flags will say. */
LPIPS_API int lpips_weights_describe(const lpips_weights *w, unsigned flags, char *text,
                                     size_t size);

/* LPIPS_CPU_* present on this machine and in this build.  Loads OpenBLAS to see whether it is
 * there, which else happens only where a context needs it. */
LPIPS_API unsigned lpips_cpu_features(void);

/* The kernels that a context computes with: "avx512", "avx2", "neon", "openblas" or "c";
 * NULL of no context.  The last digits of a result may depend on them. */
LPIPS_API const char *lpips_context_cpu(const lpips_context *c);

/* ---- pictures ----------------------------------------------------------- */

typedef struct lpips_frame lpips_frame; /* a decoded video frame, see the end */

typedef enum lpips_format {
    LPIPS_U8 = 0,   /* 0..255 */
    LPIPS_U16 = 1,  /* native byte order, 0..white */
    LPIPS_F32 = 2,  /* 0..1; values outside are used as they are */
    LPIPS_FRAME = 3 /* plane[0] is a lpips_frame; see lpips_image_frame() */
} lpips_format;

/*
 * A view of the caller's pixels, valid during the call only.  Any layout with
 * one step between pixels and one between rows fits: packed RGB, BGR, RGBA,
 * planar, upside down (negative stride), grey (three equal pointers).  The samples
 * are the picture's own code values (sRGB, BT.709 ...), not linear light.
 */
typedef struct lpips_image {
    const void *plane[3];    /* first R, G and B sample */
    ptrdiff_t row_stride[3]; /* bytes to the next row, per plane */
    ptrdiff_t pixel_stride;  /* bytes to the next pixel in a row */
    int width, height;
    lpips_format format;
    unsigned white; /* U16 only: code of full scale, 0: 65535 */
} lpips_image;

/* Fill the struct for interleaved samples; channels is 1 (grey), 3 (RGB) or 4 (RGBx). */
LPIPS_API int lpips_image_packed(lpips_image *img, lpips_format format, const void *pixels,
                                 int width, int height, int channels, ptrdiff_t row_stride);

/* Fill the struct for three planes, each with a stride of its own. */
LPIPS_API int lpips_image_planar(lpips_image *img, lpips_format format,
                                 const void *const plane[3], const ptrdiff_t row_stride[3],
                                 int width, int height);

/* ---- comparing ---------------------------------------------------------- */

typedef struct lpips_result {
    double distance;                /* sum of the layer terms, >= 0 */
    double layer[LPIPS_MAX_LAYERS]; /* in tap order; unused entries are 0 */
    int layers;
} lpips_result;

/*
 * Where to write local distances: planes of width x height floats, `stride` bytes
 * from row to row.  Any of the pointers may be NULL.  Each tap's map is enlarged
 * bilinearly (align_corners = false) as in the reference code's spatial mode, so the
 * mean of a map is near, not equal to, its term of the distance.
 */
typedef struct lpips_map {
    float *total;
    float *layer[LPIPS_MAX_LAYERS];
    ptrdiff_t stride;
} lpips_map;

/* One pair.  A map needs LPIPS_WANT_MAP; NULL: none. */
LPIPS_API int lpips_compare(lpips_context *c, const lpips_image *a, const lpips_image *b,
                            lpips_result *result);
LPIPS_API int lpips_compare_map(lpips_context *c, const lpips_image *a, const lpips_image *b,
                                lpips_result *result, const lpips_map *map);

/*
 * Many pairs a[i], b[i] of one size: results[i], and maps[i] where maps is not NULL.
 * Worked through options.pictures / 2 pairs at a time, reading the weights once for
 * each such group; equal to as many single calls, bit for bit.
 */
LPIPS_API int lpips_compare_pairs(lpips_context *c, const lpips_image *a,
                                  const lpips_image *b, int pairs, lpips_result *results,
                                  const lpips_map *maps);

/* One reference against many pictures; its features are computed once for each
 * options.pictures - 1 of them.  Equal to single calls, bit for bit. */
LPIPS_API int lpips_compare_many(lpips_context *c, const lpips_image *reference,
                                 const lpips_image *others, int count, lpips_result *results,
                                 const lpips_map *maps);

/* ---- gradients ---------------------------------------------------------- */

/* Where to write a gradient: a float for each sample, in any layout with one step between
 * pixels and one between rows, as in lpips_image; no two planes may be the same. */
typedef struct lpips_planes {
    float *plane[3];         /* for the first R, G and B sample */
    ptrdiff_t row_stride[3]; /* bytes to the next row, per plane */
    ptrdiff_t pixel_stride;  /* bytes to the next pixel; both multiples of sizeof(float) */
} lpips_planes;

/*
 * The distance of a pair and its derivative by every sample of picture a; by those of b with
 * the two exchanged.  The unit is a's own: of LPIPS_F32 the distance per 1.0, of LPIPS_U8 and
 * LPIPS_U16 per step of the code, of a frame per 1.0 of the R, G and B that it stands for
 * (for b's the same holds).  The result is what lpips_compare() gives, bit for bit.
 *
 * Where the distance has a kink this is one of its subgradients: a ReLU at 0 passes nothing,
 * a maximum that several samples share goes to the first of them, and a pixel whose features
 * are all 0 has 0 (the reference code makes NaN of it).  So it is finite always, and exactly
 * 0 for equal pictures.
 *
 * Needs LPIPS_WANT_GRADIENT, or else is LPIPS_ERR_UNSUPPORTED.  Such a context keeps all
 * features of its pictures: lpips_context_memory() says how much that is (at 1920x1080 alex
 * 0.35, squeeze 1.2, vgg 6.1 GB), options.memory_limit refuses more.  Nothing is allocated
 * here.  It takes two to three times the time of the comparison; the progress callback
 * hears of both.
 */
LPIPS_API int lpips_gradient(lpips_context *c, const lpips_image *a, const lpips_image *b,
                             lpips_result *result, const lpips_planes *gradient);

/* ---- maps to colours ---------------------------------------------------- */

typedef enum lpips_colormap {
    LPIPS_COLORS_VIRIDIS = 0,
    LPIPS_COLORS_MAGMA = 1,
    LPIPS_COLORS_INFERNO = 2,
    LPIPS_COLORS_CIVIDIS = 3, /* made for colour-blind readers */
    LPIPS_COLORS_GRAY = 4
} lpips_colormap;

/* "viridis" ..., NULL for an unknown one; and back, negative for an unknown name. */
LPIPS_API const char *lpips_colormap_name(lpips_colormap colors);
LPIPS_API int lpips_colormap_from_name(const char *name);

/*
 * n distances to n pixels of packed 8-bit RGB: 0 is the map's first colour,
 * full_scale (> 0) its last, linear between; values above it become `over`
 * (three bytes), so that a fixed scale lets several pictures be compared and
 * still shows where it was left.  NaN is an error.
 */
LPIPS_API int lpips_colorize(uint8_t *rgb, const float *distances, size_t n,
                             lpips_colormap colors, float full_scale, const uint8_t over[3]);

/* The out-of-scale colour that `colors` is told apart from best. */
LPIPS_API const uint8_t *lpips_colormap_over(lpips_colormap colors);

/* ---- statistics over many distances ------------------------------------- */

typedef struct lpips_stats {
    size_t count;
    double mean;
    double harmonic_mean; /* n / sum(1/x); 0 as soon as one value is 0 */
    double median;
    double deviation; /* standard deviation with n - 1; 0 for one value */
    double min, max;
    double p1, p5, p10, p25, p75, p90, p95, p99; /* linear between ranks */
} lpips_stats;

/* Values must be finite and >= 0, n >= 1.  Needs n doubles of memory meanwhile. */
LPIPS_API int lpips_stats_of(const double *values, size_t n, lpips_stats *stats);

/* Those statistics by name, in the order above: "mean" is 0, "harmonic_mean" 1 ... "p99";
 * NULL and NAN for any other i. */
LPIPS_API const char *lpips_stats_name(int i);
LPIPS_API double lpips_stats_value(const lpips_stats *stats, int i);

/* The p-th percentile, p in 0..100, of n values in rising order: linear between
 * closest ranks, as numpy.percentile does by default. */
LPIPS_API double lpips_percentile(const double *sorted, size_t n, double p);

/* Indices of the `count` largest values, the largest first, ties by lower index.
 * Writes min(n, count) of them and returns how many. */
LPIPS_API size_t lpips_worst(const double *values, size_t n, size_t *index, size_t count);

/* ---- decoded video frames ------------------------------------------------ */

/* Numbers of ITU-T H.273 (MatrixCoefficients), as FFmpeg's AVColorSpace has them. */
enum {
    LPIPS_MATRIX_RGB = 0, /* the samples are R, G and B */
    LPIPS_MATRIX_BT709 = 1,
    LPIPS_MATRIX_UNKNOWN = 2,
    LPIPS_MATRIX_FCC = 4,
    LPIPS_MATRIX_BT470BG = 5, /* BT.601; 6 is the same */
    LPIPS_MATRIX_SMPTE170M = 6,
    LPIPS_MATRIX_SMPTE240M = 7,
    LPIPS_MATRIX_YCGCO = 8,
    LPIPS_MATRIX_BT2020 = 9 /* non-constant luminance */
};

/* As FFmpeg's AVColorRange. */
enum {
    LPIPS_LEVELS_UNKNOWN = 0,
    LPIPS_LEVELS_LIMITED = 1, /* 16..235 and 16..240 of 255 */
    LPIPS_LEVELS_FULL = 2
};

/* Where a chroma sample lies among the luma samples it stands for, as FFmpeg's
 * AVChromaLocation: H.273's Chroma420SampleLocType plus 1.  Only directions that are
 * subsampled use it. */
enum {
    LPIPS_CHROMA_UNKNOWN = 0,
    LPIPS_CHROMA_LEFT = 1, /* MPEG-2, H.264, HEVC */
    LPIPS_CHROMA_CENTER = 2,
    LPIPS_CHROMA_TOPLEFT = 3,
    LPIPS_CHROMA_TOP = 4,
    LPIPS_CHROMA_BOTTOMLEFT = 5,
    LPIPS_CHROMA_BOTTOM = 6
};

/*
 * A view of a decoded frame: Y, Cb and Cr (or R, G and B), each sample reached by a
 * step of its own, so planar, semi-planar and packed layouts all fit.  plane[1] and
 * plane[2] NULL: grey.
 */
struct lpips_frame {
    const void *plane[3];    /* first sample of each component */
    ptrdiff_t row_stride[3]; /* bytes to the next row */
    ptrdiff_t step[3];       /* bytes to the next sample of a row */
    int width, height;       /* of the picture; chroma rounds up */
    int chroma_x, chroma_y;  /* log2 of the chroma subsampling, 0..2 */
    int bits;                /* 8: bytes; 9..16: native 16-bit words; 32: float, no YUV */
    int shift;               /* unused low bits of a word (P010: 6) */
    int matrix;              /* LPIPS_MATRIX_* */
    int levels;              /* LPIPS_LEVELS_* */
    int chroma_location;     /* LPIPS_CHROMA_* */
};

/*
 * Settle what is unknown in the colours of a pair.  An unknown matrix, range or chroma
 * location of YUV takes the other frame's, if that is YUV and known; with both unknown,
 * BT.601 up to 576 rows and BT.709 above, limited range, and chroma to the left.  Grey of
 * unknown range counts as full, unless the other is grey too and known.  RGB is always
 * full range.
 */
LPIPS_API void lpips_frame_settle(lpips_frame *a, lpips_frame *b);

/*
 * Convert rows first..first + rows - 1 to planes of floats 0..1 for LPIPS_F32 pictures;
 * rgb[] point at row 0 of the picture, row_stride is in bytes.  Chroma is enlarged
 * bilinearly from where its samples lie; integer samples beyond 0..1 are clipped, as a
 * display would, and nothing is rounded to 8 bits.  Different rows may be converted
 * at once by different threads.  LPIPS_ERR_UNSUPPORTED: a matrix not listed above.
 */
LPIPS_API int lpips_frame_to_rgb(const lpips_frame *frame, float *const rgb[3],
                                 ptrdiff_t row_stride, int first, int rows);

/*
 * A frame as a picture to compare, read by rows while it is compared: the same numbers as
 * through lpips_frame_to_rgb(), without planes of floats.  The frame is referred to, not
 * copied.  LPIPS_ERR_UNSUPPORTED as above.
 */
LPIPS_API int lpips_image_frame(lpips_image *img, const lpips_frame *frame);

/* How the frame is read, for logs: "yuv 4:2:0 8 bit bt709 limited left"; the length of
 * the whole text, as snprintf() returns it. */
LPIPS_API int lpips_frame_describe(const lpips_frame *frame, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* LPIPS_H */
