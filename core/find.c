/*
 * find.c - weights from files: where they are looked for, how they are read.
 */
#include "model.h"

#include "../weights/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALIGN = 64, MAX_FILE = 1 << 30, MAX_PATH = 4096 };

#ifndef LPIPS_NO_BUILTIN
/* builtin.S */
extern const unsigned char lpips_builtin_alex[] __attribute__((visibility("hidden")));
extern const uint64_t lpips_builtin_alex_size __attribute__((visibility("hidden")));
#endif

/* ---- files ---------------------------------------------------------------- */

static const char *error_text(int error, char *buffer, size_t size)
{
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
    return strerror_r(error, buffer, size);
#else
    return strerror_r(error, buffer, size) ? "unknown error" : buffer;
#endif
}

/* The bytes of a regular file in a new block; *error is errno or 0. */
static int read_bytes(int fd, lpips_source *from, int *error, char *detail,
                      size_t detail_size)
{
    struct stat info;
    size_t at = 0;
    unsigned char *block;

    if (fstat(fd, &info)) {
        *error = errno;
        return LPIPS_ERR_IO;
    }
    if (!S_ISREG(info.st_mode))
        return lpips_refuse(LPIPS_ERR_IO, detail, detail_size, "not a regular file");
    if (info.st_size > MAX_FILE)
        return lpips_refuse(LPIPS_ERR_WEIGHTS, detail, detail_size,
                            "%lld bytes, more than the %d accepted", (long long)info.st_size,
                            MAX_FILE);
    from->size = (size_t)info.st_size;
    from->block = block = aligned_alloc(ALIGN, (from->size + ALIGN) / ALIGN * ALIGN);
    if (!block)
        return lpips_refuse(LPIPS_ERR_MEMORY, detail, detail_size,
                            "no memory for its %zu bytes", from->size);
    while (at < from->size) {
        ssize_t got = read(fd, block + at, from->size - at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            *error = errno;
            return LPIPS_ERR_IO;
        }
        if (!got)
            return lpips_refuse(LPIPS_ERR_IO, detail, detail_size,
                                "ended after %zu of %zu bytes", at, from->size);
        at += (size_t)got;
    }
    from->bytes = block;
    from->keep = 1;
    return LPIPS_OK;
}

/* *error receives errno where opening or reading failed, else 0. */
static int load_file(lpips_weights **out, const char *path, int *error, char *detail,
                     size_t detail_size)
{
    enum { SHOWN = 120 };
    size_t length = strlen(path), skip = length > SHOWN ? length - SHOWN : 0;
    char why[320] = "", text[80];
    lpips_source from = {0};
    int status = LPIPS_ERR_IO;
    /* Not waiting for a writer when the path is a named pipe. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *error = 0;
    if (fd < 0) {
        *error = errno;
    } else {
        status = read_bytes(fd, &from, error, why, sizeof why);
        close(fd);
        if (status)
            free(from.block);
        else
            status = lpips_weights_build(out, &from, why, sizeof why);
    }
    if (status)
        lpips_refuse(status, detail, detail_size, "%s%s: %s", skip ? "..." : "", path + skip,
                     *error ? error_text(*error, text, sizeof text) : why);
    return status;
}

int lpips_weights_load(lpips_weights **out, const char *path, char *detail,
                       size_t detail_size)
{
    int error;

    if (out)
        *out = NULL;
    if (!out || !path)
        return lpips_refuse(LPIPS_ERR_ARGUMENT, detail, detail_size,
                            "no place for the weights, or no path");
    return load_file(out, path, &error, detail, detail_size);
}

/* ---- finding -------------------------------------------------------------- */

typedef struct wanted {
    lpips_net net;
    const char *version;
    char file[48]; /* lpips-NET-vVERSION.safetensors */
} wanted;

/* A folder without the file is passed over (1); a file that cannot be used is not. */
static int try_folder(lpips_weights **out, const wanted *want, const char *folder,
                      size_t length, char *detail, size_t detail_size)
{
    char path[MAX_PATH];
    int status, error,
        n = snprintf(path, sizeof path, "%.*s/%s", (int)length, folder, want->file);

    if (!length || n < 0 || (size_t)n >= sizeof path)
        return 1;
    status = load_file(out, path, &error, detail, detail_size);
    if (error == ENOENT || error == ENOTDIR)
        return 1;
    if (status)
        return status;
    if ((*out)->net != want->net || strcmp((*out)->version, want->version)) {
        status = lpips_refuse(LPIPS_ERR_WEIGHTS, detail, detail_size,
                              "%.200s: holds %s v%s, not what its name says", path,
                              (*out)->def->name, (*out)->version);
        lpips_weights_unref(*out);
        *out = NULL;
    }
    return status;
}

/* Folders separated by ':'; empty ones are skipped. */
static int try_folders(lpips_weights **out, const wanted *want, const char *list,
                       char *detail, size_t detail_size)
{
    int status = 1;

    while (list && *list && status == 1) {
        size_t length = strcspn(list, ":");

        if (length < MAX_PATH)
            status = try_folder(out, want, list, length, detail, detail_size);
        list += length + (list[length] == ':');
    }
    return status;
}

static int try_builtin(lpips_weights **out, const wanted *want, char *detail,
                       size_t detail_size)
{
#ifndef LPIPS_NO_BUILTIN
    lpips_source from = {.bytes = lpips_builtin_alex,
                         .size = lpips_builtin_alex_size,
                         .keep = 1};

    if (want->net == LPIPS_NET_ALEX && !strcmp(want->version, "0.1"))
        return lpips_weights_build(out, &from, detail, detail_size);
#else
    (void)out, (void)want, (void)detail, (void)detail_size;
#endif
    return 1;
}

int lpips_weights_find(lpips_weights **out, lpips_net net, const char *version, char *detail,
                       size_t detail_size)
{
#ifdef LPIPS_DATADIR
    const char *datadir = LPIPS_DATADIR;
#else
    const char *datadir = NULL;
#endif
    const char *path = secure_getenv("LPIPS_WEIGHTS_PATH");
    wanted want = {.net = net, .version = version ? version : "0.1"};
    int status;

    if (out)
        *out = NULL;
    if (!out || !lpips_netdef_of(net))
        return lpips_refuse(LPIPS_ERR_ARGUMENT, detail, detail_size,
                            "no place for the weights, or an unknown net");
    if (!lpips_version_known(want.version))
        return lpips_refuse(LPIPS_ERR_ARGUMENT, detail, detail_size,
                            "there is no version %s of the weights, only 0.1 and 0.0",
                            lpips_show(want.version).text);
    snprintf(want.file, sizeof want.file, "lpips-%s-v%s.safetensors", lpips_net_name(net),
             want.version);
    status = try_builtin(out, &want, detail, detail_size);
    if (status == 1)
        status = try_folders(out, &want, path, detail, detail_size);
    if (status == 1 && datadir)
        status = try_folder(out, &want, datadir, strlen(datadir), detail, detail_size);
    if (status <= 0)
        return status ? status : lpips_refuse(LPIPS_OK, detail, detail_size, "%s", "");
    return lpips_refuse(LPIPS_ERR_IO, detail, detail_size,
                        "no %s in LPIPS_WEIGHTS_PATH (%.60s)%s%.80s: %s, then set "
                        "LPIPS_WEIGHTS_PATH to its folder or give its path",
                        want.file, path && *path ? path : "not set", datadir ? " or " : "",
                        datadir ? datadir : "",
                        net == LPIPS_NET_SQUEEZE ? "convert it (weights/README.md)"
                                                 : "run `make weights`");
}
