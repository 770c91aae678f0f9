/*
 * libav.c - loads libavformat, libavcodec and libavfilter, of the versions of the headers.
 */
#include "libav.h"
#include "internal.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include <libavutil/macros.h>

typedef struct function {
    const char *name;
    size_t at; /* in the table */
} function;

#define SONAME(library, major) "lib" library ".so." AV_STRINGIFY(major)
#define OF_LIBAV(name)         {#name, offsetof(media_libav, name)},
#define OF_LIBAVFILTER(name)   {#name, offsetof(media_libavfilter, name)},
#define COUNT(a)               (sizeof(a) / sizeof *(a))

static int load(void *table, const char *soname, const function *f, size_t n,
                char why[MEDIA_WHY])
{
    void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return media_fail(why,
                          "all but PNG needs FFmpeg's libraries of the version that this "
                          "program was built with: %s",
                          dlerror());
    for (size_t i = 0; i < n; i++) {
        void *found = dlsym(library, f[i].name);

        if (!found)
            return media_fail(why, "%s lacks %s; build this program with its headers", soname,
                              f[i].name);
        memcpy((char *)table + f[i].at, &found, sizeof found);
    }
    return 0;
}

/* ---- reading ---------------------------------------------------------------- */

static pthread_once_t reading_once = PTHREAD_ONCE_INIT;
static media_libav reading;
static char reading_why[MEDIA_WHY];

static void load_reading(void)
{
    static const function format[] = {MEDIA_AVFORMAT(OF_LIBAV)};
    static const function codec[] = {MEDIA_AVCODEC(OF_LIBAV)};

    if (load(&reading, SONAME("avformat", LIBAVFORMAT_VERSION_MAJOR), format, COUNT(format),
             reading_why) >= 0)
        load(&reading, SONAME("avcodec", LIBAVCODEC_VERSION_MAJOR), codec, COUNT(codec),
             reading_why);
}

const media_libav *media_libav_get(char why[MEDIA_WHY])
{
    pthread_once(&reading_once, load_reading);
    if (!*reading_why)
        return &reading;
    media_fail(why, "%s", reading_why);
    return NULL;
}

/* ---- filters ---------------------------------------------------------------- */

static pthread_once_t filters_once = PTHREAD_ONCE_INIT;
static media_libavfilter filters;
static char filters_why[MEDIA_WHY];

static void load_filters(void)
{
    static const function filter[] = {MEDIA_AVFILTER(OF_LIBAVFILTER)};

    load(&filters, SONAME("avfilter", LIBAVFILTER_VERSION_MAJOR), filter, COUNT(filter),
         filters_why);
}

const media_libavfilter *media_libavfilter_get(char why[MEDIA_WHY])
{
    pthread_once(&filters_once, load_filters);
    if (!*filters_why)
        return &filters;
    media_fail(why, "%s", filters_why);
    return NULL;
}
